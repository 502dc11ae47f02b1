/** The settings of an account: its name, its e-mail domains, its owners, its end. */

import { html, type Html } from '../../src/web/html.ts';
import { help, type Brand } from '../layout.ts';
import { accountPage } from './frame.ts';
import type { FrameView } from './frame.ts';
import { buttons } from './member_forms.ts';
import { choices, field, finder, form, select } from './parts.ts';
import type { Option } from './parts.ts';
import { settingsTexts as words } from './settings_texts.ts';

interface Shared extends FrameView {
  account: NonNullable<FrameView['account']>;
  csrf: string;
}

export interface SettingsView extends Shared {
  /** Of the field, as it was typed. */
  name: string;
  mayChange: boolean;
  /** Absent where there are none at all. */
  domains?: readonly { domain: string; isProven: boolean; href: string }[] | undefined;
  domain?: string | undefined;
  /** For owners: their names, and where others are made and the account is closed. */
  owners?: { names: readonly string[]; add: string; close: string } | undefined;
}

export function settingsPage(view: SettingsView, brand: Brand): Html {
  const { account, mayChange, name, csrf, problems } = view;
  const content = html`${
      mayChange
        ? form(
            { action: '/account/settings/name', csrf, account: account.id },
            html`${field({
                name: 'name',
                label: words.name.label,
                value: name,
                problem: problems?.get('name'),
                maxlength: 120,
                required: true,
              })} <button class="button primary">${words.name.save}</button>`,
          )
        : undefined
    }
    <dl class="amounts">
      ${
        !mayChange &&
        html`<div>
          <dt>${words.facts.name}</dt>
          <dd>${account.name}</dd>
        </div>`
      }
      <div>
        <dt>${words.facts.id}</dt>
        <dd><code>${account.id}</code></dd>
      </div>
    </dl>
    ${domains(view)} ${owners(view)}`;
  return accountPage({ ...view, title: words.title, content }, brand);
}

function domains({
  domains: list,
  domain,
  account,
  csrf,
  problems,
}: SettingsView): Html | undefined {
  if (list === undefined) return undefined;
  const { domains: text } = words;
  return html`<section>
    <h2>${text.title}</h2>
    ${help(text.help)}
    ${
      list.length > 0 &&
      html`<ul class="things">
        ${list.map(
          ({ domain: name, isProven, href }) =>
            html`<li>
              <span class="text"><span class="title">${name}</span></span>
              <span class="${isProven ? 'badge good' : 'badge late'}"
                >${isProven ? text.proven : text.unproven}</span
              >
              <span class="actions"
                ><a class="link" href="${href}" aria-label="${`${text.manage}: ${name}`}"
                  >${text.manage}</a
                ></span
              >
            </li>`,
        )}
      </ul>`
    }
    ${form(
      { action: '/account/settings/domains', csrf, account: account.id },
      html`${field({
          name: 'domain',
          label: text.label,
          help: text.labelHelp,
          value: domain,
          problem: problems?.get('domain'),
          maxlength: 253,
          required: true,
        })} <button class="button">${text.add}</button>`,
    )}
  </section>`;
}

function owners({ owners: view }: SettingsView): Html | undefined {
  if (view === undefined) return undefined;
  return html`<section>
      <h2>${words.ownership.title}</h2>
      ${help(words.ownership.help)}
      <ul class="things">
        ${view.names.map(
          (name) =>
            html`<li>
              <span class="text"><span class="title">${name}</span></span>
            </li>`,
        )}
      </ul>
      <p class="after actions"><a class="button" href="${view.add}">${words.ownership.link}</a></p>
    </section>
    <section>
      <h2>${words.closing.title}</h2>
      ${help(words.closing.help)}
      <p class="after actions">
        <a class="button danger" href="${view.close}">${words.closing.link}</a>
      </p>
    </section>`;
}

export interface DomainView extends Shared {
  domain: string;
  isProven: boolean;
  record: { name: string; value: string };
  mode: string;
  role?: string | undefined;
  roles: readonly Option[];
  back: string;
}

export function domainPage(view: DomainView, brand: Brand): Html {
  const { domain: text } = words;
  const { account, csrf, domain, isProven, record, problems } = view;
  const post = { action: '/account/settings/domain', csrf, account: account.id };
  const hidden = html`<input type="hidden" name="domain" value="${domain}" />`;
  const content = html`<section>
      <h2>${text.prove}</h2>
      ${help(isProven ? text.isProven : text.proveHelp)}
      <dl class="amounts">
        <div>
          <dt>${text.recordName}</dt>
          <dd><code>${record.name}</code></dd>
        </div>
        <div>
          <dt>${text.recordValue}</dt>
          <dd><code>${record.value}</code></dd>
        </div>
      </dl>
      ${form(post, html`${hidden}<button class="${isProven ? 'button' : 'button primary'}" name="do" value="prove">${text.check}</button>`)}
    </section>
    <section>
      ${form(
        post,
        html`${hidden}
        ${choices({
          name: 'mode',
          label: text.mode,
          value: view.mode,
          problem: problems?.get('mode'),
          options: [
            { value: 'ask', label: text.ask, help: text.askHelp },
            { value: 'join', label: text.join, help: text.joinHelp },
          ],
        })}
        ${select({
          name: 'role',
          label: text.role,
          value: view.role,
          problem: problems?.get('role'),
          options: view.roles,
        })}
        ${buttons(
          html`<button class="${isProven ? 'button primary' : 'button'}" name="do" value="set">
            ${text.save}
          </button>`,
          view.back,
          text.back,
        )}`,
      )}
    </section>
    <section>
      ${form(
        post,
        html`${hidden}<button class="button danger" name="do" value="remove">
            ${text.remove}
          </button>`,
      )}
    </section>`;
  return accountPage({ ...view, title: text.title(domain), content }, brand);
}

export interface OwnerView extends Shared {
  search: string;
  /** Where there are so many that a search helps. */
  canSearch: boolean;
  hasMore: boolean;
  candidates: readonly (Option & { help?: string })[];
  to?: string | undefined;
  afterwards?: string | undefined;
  roles: readonly Option[];
  back: string;
}

export function ownerPage(view: OwnerView, brand: Brand): Html {
  const { ownership: text } = words;
  const { account, csrf, candidates, search, problems } = view;
  const content = html`${help(text.pageHelp)}
  ${
    (view.canSearch || search !== '') &&
    finder({
      action: '/account/settings/owner',
      account: account.id,
      label: text.find,
      button: text.search,
      value: search,
    })
  }
  ${
    candidates.length === 0
      ? html`<p class="empty">${search === '' ? text.nobody : text.nothingFound}</p>
          <p class="after"><a href="${view.back}">${words.domain.back}</a></p>`
      : form(
          { action: '/account/settings/owner', csrf, account: account.id },
          html`${choices({
            name: 'to',
            label: text.to,
            value: view.to,
            problem: problems?.get('to'),
            options: candidates,
          })}
          ${view.hasMore && html`<p class="small">${text.more}</p>`}
          ${select({
            name: 'afterwards',
            label: text.afterwards,
            value: view.afterwards,
            problem: problems?.get('afterwards'),
            options: [
              { value: 'owner', label: text.stay },
              ...view.roles.map(({ value, label }) => ({ value, label: text.become(label) })),
            ],
          })}
          ${buttons(html`<button class="button danger primary">${text.button}</button>`, view.back)}`,
        )
  }`;
  return accountPage({ ...view, title: text.page, content }, brand);
}
