/** The apps that have something of somebody, and the end of it. */

import { html, type Html } from '../../src/web/html.ts';
import { dated } from '../dates.ts';
import { help, type Brand } from '../layout.ts';
import { accountPage, type FrameView } from './frame.ts';
import { attribute, form } from './parts.ts';
import { personTexts } from './person_texts.ts';

export interface AppView {
  id: string;
  /** Absent: it is not configured any more. */
  name?: string | undefined;
  isForeign: boolean;
  since: number;
  accounts: readonly string[];
  /** It is allowed, and has nothing now. */
  isIdle: boolean;
}

export interface AppsView {
  frame: FrameView;
  csrf: string;
  apps: readonly AppView[];
}

const { apps: words } = personTexts;
const mostNamed = 5;

export function appsPage({ frame, csrf, apps }: AppsView, brand: Brand): Html {
  const content = html`${help(words.help)}
  ${
    apps.length === 0
      ? help(words.empty)
      : html`<ul class="things">
            ${apps.map((app) => row(app, csrf))}
          </ul>
          <p class="help after">${words.note}</p>`
  }`;
  return accountPage({ ...frame, title: words.title, content }, brand);
}

function row(app: AppView, csrf: string): Html {
  const { id, isForeign, since, accounts, isIdle } = app;
  const name = app.name ?? words.gone;
  const label = isForeign ? words.revokeNamed(name) : words.signOutNamed(name);
  return html`<li>
    <span class="text">
      <span class="title">${name}</span>
      <span class="small">${dated(words.since, since)}</span>
      ${accounts.length > 0 && html`<span class="small">${words.accounts(named(accounts))}</span>`}
      ${isIdle && html`<span class="small">${words.allowed}</span>`}
    </span>
    ${isForeign && html`<span class="badge">${words.foreign}</span>`}
    ${form(
      { action: '/account/apps/end', csrf },
      html`<input type="hidden" name="app" value="${id}" />
        <button class="link" ${attribute('aria-label', label)}>
          ${isForeign ? words.revoke : words.signOut}
        </button>`,
      { isInline: true },
    )}
  </li>`;
}

function named(accounts: readonly string[]): string {
  const rest = accounts.length - mostNamed;
  return [...accounts.slice(0, mostNamed), ...(rest > 0 ? [words.more(rest)] : [])].join(', ');
}
