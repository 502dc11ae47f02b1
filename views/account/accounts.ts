/** All accounts of a person: which is in use, which they are asked into, and how one is left. */

import { html, type Html } from '../../src/web/html.ts';
import { help, type Brand } from '../layout.ts';
import { badge, initialsOf, roleAndPlan } from '../select_account.ts';
import type { AccountRow } from '../select_account.ts';
import { accountsTexts as words } from './accounts_texts.ts';
import { accountPage } from './frame.ts';
import type { FrameView } from './frame.ts';
import { buttons } from './member_forms.ts';
import { finder, form, paging } from './parts.ts';

export interface OfferView {
  /** Of the invitation, or of the account. */
  id: string;
  account: string;
  role?: string | undefined;
  domain?: string | undefined;
  mode: 'invited' | 'waiting' | 'ask' | 'join';
}

export interface AccountsView extends FrameView {
  csrf: string;
  /** Those of this page. */
  accounts: readonly AccountRow[];
  current?: string | undefined;
  /** Of all of them; a search is offered where they are many. */
  count: number;
  searchFrom: number;
  search: string;
  invited: readonly OfferView[];
  offers: readonly OfferView[];
  before?: string | undefined;
  after?: string | undefined;
  now: number;
}

export function accountsPage(view: AccountsView, brand: Brand): Html {
  const { accounts, count, search } = view;
  const isAlone = count === 0 || (view.invited.length === 0 && view.offers.length === 0);
  const list = html`${
    count >= view.searchFrom &&
    finder({
      action: '/account/accounts',
      label: words.find(count),
      button: words.search,
      value: search,
    })
  }
  ${accounts.length === 0 && count > 0 && html`<p class="empty">${words.nothingFound(search)}</p>`}
  ${
    accounts.length > 0 &&
    html`<ul class="things">
      ${accounts.map((account) => html`<li>${accountRow(account, view)}</li>`)}
    </ul>`
  }
  ${search !== '' && html`<p class="after"><a href="/account/accounts">${words.showAll}</a></p>`}
  ${paging({ before: view.before, after: view.after, words: { before: words.less, after: words.more } })}`;
  const content = html`${count === 0 ? help(words.none, words.noneAdvice) : help(words.help)}
  ${offers(words.invited.title, view.invited, view)}
  ${offers(words.offers.title, view.offers, view)}
  ${
    isAlone
      ? list
      : html`<section>
          <h2>${words.yours}</h2>
          ${list}
        </section>`
  }`;
  return accountPage({ ...view, title: words.title, content }, brand);
}

function accountRow(account: AccountRow, { current, now }: AccountsView): Html {
  const { id, name } = account;
  const query = new URLSearchParams({ account: id });
  const link = (path: string, text: string) =>
    html`<a class="link" href="${`/account/${path}?${query}`}" aria-label="${`${text}: ${name}`}"
      >${text}</a
    >`;
  return html`<span class="initials" aria-hidden="true">${initialsOf(name)}</span>
    <span class="text">
      <span class="title">${name}</span>
      <span class="small">${roleAndPlan(account)}</span>
    </span>
    ${badge(account, id === current, now)}
    <span class="actions"
      >${id !== current && link('select', words.use)} ${link('members', words.members)}
      ${link('accounts/leave', words.leave)}</span
    >`;
}

function offers(title: string, rows: readonly OfferView[], view: AccountsView): Html | undefined {
  if (rows.length === 0) return undefined;
  return html`<section>
    <h2>${title}</h2>
    <ul class="things">
      ${rows.map((row) => html`<li>${offerRow(row, view)}</li>`)}
    </ul>
  </section>`;
}

function offerRow({ id, account, role, domain, mode }: OfferView, { csrf }: AccountsView): Html {
  const why = [
    domain === undefined ? undefined : words.offers.because(domain),
    role === undefined ? undefined : words.invited.as(role),
    mode === 'waiting' ? words.invited.waiting : undefined,
  ].filter((reason) => reason !== undefined);
  const button = (value: string, text: string) =>
    html`<button class="link" name="do" value="${value}" aria-label="${`${text}: ${account}`}">
      ${text}
    </button>`;
  const doings = {
    invited: html`${button('accept', words.invited.accept)}
    ${button('refuse', words.invited.refuse)}`,
    waiting: domain === undefined ? button('refuse', words.invited.cancel) : undefined,
    ask: button('join', words.offers.ask),
    join: button('join', words.offers.join),
  };
  const way = doings[mode];
  return html`<span class="text">
      <span class="title">${account}</span>
      <span class="small">${why.join('. ')}</span>
    </span>
    ${
      way !== undefined &&
      form(
        { action: '/account/accounts/offer', csrf },
        html`<input type="hidden" name="offer" value="${id}" />
          <span class="actions">${way}</span>`,
        { isInline: true },
      )
    }`;
}

export interface LeaveView extends FrameView {
  account: NonNullable<FrameView['account']>;
  csrf: string;
  /** They cannot go: addresses of what to do instead. */
  lastOwner?: { handOver: string; close: string } | undefined;
}

export function leavePage(view: LeaveView, brand: Brand): Html {
  const { leaving } = words;
  const { account, csrf, lastOwner } = view;
  if (lastOwner !== undefined) {
    const content = html`${help(leaving.lastOwner.sentence)}
      <div class="stack actions">
        <a class="button primary" href="${lastOwner.handOver}">${leaving.lastOwner.handOver}</a>
        <a class="link" href="${lastOwner.close}">${leaving.lastOwner.close}</a>
      </div>`;
    return accountPage({ ...view, title: leaving.lastOwner.title(account.name), content }, brand);
  }
  const content = html`${help(leaving.sentence(account.name))}
  ${form(
    { action: '/account/accounts/leave', csrf, account: account.id },
    buttons(
      html`<button class="button danger primary">${leaving.button(account.name)}</button>`,
      '/account/accounts',
      leaving.back,
    ),
  )}`;
  return accountPage({ ...view, title: leaving.title(account.name), content }, brand);
}
