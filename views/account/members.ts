/** Who belongs to an account, who waits to, and what can be done about them. */

import { html, type Html } from '../../src/web/html.ts';
import { dated } from '../dates.ts';
import { help, type Brand } from '../layout.ts';
import { initialsOf } from '../select_account.ts';
import { texts } from '../texts.ts';
import { accountPage } from './frame.ts';
import type { FrameView } from './frame.ts';
import { membersTexts as words } from './members_texts.ts';
import { finder, form, paging } from './parts.ts';

export interface MemberView {
  user: string;
  name: string;
  email?: string | undefined;
  roles: readonly string[];
  isOwner: boolean;
  isYou: boolean;
  isDisabled: boolean;
  /** Absent: nobody knows, or it is not for this reader to see. */
  seen?: number | undefined;
  /** What the reader may do to them: addresses. */
  change?: string | undefined;
  remove?: string | undefined;
  leave?: string | undefined;
}

export interface OpenView {
  id: string;
  way: 'email' | 'link' | 'domain';
  email?: string | undefined;
  /** Of whoever waits. */
  candidate?: { name: string; email?: string | undefined } | undefined;
  roles: readonly string[];
  endsAt: number;
  /** Its e-mail can be sent again. */
  canResend: boolean;
  /** The reader may do something about it. */
  canDecide: boolean;
}

export interface MembersView extends FrameView {
  account: NonNullable<FrameView['account']>;
  csrf: string;
  members: readonly MemberView[];
  search: string;
  /** Addresses of other pages of the list. */
  first?: string | undefined;
  next?: string | undefined;
  seats?: { taken: number; total: number } | undefined;
  /** Where seats are bought. */
  billing?: string | undefined;
  /** Those of the invitations: only for who may see them. */
  waiting: readonly OpenView[];
  open: readonly OpenView[];
  hasMoreOpen: boolean;
  invite?: string | undefined;
}

export function membersPage(view: MembersView, brand: Brand): Html {
  const isAlone = view.waiting.length === 0 && view.open.length === 0;
  const list = html`${finder({
    action: '/account/members',
    account: view.account.id,
    label: words.find,
    button: words.search,
    value: view.search,
  })}
  ${
    view.members.length === 0
      ? html`<p class="empty">${emptiness(view)}</p>`
      : html`<ul class="things">
          ${view.members.map((member) => html`<li>${memberRow(member)}</li>`)}
        </ul>`
  }
  ${paging({
    before: view.first,
    after: view.next,
    words: {
      before: view.search === '' ? words.first : words.showAll,
      after: view.search === '' ? words.more : words.searchOn,
    },
  })}`;
  const content = html`<div class="head">
      <div>${help(words.of(view.account.name))} ${seats(view)}</div>
      ${
        view.invite !== undefined &&
        html`<a class="button primary" href="${view.invite}">${words.invite}</a>`
      }
    </div>
    ${invitations(view)}
    ${
      isAlone
        ? list
        : html`<section>
            <h2>${words.inside}</h2>
            ${list}
          </section>`
    }`;
  return accountPage({ ...view, title: words.title, content }, brand);
}

function emptiness({ search, next }: MembersView): string {
  if (search === '') return words.nobody;
  return next === undefined ? words.nothingFound(search) : words.nothingFoundYet(search);
}

function seats({ seats: counted, billing }: MembersView): Html | undefined {
  if (counted === undefined) return undefined;
  const { taken, total } = counted;
  if (taken < total) return html`<p class="help">${words.seats(taken, total)}</p>`;
  return html`<p class="help">
    ${words.seats(taken, total)} ${words.full}
    ${billing !== undefined && html`<a href="${billing}">${words.moreSeats}</a>`}
  </p>`;
}

