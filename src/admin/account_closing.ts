/** `tollgate accounts close|keep|reopen`: what a closing comes to is said before. */

import { endOf } from '../billing/closing.ts';
import { count } from '../command_confirm.ts';
import { moment, UsageError } from '../command_store.ts';
import { memberIds } from '../directory/member_list.ts';
import type { AccountDocument } from '../storage/documents.ts';
import type { Stored } from '../storage/store.ts';
import type { PeopleValues } from './asked.ts';
import type { Plan } from './changing.ts';
import type { AdminRooms } from './rooms.ts';

/** What it pays for is Stripe's matter, and the running processes'. */
const restFollows = 'Done. Its subscriptions follow: a running process settles them at Stripe.';

export async function closing(
  rooms: AdminRooms,
  action: string,
  account: Stored<AccountDocument>,
  values: PeopleValues,
): Promise<Plan> {
  const { id, document } = account;
  const { directory } = rooms;
  const pays = endOf(document) !== undefined;
  const done = () => (pays ? restFollows : 'Done.');
  const named = `the account ${id} (${document.name})`;
  switch (action) {
    case 'keep':
      return {
        sentence: `Takes back the closing of ${named}.`,
        async carryOut() {
          return { id, changed: await directory.closing.withdraw(id) };
        },
        done: ({ changed }) => (changed === true ? done() : 'There was none.'),
      };
    case 'reopen': {
      const { owner } = values;
      const whose = owner === undefined ? '' : ` with the user ${owner} as an owner`;
      return {
        sentence: `Opens ${named} again${whose}. What it paid for has ended, and does not come back.`,
        async carryOut() {
          const { status, owners } = await directory.closing.reopen(id, owner);
          return { id, status, owners };
        },
      };
    }
    default:
      return close(rooms, account, values);
  }
}

async function close(
  { directory, store, clock }: AdminRooms,
  { id, document }: Stored<AccountDocument>,
  values: PeopleValues,
): Promise<Plan> {
  const { now, 'at-period-end': atEnd, feedback, reason } = values;
  if (now && atEnd) throw new UsageError('--now or --at-period-end: one of them.');
  const paidUntil = endOf(document);
  if (atEnd && paidUntil === undefined) {
    throw new UsageError('It pays for nothing: there is no period whose end could be waited for.');
  }
  // What is paid for is not taken away unless that was said.
  const endsAt = now ? undefined : paidUntil;
  const members = await memberIds(store, id, document);
  const when =
    endsAt === undefined || endsAt <= clock()
      ? 'at once'
      : `at ${moment(endsAt)}, until which it is paid`;
  const what =
    paidUntil === undefined ? '' : ' What it pays for is cancelled, and never charged again.';
  return {
    sentence: `Closes the account ${id} (${document.name}) ${when}. ${count(members.length, 'member')} can no longer use it then.${what}`,
    async carryOut() {
      const closed = await directory.closing.ask({ account: id, endsAt, feedback, reason });
      const at = closed.closed?.at ?? closed.closing?.endsAt;
      return { id, status: closed.status, at: moment(at) };
    },
    done: () => (paidUntil === undefined ? 'Done.' : restFollows),
  };
}
