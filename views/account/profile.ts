/** Who somebody is, as apps are told. */

import { html, type Html } from '../../src/web/html.ts';
import { help, type Brand } from '../layout.ts';
import { initialsOf } from '../select_account.ts';
import { accountPage, type FrameView } from './frame.ts';
import { field, form, select, type Option } from './parts.ts';
import { personTexts } from './person_texts.ts';

export interface ProfileView {
  frame: FrameView;
  csrf: string;
  /** As it is kept, for the initials. */
  known: string | undefined;
  /** As it stands in the form. */
  name: string;
  locale: string;
  locales: readonly Option[];
  email?: string | undefined;
  emailVerified: boolean;
  /** Where the address comes from, if that is one place. */
  provider?: string | undefined;
  hasPicture: boolean;
  /** Something of it was typed by themselves. */
  hasOwn: boolean;
}

export function profilePage(view: ProfileView, brand: Brand): Html {
  const { profile: words } = personTexts;
  const { frame, csrf } = view;
  const content = html`${help(words.help)}
    <ul class="things">
      <li>
        <span class="initials" aria-hidden="true"
          >${initialsOf(view.known ?? view.email ?? '')}</span
        >
        <span class="text">
          <span class="title">${words.email}</span>
          <span>${view.email ?? words.noEmail}</span>
          <span class="small">${words.emailHelp(view.provider ?? words.providers)}</span>
          ${view.hasPicture && html`<span class="small">${words.picture}</span>`}
        </span>
        ${
          view.email !== undefined &&
          html`<span class="badge ${view.emailVerified && 'good'}"
            >${view.emailVerified ? words.verified : words.unverified}</span
          >`
        }
      </li>
    </ul>
    ${form(
      { action: '/account/profile', csrf },
      html`${field({
          name: 'name',
          label: words.name,
          value: view.name,
          autocomplete: 'name',
          maxlength: 120,
          required: true,
          problem: frame.problems?.get('name'),
        })}
        ${select({
          name: 'locale',
          label: words.locale,
          help: words.localeHelp,
          value: view.locale,
          options: view.locales,
          problem: frame.problems?.get('locale'),
        })} <button class="button primary">${words.save}</button>`,
    )}
    ${
      view.hasOwn &&
      html`<section>
        ${help(words.own)}
        ${form(
          { action: '/account/profile/forget', csrf },
          html`<button class="button">${words.forget}</button>`,
        )}
      </section>`
    }`;
  return accountPage({ ...frame, title: words.title, content }, brand);
}
