/** The pages on which one member is invited, given another role, or removed. */

import { mayGive } from '../directory/rights.ts';
import { ownerRole } from '../directory/roles.ts';
import type { MemberRow } from '../directory/member_pages.ts';
import { textOf } from '../links/link_query.ts';
import {
  changeRolePage,
  invitePage,
  linkPage,
  removePage,
} from '../../views/account/member_forms.ts';
import type { RoleView } from '../../views/account/member_forms.ts';
import { roleName } from '../../views/account/members.ts';
import { membersTexts } from '../../views/account/members_texts.ts';
import { messagePage } from '../../views/message.ts';
import { frameOf } from './frame.ts';
import { displayName, leaveAddress, toMembers } from './member_words.ts';
import type { AccountPages } from './pages.ts';
import { attempt } from './refusals.ts';
import type { AccountRoute, Answer, MemberRoute, MemberVisit } from './visit.ts';

interface Refused {
  problems: ReadonlyMap<string, string>;
  status: number;
}

export function memberForms(deps: AccountPages): AccountRoute[] {
  const page = (
    name: string,
    show: (visit: MemberVisit) => Promise<Answer>,
    act: (visit: MemberVisit) => Promise<Answer>,
    needs: MemberRoute['needs'] = 'members',
  ): AccountRoute[] => {
    const path = `/account/members/${name}`;
    return [
      { method: 'GET', path, needs, handle: show },
      { method: 'POST', path, needs, from: '/account/members', handle: act },
    ];
  };
  return [
    ...page(
      'invite',
      (visit) => Promise.resolve(showInvite(deps, visit)),
      (visit) => invite(deps, visit),
    ),
    ...page(
      'role',
      (visit) => withMember(deps, visit, (row) => showRole(deps, visit, row)),
      (visit) => withMember(deps, visit, (row) => changeRole(deps, visit, row)),
    ),
    ...page(
      'remove',
      (visit) => withMember(deps, visit, (row) => showRemove(deps, visit, row)),
      (visit) => withMember(deps, visit, (row) => remove(deps, visit, row)),
    ),
  ];
}

/** Somebody of this account, and nobody else (T74). */
async function withMember(
  deps: AccountPages,
  visit: MemberVisit,
  then: (row: MemberRow) => Answer | Promise<Answer>,
): Promise<Answer> {
  const user = textOf(visit.form, 'user') ?? textOf(visit.query, 'user') ?? '';
  const row = await deps.directory.memberOf(visit.account.id, user);
  return row === undefined ? { to: toMembers(visit), done: 'gone' } : then(row);
}

/** Roles that they may give, as the configuration names them. Owners are made on another page, after a fresh sign-in. */
export function givableRoles({ config }: AccountPages, visit: MemberVisit): RoleView[] {
  return config.roles
    .filter(({ id }) => id !== ownerRole && mayGive(visit.roles, [id], config.roles))
    .map(({ id, may }) => ({ id, name: roleName(id, config.roles), may }));
}

const sharedOf = (deps: AccountPages, visit: MemberVisit, refused?: Refused) => ({
  ...frameOf(visit, deps, { tab: 'members' }),
  account: { ...visit.account, rights: visit.rights, isOwner: visit.isOwner },
  csrf: visit.csrf,
  back: toMembers(visit),
  ...(refused === undefined ? {} : { problems: refused.problems }),
});

function showInvite(deps: AccountPages, visit: MemberVisit, refused?: Refused): Answer {
  const { config } = deps;
  const roles = givableRoles(deps, visit);
  const role = textOf(visit.form, 'role') ?? config.roles.at(-1)?.id;
  const email = textOf(visit.form, 'email');
  const shared = sharedOf(deps, visit, refused);
  const page = invitePage({ ...shared, email, roles, role }, config.brand);
  return { page, status: refused?.status ?? 200 };
}

