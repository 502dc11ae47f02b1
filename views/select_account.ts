/** Choosing the account to act for, and what is said to somebody who has none. */

import type { AccountDocument } from '../src/storage/documents.ts';
import { html, type Html } from '../src/web/html.ts';
import { iconOf } from './icons.ts';
import { accountOffers, hasOffers, type AccountOffers } from './account_offers.ts';
import { help, layout, notice, promptFields, type Brand, type PromptForm } from './layout.ts';
import { texts } from './texts.ts';

export interface AccountRow {
  id: string;
  name: string;
  roles: readonly string[];
  document: AccountDocument;
  /** It has no access, and is locked out. */
  locked?: boolean;
}

export interface SelectAccountView {
  form: PromptForm;
  accounts: readonly AccountRow[];
  /** The account that is chosen now. */
  current?: string | undefined;
  app: string;
  /** The e-mail address or the name of who is signed in. */
  who?: string | undefined;
  /** What the list is narrowed to. */
  filter?: string | undefined;
  /** Whether one of them is used with this app in all browsers. */
  remembered?: boolean | undefined;
  /** Which part of a long list, from 1. */
  page?: number | undefined;
  message?: string | undefined;
  now: number;
}

export interface NoAccountView {
  form: PromptForm;
  /** Names of the accounts that are closed. */
  closed: readonly string[];
  app: string;
  who?: string | undefined;
  /** Where plans are, where one brings an account. */
  plans?: string | undefined;
  /** Sign-ups that were begun, and where they go on. */
  unfinished?: readonly { product: string; href: string }[];
  /** Accounts that they can be in. */
  offers?: AccountOffers;
}

const filterFrom = 8;
/** So many rows on a page. */
const mostRows = 100;
const day = 86_400_000;
const soon = 14;

export function selectAccountPage(view: SelectAccountView, brand: Brand): Html {
  const { selectAccount: words } = texts;
  const filtering = view.accounts.length >= filterFrom;
  const filter = filtering ? (view.filter ?? '').trim() : '';
  const found = view.accounts.filter(({ name }) => matches(name, filter));
  const part = partOf(found.length, view.page);
  const content = html`${help(view.who === undefined ? words.help(view.app) : texts.signedInAs(view.who))}
  ${notice(view.message)} ${filtering && filterForm(view, filter)}
  ${
    found.length === 0
      ? html`<p class="empty">${words.nothingFound(filter)}</p>`
      : html`<form method="post" action="${view.form.action}">
          ${promptFields(view.form)} ${place({ filter, page: part.page })}
          ${view.accounts.length > 1 && remember(view)}
          <ul class="rows">
            ${found.slice(part.from, part.to).map((account) => html`<li>${row(account, view)}</li>`)}
          </ul>
        </form>`
  }
  ${paging(view.form, filter, part, found.length)}
  ${filter !== '' && html`<p class="after"><a href="${view.form.action}">${words.showAll}</a></p>`}
  ${useAnother(view.form)}`;
  return layout({ title: words.title, content }, brand);
}

interface Part {
  page: number;
  pages: number;
  /** Rows, `to` not included. */
  from: number;
  to: number;
}

/** A page that there is not is the last one. */
export function partOf(count: number, wanted = 1): Part {
  const pages = Math.max(1, Math.ceil(count / mostRows));
  const page = Math.min(Math.max(1, wanted), pages);
  const from = (page - 1) * mostRows;
  return { page, pages, from, to: Math.min(count, from + mostRows) };
}

/** Above the rows, because each of them sends the form. */
function remember({ app, remembered }: SelectAccountView): Html {
  return html`<label class="remember" for="remember">
    <input
      id="remember"
      type="checkbox"
      name="remember"
      value="yes"
      ${remembered === true && html`checked`}
    />
    <span>${texts.selectAccount.remember(app)}</span>
  </label>`;
}

/** So that the page that is shown again is the same one. */
function place({ filter, page }: { filter: string; page: number }): Html {
  return html`${filter !== '' && html`<input type="hidden" name="filter" value="${filter}" />`}
  ${page > 1 && html`<input type="hidden" name="page" value="${page}" />`}`;
}

function paging(
  { action }: PromptForm,
  filter: string,
  { page, pages, from, to }: Part,
  count: number,
): Html | undefined {
  if (pages === 1) return undefined;
  const { selectAccount: words } = texts;
  const link = (other: number, label: string, rel: string) => {
    const query = new URLSearchParams({ ...(filter !== '' && { filter }), page: String(other) });
    return html`<a href="${action}?${query.toString()}" rel="${rel}">${label}</a>`;
  };
  return html`<nav class="after" aria-label="${words.pages}">
    ${page > 1 && link(page - 1, words.previous, 'prev')}
    <span>${words.part(`${from + 1}–${to}`, count)}</span>
    ${page < pages && link(page + 1, words.next, 'next')}
  </nav>`;
}

