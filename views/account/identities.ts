/** The ways in which somebody may sign in: what there is, another one, and one less. */

import { html, type Html } from '../../src/web/html.ts';
import { dated } from '../dates.ts';
import { iconOf, type IconName } from '../icons.ts';
import { help, type Brand } from '../layout.ts';
import { accountPage, type FrameView } from './frame.ts';
import { attribute, form } from './parts.ts';
import { personTexts } from './person_texts.ts';

export interface IdentityView {
  /** What the form says of it: never the provider's own id of the person. */
  key: string;
  provider: string;
  icon: IconName;
  email?: string | undefined;
  since: number;
  usedAt?: number | undefined;
  /** Nobody can sign in by it for now: the provider is not configured any more. */
  isGone: boolean;
}

export interface IdentitiesView {
  frame: FrameView;
  csrf: string;
  identities: readonly IdentityView[];
  providers: readonly { id: string; name: string; icon: IconName }[];
}

const { identities: words } = personTexts;

export function identitiesPage(view: IdentitiesView, brand: Brand): Html {
  const { frame, csrf, identities, providers } = view;
  const isOnly = identities.length === 1;
  const content = html`${help(words.help)}
    <ul class="things">
      ${identities.map((one) => row(one, isOnly))}
    </ul>
    ${isOnly && help(words.only)}
    ${
      providers.length > 0 &&
      html`<section>
        <h2>${words.addTitle}</h2>
        ${help(words.addHelp)}
        ${form(
          { action: '/account/identities/add', csrf },
          providers.map(
            ({ id, name, icon }) =>
              html`<button class="button" name="provider" value="${id}">
                ${iconOf(icon)} ${words.add(name)}
              </button>`,
          ),
        )}
      </section>`
    }`;
  return accountPage({ ...frame, title: words.title, content }, brand);
}

function row(one: IdentityView, isOnly: boolean): Html {
  const { key, provider, icon, email, since, usedAt, isGone } = one;
  return html`<li>
    ${iconOf(icon)}
    <span class="text">
      <span class="title">${provider}</span>
      ${email !== undefined && html`<span>${email}</span>`}
      <span class="small"
        >${dated(words.since, since)}${usedAt !== undefined && html`, ${dated(words.used, usedAt)}`}</span
      >
    </span>
    ${isGone && html`<span class="badge">${words.gone}</span>`}
    ${
      !isOnly &&
      html`<a
        class="link"
        href="/account/identities/remove?identity=${key}"
        ${attribute('aria-label', words.removeNamed(email === undefined ? provider : `${provider}, ${email}`))}
        >${words.remove}</a
      >`
    }
  </li>`;
}

export interface RemoveIdentityView {
  frame: FrameView;
  csrf: string;
  identity: Pick<IdentityView, 'key' | 'provider' | 'email'>;
}

export function removeIdentityPage(view: RemoveIdentityView, brand: Brand): Html {
  const { key, provider, email } = view.identity;
  const content = html`${help(words.removeHelp(provider, email), words.removeStays)}
  ${form(
    { action: '/account/identities/remove', csrf: view.csrf },
    html`<input type="hidden" name="identity" value="${key}" />
      <div class="actions">
        <button class="button primary danger">${words.removeNamed(provider)}</button>
        <a class="link" href="/account/identities">${words.keep}</a>
      </div>`,
  )}`;
  return accountPage({ ...view.frame, title: words.removeTitle(provider), content }, brand);
}