async function invite(deps: AccountPages, visit: MemberVisit): Promise<Answer> {
  const { config, directory } = deps;
  const { account, user: by, form } = visit;
  const refuse = (field: string, sentence: string, status = 400) =>
    showInvite(deps, visit, { problems: new Map([[field, sentence]]), status });
  const role = textOf(form, 'role');
  const isOffered = givableRoles(deps, visit).some(({ id }) => id === role);
  if (role === undefined || !isOffered) return refuse('role', membersTexts.inviting.roleProblem);
  const typed = textOf(form, 'email')?.trim();
  const email = typed === '' ? undefined : typed;
  return attempt(visit, deps, {
    async act() {
      const { locale } = visit.person;
      const wish = {
        account: account.id,
        by,
        roles: [role],
        ...(email === undefined ? {} : { email }),
        ...(locale === undefined ? {} : { locale }),
      };
      const { invitation, isNew } = await directory.invitations.invite(wish);
      if (email !== undefined && config.mail !== undefined) {
        return { to: toMembers(visit), done: isNew ? 'invited' : 'reminded' };
      }
      const token = directory.invitations.token(invitation.id);
      const link = `${config.issuer}/invitation/${token}`;
      const { expiresAt: endsAt } = invitation.document;
      const view = { link, role: roleName(role, config.roles), endsAt, email };
      return { page: linkPage({ ...sharedOf(deps, visit), ...view }, config.brand) };
    },
    show({ code, sentence, status }) {
      if (code === 'email_invalid') return refuse('email', sentence);
      if (code === 'role_invalid') return refuse('role', sentence);
      const { tooMany } = membersTexts.inviting;
      return refuse('', code === 'too_many_invitations' ? tooMany : sentence, status);
    },
  });
}

/** Whether the reader may change them at all: otherwise there is nothing to show. */
function mayChange({ config }: AccountPages, visit: MemberVisit, row: MemberRow): boolean {
  if (row.user === visit.user) return visit.isOwner;
  return mayGive(visit.roles, row.roles, config.roles);
}

function notForYou({ config }: AccountPages): Answer {
  const { title, sentence } = membersTexts.notYours;
  return { page: messagePage(title, sentence, config.brand), status: 403 };
}

function showRole(
  deps: AccountPages,
  visit: MemberVisit,
  row: MemberRow,
  refused?: Refused,
): Answer {
  const { config } = deps;
  if (!mayChange(deps, visit, row)) return notForYou(deps);
  const rest = row.roles.filter((role) => role !== ownerRole);
  const role = textOf(visit.form, 'role') ?? (row.isOwner ? undefined : rest[0]);
  const view = {
    ...sharedOf(deps, visit, refused),
    user: row.user,
    name: displayName(row),
    roles: givableRoles(deps, visit),
    role,
    several: rest.length > 1 ? rest.map((one) => roleName(one, config.roles)) : undefined,
    stepsDown: row.user === visit.user,
  };
  return { page: changeRolePage(view, config.brand), status: refused?.status ?? 200 };
}

async function changeRole(deps: AccountPages, visit: MemberVisit, row: MemberRow): Promise<Answer> {
  const { account, user: by, form } = visit;
  const refuse = (field: string, sentence: string, status = 400) =>
    showRole(deps, visit, row, { problems: new Map([[field, sentence]]), status });
  const role = textOf(form, 'role');
  const isOffered = givableRoles(deps, visit).some(({ id }) => id === role);
  if (role === undefined || !isOffered) return refuse('role', membersTexts.changing.problem);
  return attempt(visit, deps, {
    async act() {
      await deps.directory.setRoles(account.id, row.user, [role], by);
      return { to: toMembers(visit), done: 'changed' };
    },
    show: ({ sentence, status }) => refuse('', sentence, status),
  });
}

function showRemove(
  deps: AccountPages,
  visit: MemberVisit,
  row: MemberRow,
  refused?: Refused,
): Answer {
  if (row.user === visit.user) return { to: leaveAddress(visit) };
  if (!mayChange(deps, visit, row)) return notForYou(deps);
  const view = { ...sharedOf(deps, visit, refused), user: row.user, name: displayName(row) };
  return { page: removePage(view, deps.config.brand), status: refused?.status ?? 200 };
}

async function remove(deps: AccountPages, visit: MemberVisit, row: MemberRow): Promise<Answer> {
  const { account, user: by } = visit;
  // Leaving says other things before.
  if (row.user === by) return { to: leaveAddress(visit) };
  return attempt(visit, deps, {
    async act() {
      const went = await deps.directory.removeMember(account.id, row.user, by);
      return { to: toMembers(visit), done: went ? 'removed' : 'gone' };
    },
    show: ({ sentence, status }) =>
      showRemove(deps, visit, row, { problems: new Map([['', sentence]]), status }),
  });
}
