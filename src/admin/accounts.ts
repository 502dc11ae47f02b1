/** `tollgate accounts …`: whose accounts there are, what they have, which nobody uses, and closing them. */

import { endOf } from '../billing/closing.ts';
import { count, unknown } from '../command_confirm.ts';
import { json, moment, quote, table } from '../command_store.ts';
import { memberIds } from '../directory/member_list.ts';
import { membershipOf, ownerRole } from '../directory/roles.ts';
import type { AccountDocument } from '../storage/documents.ts';
import type { Store, Stored } from '../storage/store.ts';
import { closing } from './account_closing.ts';
import { durationOf, limitOf, needed, statusOf } from './asked.ts';
import type { PeopleAsked, PeopleValues } from './asked.ts';
import { carriedOut } from './changing.ts';
import type { Plan } from './changing.ts';
import { filtered, known, lastUseOfAccount, more, rolesIn, times } from './reading.ts';
import { reasons } from './reasons.ts';
import type { AdminRooms } from './rooms.ts';

type StoredAccount = Stored<AccountDocument>;

export async function accounts(rooms: AdminRooms, asked: PeopleAsked): Promise<string> {
  const { action, values, ids } = asked;
  const [id = '', second = ''] = ids;
  if (action === 'list') return list(rooms, values);
  if (action === 'reasons') return reasons(rooms, values);
  if (action === 'create') return carriedOut(rooms, values, await create(rooms, id, values));
  const account = await rooms.store.get('account', id);
  if (account === undefined) throw unknown('account', id);
  if (action === 'show') return show(rooms, account, values);
  const plan =
    action === 'rename'
      ? rename(rooms, account, second)
      : action === 'owner'
        ? await owner(rooms, account, second)
        : await closing(rooms, action, account, values);
  return carriedOut(rooms, values, plan);
}

async function list({ store, clock }: AdminRooms, values: PeopleValues): Promise<string> {
  const status = statusOf(['active', 'closing', 'closed'], values.status);
  const idle = values.idle === undefined ? undefined : durationOf('idle', values.idle);
  const before = idle === undefined ? Infinity : clock() - idle;
  const fits = (account: AccountDocument) =>
    (status === undefined || statusNow(account) === status) && lastUseOfAccount(account) <= before;
  const paging = { fits, limit: limitOf(values), after: values.after };
  const found = await filtered(store, 'account', paging);
  if (values.json) {
    return json(known({ accounts: found.rows.map(described), next: found.next }));
  }
  if (found.rows.length === 0) return 'None.\n';
  const head = ['ACCOUNT', 'STATUS', 'NAME', 'OWNERS', 'PLANS', 'SEATS', 'LAST USED'];
  const rows = found.rows.map(({ id, document: account }) => [
    id,
    statusNow(account),
    account.name,
    shortList(account.owners),
    plansOf(account).join(', ') || '-',
    seatsOf(account),
    moment(lastUseOfAccount(account)),
  ]);
  return `${table([head, ...rows])}${more(found.next)}`;
}

function statusNow({ status, closing: asked }: AccountDocument): 'active' | 'closing' | 'closed' {
  return status === 'active' && asked !== undefined ? 'closing' : status;
}

function shortList(ids: readonly string[]): string {
  const first = ids.slice(0, 3).join(', ');
  return ids.length > 3 ? `${first} and ${ids.length - 3} more` : first || '-';
}

/** Such as `desk/team (past_due)`; of one that is just active the plan says it all. */
function plansOf({ subscriptions = {} }: AccountDocument): string[] {
  return Object.entries(subscriptions).map(([product, { plan, status }]) =>
    status === 'active' ? `${product}/${plan}` : `${product}/${plan} (${status})`,
  );
}

/** Taken, and paid for where that is a number. */
function seatsOf({ seats, subscriptions = {} }: AccountDocument): string {
  const bought = Object.values(subscriptions).flatMap(({ quantity }) => quantity ?? []);
  if (seats === undefined) return '-';
  return bought.length === 0 ? String(seats.length) : `${seats.length} of ${Math.max(...bought)}`;
}

function described({ id, document: account }: StoredAccount): Record<string, unknown> {
  const { name, owners, customer, seats, subscriptions = {}, closing: asked, closed } = account;
  return known({
    id,
    status: statusNow(account),
    name,
    owners,
    customer,
    plans: Object.entries(subscriptions).map(([product, one]) => ({
      product,
      plan: one.plan,
      status: one.status,
      ...known({ quantity: one.quantity }),
    })),
    seats_taken: seats?.length,
    feedback: closed?.feedback ?? asked?.feedback,
    reason: closed?.reason ?? asked?.reason,
    ...times({
      created_at: account.createdAt,
      last_used_at: lastUseOfAccount(account),
      closing_at: asked?.endsAt,
      closed_at: closed?.at,
    }),
  });
}

