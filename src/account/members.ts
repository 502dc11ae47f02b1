/** `/account/members`: who belongs to the account and who waits to; what is done to them has pages of its own. */

import { isOwner, mayGive } from '../directory/rights.ts';
import type { Invitation } from '../directory/invitation_types.ts';
import type { MemberRow } from '../directory/member_pages.ts';
import { seatsOf } from '../billing/seat_limits.ts';
import { textOf } from '../links/link_query.ts';
import { membersPage, roleName } from '../../views/account/members.ts';
import type { MemberView, OpenView } from '../../views/account/members.ts';
import { membersTexts } from '../../views/account/members_texts.ts';
import { frameOf } from './frame.ts';
import { memberForms } from './member_forms.ts';
import { displayName, leaveAddress, toMembers } from './member_words.ts';
import type { AccountPages } from './pages.ts';
import { attempt } from './refusals.ts';
import type { AccountRoute, Answer, MemberVisit } from './visit.ts';

const rowsOfPage = 50;
const longestSearch = 100;

export function memberPages(deps: AccountPages): AccountRoute[] {
  return [
    {
      method: 'GET',
      path: '/account/members',
      needs: 'member',
      handle: (visit) => showMembers(deps, visit),
    },
    {
      method: 'POST',
      path: '/account/members/invitation',
      needs: 'members',
      from: '/account/members',
      handle: (visit) => decide(deps, visit),
    },
    ...memberForms(deps),
  ];
}

async function showMembers(
  deps: AccountPages,
  visit: MemberVisit,
  refused?: { sentence: string; status: number },
): Promise<Answer> {
  const { config, directory, clock } = deps;
  const { account, query, rights } = visit;
  const search = (textOf(query, 'search') ?? '').trim().slice(0, longestSearch);
  const after = textOf(query, 'after');
  const isKeeper = rights.has('members');
  const [page, open, waiting] = await Promise.all([
    directory.membersOf(account.id, { after, search, limit: rowsOfPage }),
    isKeeper ? invitationsOf(deps, visit) : nobody,
    // Somebody waits for an answer: they are not to be missed among those who were only asked.
    isKeeper ? invitationsOf(deps, visit, 'waiting') : nobody,
  ]);
  const at = (more: Record<string, string>) =>
    `/account/members?${new URLSearchParams({ account: account.id, ...more })}`;
  const searching: Record<string, string> = search === '' ? {} : { search };
  const seats = deps.billing === undefined ? undefined : seatsOf(account, { config, now: clock() });
  const frame = frameOf(visit, deps, { tab: 'members', done: membersTexts.done });
  const html = membersPage(
    {
      ...frame,
      account: { ...account, rights, isOwner: visit.isOwner },
      csrf: visit.csrf,
      members: page.rows.map((row) => memberView(deps, visit, row)),
      search,
      first: after === undefined && search === '' ? undefined : at({}),
      next: page.next === undefined ? undefined : at({ ...searching, after: page.next }),
      seats,
      billing: rights.has('billing')
        ? `/account/billing?account=${encodeURIComponent(account.id)}`
        : undefined,
      waiting: waiting.views,
      open: open.views.filter(({ candidate }) => candidate === undefined),
      hasMoreOpen: open.hasMore || waiting.hasMore,
      invite: isKeeper
        ? `/account/members/invite?account=${encodeURIComponent(account.id)}`
        : undefined,
      ...(refused === undefined ? {} : { problems: new Map([['', refused.sentence]]) }),
    },
    config.brand,
  );
  return { page: html, status: refused?.status ?? 200 };
}

const nobody = { views: [], hasMore: false };

async function invitationsOf(
  deps: AccountPages,
  visit: MemberVisit,
  state?: 'waiting',
): Promise<{ views: OpenView[]; hasMore: boolean }> {
  const paging = { limit: rowsOfPage, ...(state && { state }) };
  const { rows, next } = await deps.directory.invitations.list(visit.account.id, paging);
  const views = await Promise.all(rows.map((one) => openView(deps, visit, one)));
  return { views, hasMore: next !== undefined };
}

function memberView({ config }: AccountPages, visit: MemberVisit, row: MemberRow): MemberView {
  const { user, email, roles, status, usedAt } = row;
  const isKeeper = visit.rights.has('members');
  const isYou = user === visit.user;
  const may = isKeeper && !isYou && mayGive(visit.roles, roles, config.roles);
  const query = new URLSearchParams({ account: visit.account.id, user });
  return {
    user,
    name: displayName(row),
    email,
    roles: roles.filter((role) => !isOwner([role])).map((role) => roleName(role, config.roles)),
    isOwner: row.isOwner,
    isYou,
    isDisabled: status === 'disabled',
    seen: isKeeper ? usedAt : undefined,
    change: may || (isYou && visit.isOwner) ? `/account/members/role?${query}` : undefined,
    remove: may ? `/account/members/remove?${query}` : undefined,
    leave: isYou ? leaveAddress(visit) : undefined,
  };
}

async function openView(
  { config, directory }: AccountPages,
  { roles: mine }: MemberVisit,
  { id, document }: Invitation,
): Promise<OpenView> {
  const { way, email, roles, expiresAt, state, candidate } = document;
  const person =
    state === 'waiting' && candidate !== undefined
      ? await personOf(directory, candidate)
      : undefined;
  return {
    id,
    way,
    email,
    candidate: person && { name: displayName(person), email: person.email },
    roles: roles.map((role) => roleName(role, config.roles)),
    endsAt: expiresAt,
    canResend: way === 'email',
    canDecide: mayGive(mine, roles, config.roles),
  };
}

async function personOf(
  directory: AccountPages['directory'],
  id: string,
): Promise<{ name?: string; email?: string }> {
  return (await directory.user(id))?.document ?? {};
}

/** About an invitation of this account: of another one it is as if it were not there (T74). */
async function decide(deps: AccountPages, visit: MemberVisit): Promise<Answer> {
  const { invitations } = deps.directory;
  const { account, user, form } = visit;
  const id = textOf(form, 'invitation') ?? '';
  const doings: Record<string, { act: () => Promise<unknown>; done: string }> = {
    confirm: { act: () => invitations.confirm(account.id, id, user), done: 'confirmed' },
    decline: { act: () => invitations.decline(account.id, id, user), done: 'declined' },
    resend: { act: () => invitations.resend(account.id, id, user), done: 'resent' },
    withdraw: { act: () => invitations.withdraw(account.id, id, user), done: 'withdrawn' },
  };
  const wanted = textOf(form, 'do') ?? '';
  const doing = Object.hasOwn(doings, wanted) ? doings[wanted] : undefined;
  if (doing === undefined) return { to: toMembers(visit) };
  return attempt(visit, deps, {
    async act() {
      await doing.act();
      return { to: toMembers(visit), done: doing.done };
    },
    show: (refused) => showMembers(deps, visit, refused),
  });
}
