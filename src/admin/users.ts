/** `tollgate users …`: who there is, how they sign in, where they belong, and letting them in or not. */

import { count, living, unknown } from '../command_confirm.ts';
import { json, moment, table, UsageError } from '../command_store.ts';
import { identityKey } from '../storage/kinds.ts';
import type { UserDocument } from '../storage/documents.ts';
import type { Stored } from '../storage/store.ts';
import { durationOf, limitOf, statusOf } from './asked.ts';
import type { PeopleAsked, PeopleValues } from './asked.ts';
import { carriedOut } from './changing.ts';
import type { Plan } from './changing.ts';
import { filtered, known, lastUseOfUser, more, rolesIn, times } from './reading.ts';
import type { Listed } from './reading.ts';
import type { AdminRooms } from './rooms.ts';
import { deletion, keep, link, named, unlink } from './user_changes.ts';

type StoredUser = Stored<UserDocument>;

export async function users(rooms: AdminRooms, asked: PeopleAsked): Promise<string> {
  const { action, values } = asked;
  const [id = ''] = asked.ids;
  if (action === 'list') return list(rooms, values);
  const user = await rooms.store.get('user', id);
  if (user === undefined) throw unknown('user', id);
  if (action === 'show') return show(rooms, user, values);
  return carriedOut(rooms, values, await planOf(rooms, action, user, values));
}

async function list(rooms: AdminRooms, values: PeopleValues): Promise<string> {
  const found = await foundUsers(rooms, values);
  if (values.json) {
    return json(known({ users: found.rows.map(described), next: found.next }));
  }
  if (found.rows.length === 0) return 'Nobody.\n';
  const head = ['USER', 'STATUS', 'NAME', 'E-MAIL', 'SIGNS IN BY', 'ACCOUNTS', 'LAST USED'];
  const rows = found.rows.map(({ id, document: user }) => [
    id,
    user.deletion === undefined ? user.status : `deleted ${moment(user.deletion.dueAt)}`,
    user.name ?? '-',
    user.email === undefined ? '-' : `${user.email}${user.emailVerified === true ? '' : ' ?'}`,
    user.identities.map(({ provider }) => provider).join(', ') || '-',
    String(user.memberships?.length ?? 0),
    moment(lastUseOfUser(user)),
  ]);
  return `${table([head, ...rows])}${more(found.next)}`;
}

/** By an identity there is one at the most; by an e-mail address all that have it are looked for. */
async function foundUsers(
  { store, clock }: AdminRooms,
  values: PeopleValues,
): Promise<Listed<UserDocument>> {
  const { issuer, subject, after } = values;
  if (issuer !== undefined || subject !== undefined) {
    if (issuer === undefined || subject === undefined) {
      throw new UsageError('An identity is --issuer and --subject.');
    }
    return { rows: await store.find('user', 'identity', identityKey(issuer, subject)) };
  }
  const status = statusOf(['active', 'disabled', 'deleted'], values.status);
  const email = values.email?.toLowerCase();
  const idle = values.idle === undefined ? undefined : durationOf('idle', values.idle);
  const before = idle === undefined ? Infinity : clock() - idle;
  const fits = (user: UserDocument) =>
    (status === undefined ? user.status !== 'deleted' : user.status === status) &&
    (email === undefined || user.email?.toLowerCase() === email) &&
    lastUseOfUser(user) <= before;
  return filtered(store, 'user', { fits, limit: limitOf(values), after });
}

function described({ id, document: user }: StoredUser): Record<string, unknown> {
  return known({
    id,
    status: user.status,
    name: user.name,
    email: user.email,
    email_verified: user.email === undefined ? undefined : user.emailVerified === true,
    identities: user.identities.map(({ provider, issuer, subject }) => ({
      provider,
      issuer,
      subject,
    })),
    accounts: user.memberships?.length ?? 0,
    ...times({
      created_at: user.createdAt,
      signed_in_at: user.signedInAt,
      last_used_at: lastUseOfUser(user),
      deletion_at: user.deletion?.dueAt,
    }),
  });
}

async function show(
  { store }: AdminRooms,
  stored: StoredUser,
  values: PeopleValues,
): Promise<string> {
  const { id, document: user } = stored;
  const sessions = await living(store, 'session', 'user', id);
  const memberships: { account: string; name: string; status: string; roles: string[] }[] = [];
  for (const { account } of user.memberships ?? []) {
    const found = await store.get('account', account);
    if (found === undefined) continue;
    const { name, status } = found.document;
    memberships.push({ account, name, status, roles: rolesIn(id, user, found) });
  }
  if (values.json) {
    const { picture, locale } = user;
    return json(known({ ...described(stored), picture, locale, sessions, memberships }));
  }
  const facts = [
    ['user', id],
    ['status', user.status],
    ['name', user.name ?? '-'],
    ['e-mail', user.email === undefined ? '-' : `${user.email} (${verified(user)})`],
    ['locale', user.locale ?? '-'],
    ['created', moment(user.createdAt)],
    ['last sign-in', moment(user.signedInAt)],
    ['last used', moment(lastUseOfUser(user))],
    ['signed in', count(sessions, 'session')],
    ...(user.deletion === undefined ? [] : [['will be deleted', moment(user.deletion.dueAt)]]),
  ];
  const identities = user.identities.map((one) => [
    one.provider,
    one.issuer,
    one.subject,
    moment(one.linkedAt),
  ]);
  const places = memberships.map((one) => [
    one.account,
    one.name,
    one.status,
    one.roles.join(', '),
  ]);
  return [
    table(facts),
    table([['SIGNS IN BY', 'ISSUER', 'SUBJECT', 'SINCE'], ...identities]),
    places.length === 0
      ? 'In no account.\n'
      : table([['ACCOUNT', 'NAME', 'STATUS', 'ROLES'], ...places]),
  ].join('\n');
}

const verified = ({ emailVerified }: UserDocument) =>
  emailVerified === true ? 'verified' : 'not verified';

async function planOf(
  rooms: AdminRooms,
  action: string,
  user: StoredUser,
  values: PeopleValues,
): Promise<Plan> {
  const { id } = user;
  switch (action) {
    case 'disable': {
      const sessions = await living(rooms.store, 'session', 'user', id);
      const sentence = `Locks out ${named(user)}, and ends ${count(sessions, 'session')}. Their memberships stay.`;
      return { sentence, carryOut: () => setStatus(rooms, id, 'disabled') };
    }
    case 'enable':
      return {
        sentence: `Lets ${named(user)} sign in again.`,
        carryOut: () => setStatus(rooms, id, 'active'),
      };
    case 'link':
      return link(rooms, user, values);
    case 'unlink':
      return unlink(rooms, user, values);
    case 'keep':
      return keep(rooms, user);
    default:
      return deletion(rooms, user, values);
  }
}

async function setStatus({ directory }: AdminRooms, id: string, status: 'active' | 'disabled') {
  const { document } = await directory.setUserStatus(id, status);
  return { id, status: document.status };
}