function memberRow(member: MemberView): Html {
  const { name, email, roles, isOwner, isYou, isDisabled, seen } = member;
  const facts = [email === name ? undefined : email, roleNames(roles)];
  return html`<span class="initials" aria-hidden="true">${initialsOf(name)}</span>
    <span class="text">
      <span class="title">${name}</span>
      <span class="small"
        >${facts.filter((fact) => fact !== undefined && fact !== '').join(' · ')}</span
      >
      ${seen !== undefined && html`<span class="small">${dated(words.seen, seen)}</span>`}
    </span>
    ${isYou && html`<span class="badge good">${words.you}</span>`}
    ${isOwner && html`<span class="badge">${words.owner}</span>`}
    ${isDisabled && html`<span class="badge late">${words.disabled}</span>`} ${ways(member)}`;
}

function ways({ name, change, remove, leave }: MemberView): Html | undefined {
  const list = [
    { text: words.role, href: change },
    { text: words.remove, href: remove },
    { text: words.leave, href: leave },
  ];
  const known = list.filter(({ href }) => href !== undefined);
  if (known.length === 0) return undefined;
  return html`<span class="actions"
    >${known.map(
      ({ text, href }) =>
        html`<a class="link" href="${href}" aria-label="${`${text}: ${name}`}">${text}</a>`,
    )}</span
  >`;
}

/** The roles as people call them, without `owner`, which has a badge. @param roles names of the configuration */
function roleNames(roles: readonly string[]): string {
  return roles.join(', ');
}

function invitations(view: MembersView): Html | undefined {
  const { waiting, open, hasMoreOpen } = view;
  const list = (title: string, rows: readonly OpenView[]) =>
    rows.length > 0 &&
    html`<section>
      <h2>${title}</h2>
      <ul class="things">
        ${rows.map((row) => html`<li>${openRow(row, view)}</li>`)}
      </ul>
    </section>`;
  return html`${list(words.waiting.title, waiting)} ${list(words.open.title, open)}
  ${hasMoreOpen && html`<p class="small">${words.open.more}</p>`}`;
}

function openRow(row: OpenView, view: MembersView): Html {
  const { candidate, email, roles, endsAt, canResend, canDecide } = row;
  const name = candidate?.name ?? email ?? words.open.link;
  const isWaiting = candidate !== undefined;
  const facts = [candidate?.email, roleNames(roles)].filter((fact) => fact !== undefined);
  return html`<span class="text">
      <span class="title">${name}</span>
      <span class="small">${facts.join(' · ')}</span>
      <span class="small">${isWaiting ? whyWaiting(row) : dated(words.open.ends, endsAt)}</span>
    </span>
    ${canDecide && decisions(row, { view, name, isWaiting, canResend })}`;
}

function decisions(
  { id }: OpenView,
  how: { view: MembersView; name: string; isWaiting: boolean; canResend: boolean },
): Html {
  const { view, name, isWaiting, canResend } = how;
  const { csrf, account } = view;
  const button = (value: string, text: string) =>
    html`<button class="link" name="do" value="${value}" aria-label="${`${text}: ${name}`}">
      ${text}
    </button>`;
  const buttons = isWaiting
    ? [button('confirm', words.waiting.confirm), button('decline', words.waiting.decline)]
    : [canResend && button('resend', words.open.resend), button('withdraw', words.open.withdraw)];
  return form(
    { action: '/account/members/invitation', csrf, account: account.id },
    html`<input type="hidden" name="invitation" value="${id}" />
      <span class="actions">${buttons}</span>`,
    { isInline: true },
  );
}

function whyWaiting({ way, email }: OpenView): string {
  if (way === 'domain') return words.waiting.asked;
  return email === undefined ? words.waiting.link : words.waiting.other(email);
}

/** As people call it: its name in the configuration, otherwise its id in letters. */
export function roleName(
  role: string,
  table: readonly { id: string; name?: string | undefined }[],
): string {
  if (role === 'owner') return words.owner;
  return table.find(({ id }) => id === role)?.name ?? texts.selectAccount.role(role);
}
