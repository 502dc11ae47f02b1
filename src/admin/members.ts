/** `tollgate members …`: who belongs to an account, and as what. */

import { unknown } from '../command_confirm.ts';
import { json, moment, table } from '../command_store.ts';
import type { AccountDocument } from '../storage/documents.ts';
import type { Stored } from '../storage/store.ts';
import { limitOf } from './asked.ts';
import type { PeopleAsked, PeopleValues } from './asked.ts';
import { carriedOut } from './changing.ts';
import type { Plan } from './changing.ts';
import { known, more, rolesIn, times } from './reading.ts';
import type { AdminRooms } from './rooms.ts';

export async function members(rooms: AdminRooms, asked: PeopleAsked): Promise<string> {
  const [id = '', user = ''] = asked.ids;
  const account = await rooms.store.get('account', id);
  if (account === undefined) throw unknown('account', id);
  if (asked.action === 'list') return list(rooms, account, asked.values);
  if ((await rooms.store.get('user', user)) === undefined) throw unknown('user', user);
  return carriedOut(rooms, asked.values, planOf(rooms, account, user, asked));
}

async function list(
  { store }: AdminRooms,
  account: Stored<AccountDocument>,
  values: PeopleValues,
): Promise<string> {
  const limit = Math.min(limitOf(values), 1000);
  const { after } = values;
  const paging = { limit, ...(after === undefined ? {} : { after }) };
  const page = await store.find('user', 'account', account.id, paging);
  const next = page.length < limit ? undefined : page.at(-1)?.id;
  const found = page.flatMap(({ id, document: user }) => {
    const roles = rolesIn(id, user, account);
    if (user.status === 'deleted' || roles.length === 0) return [];
    const { since, usedAt } = user.memberships?.find((one) => one.account === account.id) ?? {};
    return [{ id, user, roles, since, usedAt }];
  });
  if (values.json) {
    const rows = found.map(({ id, user, roles, since, usedAt }) =>
      known({
        user: id,
        name: user.name,
        email: user.email,
        status: user.status,
        roles,
        ...times({ since, last_used_at: usedAt }),
      }),
    );
    return json(known({ members: rows, next }));
  }
  if (found.length === 0 && next === undefined) return 'Nobody.\n';
  const head = ['USER', 'STATUS', 'NAME', 'E-MAIL', 'ROLES', 'SINCE', 'LAST USED'];
  const rows = found.map(({ id, user, roles, since, usedAt }) => [
    id,
    user.status,
    user.name ?? '-',
    user.email ?? '-',
    roles.join(', '),
    moment(since),
    moment(usedAt),
  ]);
  return `${table([head, ...rows])}${more(next)}`;
}

function planOf(
  { directory, config }: AdminRooms,
  { id, document }: Stored<AccountDocument>,
  user: string,
  { action, values }: PeopleAsked,
): Plan {
  const last = config.roles.at(-1)?.id ?? 'member';
  const roles = values.role ?? [last];
  const place = `the account ${id} (${document.name})`;
  switch (action) {
    case 'add':
      return {
        sentence: `Makes the user ${user} a member of ${place}, as ${roles.join(', ')}.`,
        async carryOut() {
          return { account: id, user, changed: await directory.addMember(id, user, roles) };
        },
        done: ({ changed }) =>
          changed === true ? 'Done.' : 'They belong to it already, and keep the roles they have.',
      };
    case 'remove':
      return {
        sentence: `Removes the user ${user} from ${place}, and ends what they have there.`,
        async carryOut() {
          return { account: id, user, changed: await directory.removeMember(id, user) };
        },
        done: ({ changed }) => (changed === true ? 'Done.' : 'They did not belong to it.'),
      };
    default:
      return {
        sentence: `Gives the user ${user} in ${place} these roles and no other: ${roles.join(', ')}.`,
        async carryOut() {
          return { account: id, user, roles: await directory.setRoles(id, user, roles) };
        },
      };
  }
}