const mostShown = 20;

async function show(
  { store }: AdminRooms,
  stored: StoredAccount,
  values: PeopleValues,
): Promise<string> {
  const { id, document: account } = stored;
  const members = await memberIds(store, id, account);
  if (values.json) {
    const domains = account.domains?.map(({ domain, mode, provenAt }) => ({
      domain,
      mode,
      proven: provenAt !== undefined,
    }));
    return json(known({ ...described(stored), members: members.length, domains }));
  }
  const ends = endOf(account);
  const { closing: asked, closed } = account;
  const why = closed ?? asked;
  const facts = [
    ['account', id],
    ['status', statusNow(account)],
    ['name', account.name],
    ['owners', shortList(account.owners)],
    ['members', String(members.length)],
    ['plans', plansOf(account).join(', ') || '-'],
    ...(ends === undefined ? [] : [['paid until', moment(ends)]]),
    ['seats', seatsOf(account)],
    ['customer', account.customer ?? '-'],
    ['created', moment(account.createdAt)],
    ['last used', moment(lastUseOfAccount(account))],
    ...(asked === undefined ? [] : [['will be closed', moment(asked.endsAt)]]),
    ...(closed === undefined ? [] : [['closed', moment(closed.at)]]),
    ...(why?.feedback === undefined ? [] : [['because', why.feedback]]),
    ...(why?.reason === undefined ? [] : [['in words', why.reason]]),
    ...(account.domains ?? []).map(({ domain, mode, provenAt }) => [
      'domain',
      `${domain} (${provenAt === undefined ? 'not proven' : mode})`,
    ]),
  ];
  const rows = await memberRows(store, stored, members.slice(0, mostShown));
  const people = rows.length === 0 ? '' : `\n${table([['MEMBER', 'NAME', 'ROLES'], ...rows])}`;
  const others = members.length > mostShown ? `\nAll of them: tollgate members list ${id}\n` : '';
  return `${table(facts)}${people}${others}`;
}

async function memberRows(
  store: Store,
  account: StoredAccount,
  ids: readonly string[],
): Promise<string[][]> {
  const found = await Promise.all(ids.map((id) => store.get('user', id)));
  return found.flatMap((user) =>
    user === undefined
      ? []
      : [[user.id, user.document.name ?? '-', rolesIn(user.id, user.document, account).join(', ')]],
  );
}

/** For a customer who did not come by themselves: whoever owns it invites them, and steps down. */
async function create(
  { store, directory }: AdminRooms,
  name: string,
  values: PeopleValues,
): Promise<Plan> {
  needed(values, 'owner');
  const { owner: id = '' } = values;
  const user = (await store.get('user', id))?.document;
  if (user === undefined) throw unknown('user', id);
  return {
    sentence: `Makes an account ${quote(name)}, of which ${id} (${user.name ?? '-'}) is the owner.`,
    async carryOut() {
      const account = await directory.createAccount({ name, owner: id });
      return { id: account.id, name: account.name, owner: id };
    },
    done: ({ id: made }) => `Done: ${String(made)}`,
  };
}

function rename({ directory }: AdminRooms, { id, document }: StoredAccount, name: string): Plan {
  return {
    sentence: `Renames the account ${id} from ${quote(document.name)} to ${quote(name)}.`,
    async carryOut() {
      const account = await directory.renameAccount(id, name);
      return { id, name: account.name };
    },
  };
}

/** Also the way back for an account whose only owner has vanished. */
async function owner(
  { store, directory }: AdminRooms,
  { id, document: account }: StoredAccount,
  user: string,
): Promise<Plan> {
  const present = (await store.get('user', user))?.document;
  if (present === undefined) throw unknown('user', user);
  const found = await Promise.all(account.owners.map((one) => store.get('user', one)));
  const there = new Set(
    found.flatMap((one) =>
      one === undefined || one.document.status === 'deleted' ? [] : [one.id],
    ),
  );
  const gone = account.owners.filter((one) => !there.has(one));
  const also =
    gone.length === 0
      ? ''
      : ` ${count(gone.length, 'owner')} who ${gone.length === 1 ? 'is' : 'are'} gone cease to be one.`;
  return {
    sentence: `Makes the user ${user} an owner of the account ${id} (${account.name}).${also}`,
    async carryOut() {
      const membership = membershipOf(present, id);
      const came = await directory.addMember(id, user, [ownerRole]);
      // Somebody who belongs to it already keeps their other roles.
      if (!came) await directory.setRoles(id, user, [ownerRole, ...(membership?.roles ?? [])]);
      for (const one of gone) await directory.removeMember(id, one);
      return { account: id, owner: user };
    },
  };
}
