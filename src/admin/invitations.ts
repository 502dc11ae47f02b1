/** `tollgate invitations …`: who is asked into an account, who waits to be let in, and the links. */

import { unknown } from '../command_confirm.ts';
import { json, moment, table } from '../command_store.ts';
import type { Invitation } from '../directory/invitation_types.ts';
import type { AccountDocument } from '../storage/documents.ts';
import type { Stored } from '../storage/store.ts';
import { limitOf } from './asked.ts';
import type { PeopleAsked, PeopleValues } from './asked.ts';
import { carriedOut } from './changing.ts';
import type { Plan } from './changing.ts';
import { known, more, times } from './reading.ts';
import type { AdminRooms } from './rooms.ts';

export async function invitations(rooms: AdminRooms, asked: PeopleAsked): Promise<string> {
  const [id = '', invitation = ''] = asked.ids;
  const account = await rooms.store.get('account', id);
  if (account === undefined) throw unknown('account', id);
  if (asked.action === 'list') return list(rooms, id, asked.values);
  const plan =
    asked.action === 'create'
      ? create(rooms, account, asked.values)
      : answer(rooms, asked.action, account, invitation);
  return carriedOut(rooms, asked.values, plan);
}

async function list(
  { directory }: AdminRooms,
  account: string,
  values: PeopleValues,
): Promise<string> {
  const paging = { limit: Math.min(limitOf(values), 1000), after: values.after };
  const { rows: found, next } = await directory.invitations.list(account, paging);
  if (values.json) return json(known({ invitations: found.map(described), next }));
  if (found.length === 0) return 'None.\n';
  const head = ['INVITATION', 'STATE', 'WHO', 'ROLES', 'BY', 'UNTIL'];
  const rows = found.map(({ id, document }) => [
    id,
    document.state,
    whoOf(document),
    document.roles.join(', '),
    document.by ?? '-',
    moment(document.expiresAt),
  ]);
  return `${table([head, ...rows])}${more(next)}`;
}

function whoOf({ email, candidate, way }: Invitation['document']): string {
  const sent = email ?? (way === 'link' ? 'whoever has the link' : undefined);
  if (candidate === undefined) return sent ?? '-';
  return sent === undefined ? candidate : `${candidate} (sent to ${sent})`;
}

function described({ id, document }: Invitation): Record<string, unknown> {
  const { account, way, state, email, candidate, roles, by } = document;
  const at = times({ created_at: document.createdAt, expires_at: document.expiresAt });
  return known({ id, account, way, state, email, candidate, roles, by, ...at });
}

function create(
  { config, directory }: AdminRooms,
  { id, document }: Stored<AccountDocument>,
  values: PeopleValues,
): Plan {
  const { email, role: given, locale } = values;
  const roles = given ?? [config.roles.at(-1)?.id ?? 'member'];
  const mailed =
    config.mail === undefined ? ' No mail server is set: hand the link over yourself.' : '';
  const whom = email === undefined ? 'whoever is given its link' : `${email}.${mailed}`;
  const sentence = `Invites into the account ${id} (${document.name}), as ${roles.join(', ')}: ${whom}`;
  return {
    sentence: sentence.endsWith('.') ? sentence : `${sentence}.`,
    async carryOut() {
      const wish = { account: id, roles, ...known({ email, locale }) };
      const { invitation, isNew } = await directory.invitations.invite(wish);
      const link = `${config.issuer}/invitation/${directory.invitations.token(invitation.id)}`;
      return { ...described(invitation), new: isNew, link };
    },
    done: ({ link, expires_at: until, new: isNew }) =>
      `${isNew === true ? 'Done.' : 'They were invited already, and are reminded.'} Until ${String(until)}:\n\n  ${String(link)}`,
  };
}

function answer(
  { directory: { invitations: room } }: AdminRooms,
  action: string,
  { id: account, document }: Stored<AccountDocument>,
  id: string,
): Plan {
  const where = `the invitation ${id} into the account ${account} (${document.name})`;
  switch (action) {
    case 'resend':
      return {
        sentence: `Sends ${where} again, with a new end.`,
        carryOut: async () => described(await room.resend(account, id)),
      };
    case 'withdraw':
      return {
        sentence: `Withdraws ${where}: its link is of no use any more.`,
        carryOut: async () => ({ id, changed: await room.withdraw(account, id) }),
        done: ({ changed }) => (changed === true ? 'Done.' : 'It was of no use already.'),
      };
    case 'confirm':
      return {
        sentence: `Lets in who waits for ${where}.`,
        async carryOut() {
          await room.confirm(account, id);
          return { id, state: 'accepted' };
        },
      };
    default:
      return {
        sentence: `Does not let in who waits for ${where}.`,
        async carryOut() {
          await room.decline(account, id);
          return { id, state: 'declined' };
        },
      };
  }
}