export function noAccountPage(view: NoAccountView, brand: Brand): Html {
  const { noAccount, onlyClosed } = texts;
  const { length } = view.closed;
  const [title, sentence, advice] =
    length === 0
      ? [noAccount.title, noAccount.sentence, adviceOf(view)]
      : [onlyClosed.title(length), onlyClosed.sentence(view.closed), onlyClosed.advice];
  const content = html`${help(sentence, advice)}
    ${view.who !== undefined && html`<p class="help">${texts.signedInAs(view.who)}</p>`}
    ${view.offers !== undefined && accountOffers(view.offers)}
    <form method="post" action="${view.form.action}" class="stack">
      ${promptFields(view.form)} ${waysToPlans(view)}
      <button class="${hasWay(view) ? 'button' : 'button primary'}" name="leave" value="yes">
        ${texts.backTo(view.app)}
      </button>
      <button class="button" name="other" value="yes">${texts.useAnother}</button>
      ${view.who !== undefined && html`<a class="button" href="/account">${noAccount.own}</a>`}
    </form>`;
  return layout({ title, content }, brand);
}

/** Something better to do than to go back. */
function hasWay({ plans, offers }: NoAccountView): boolean {
  return plans !== undefined || (offers !== undefined && hasOffers(offers));
}

function adviceOf({ plans, offers, unfinished = [] }: NoAccountView): string {
  const { noAccount, noPlan } = texts;
  if (offers !== undefined && hasOffers(offers)) return noAccount.offered;
  if (plans === undefined) return noAccount.advice;
  return unfinished.length > 0 ? noPlan.unfinished : noPlan.advice;
}

/** What was begun comes first. */
function waysToPlans({ plans, unfinished = [] }: NoAccountView): Html | undefined {
  if (plans === undefined) return undefined;
  const isFirst = unfinished.length === 0;
  return html`${unfinished.map(
      ({ product, href }) =>
        html`<a class="button primary" href="${href}">${texts.noPlan.goOn(product)}</a>`,
    )}
    <a class="${isFirst ? 'button primary' : 'button'}" href="${plans}"
      >${texts.notRegistered.choose}</a
    >`;
}

function filterForm({ form, accounts }: SelectAccountView, filter: string): Html {
  const { selectAccount: words } = texts;
  return html`<form method="get" action="${form.action}" class="filter" role="search">
    <label for="filter">${words.filter}</label>
    <div class="field">
      <input
        id="filter"
        name="filter"
        type="search"
        value="${filter}"
        autocomplete="off"
        maxlength="100"
        placeholder="${words.found(accounts.length)}"
      />
      <button class="button" aria-label="${words.find}">${iconOf('search')}</button>
    </div>
  </form>`;
}

function row(account: AccountRow, { current, now }: SelectAccountView): Html {
  const isCurrent = account.id === current;
  return html`<button
    class="row"
    name="account"
    value="${account.id}"
    ${isCurrent && html` aria-current="true"`}
  >
    <span class="initials" aria-hidden="true">${initialsOf(account.name)}</span>
    <span class="facts">
      <span class="text">
        <span class="title">${account.name}</span>
        <span class="small">${roleAndPlan(account)}</span>
      </span>
      ${badge(account, isCurrent, now)}
    </span>
  </button>`;
}

/** One badge at most: what needs attention first. */
export function badge(
  { locked, document }: AccountRow,
  isCurrent: boolean,
  now: number,
): Html | undefined {
  const { selectAccount: words } = texts;
  if (locked === true) {
    return html`<span class="badge late">${texts.billing.locked.badge}</span>`;
  }
  const subscriptions = Object.values(document.subscriptions ?? {});
  if (subscriptions.some(({ status }) => status === 'past_due' || status === 'unpaid')) {
    return html`<span class="badge late">${words.late}</span>`;
  }
  const ends = subscriptions.flatMap(({ status, trialEnd }) =>
    status === 'trialing' && trialEnd !== undefined && trialEnd > now ? [trialEnd] : [],
  );
  const days = ends.length === 0 ? undefined : Math.floor((Math.min(...ends) - now) / day);
  if (days !== undefined && days <= soon) {
    return html`<span class="badge">${words.trial(days)}</span>`;
  }
  return isCurrent ? html`<span class="badge good">${words.current}</span>` : undefined;
}

export function roleAndPlan({ roles, document }: AccountRow): string {
  const { selectAccount: words } = texts;
  const [role] = roles;
  const subscription = Object.values(document.subscriptions ?? {}).find(
    ({ status }) => status !== 'canceled' && status !== 'incomplete_expired',
  );
  const { plan, period } = subscription ?? {};
  const parts = [
    role === undefined ? '' : words.role(role),
    [plan && words.plan(plan), period && words.period[period]].filter(Boolean).join(', '),
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

/** The first letters of the first two words, or the first two of the only one. */
export function initialsOf(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const [first = [], second] = words.map((word) => Array.from(word));
  const letters = second === undefined ? first.slice(0, 2) : [first[0], second[0]];
  return letters.join('').toLocaleUpperCase('en') || '?';
}

export function matches(name: string, filter: string): boolean {
  return fold(name).includes(fold(filter));
}

/** Without case and accents: `Málaga` is found by `malaga`. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase('en');
}

function useAnother(form: PromptForm): Html {
  return html`<form method="post" action="${form.action}" class="after">
    ${promptFields(form)}
    <button class="link" name="other" value="yes">${texts.useAnother}</button>
  </form>`;
}
