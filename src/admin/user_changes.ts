/** `tollgate users delete|keep|link|unlink`: a deletion with all that goes with it, and ways to sign in. */

import { count } from '../command_confirm.ts';
import { moment, quote, UsageError } from '../command_store.ts';
import { resolveProvider } from '../federation/presets.ts';
import type { UserDocument } from '../storage/documents.ts';
import type { Stored } from '../storage/store.ts';
import { needed } from './asked.ts';
import type { PeopleValues } from './asked.ts';
import type { Plan } from './changing.ts';
import type { AdminRooms } from './rooms.ts';

type StoredUser = Stored<UserDocument>;

export const named = ({ id, document: { name } }: StoredUser) =>
  `the user ${id}${name === undefined ? '' : ` (${name})`}`;

export function link(rooms: AdminRooms, user: StoredUser, values: PeopleValues): Plan {
  needed(values, 'provider', 'subject');
  const { provider = '', subject = '' } = values;
  const issuer = values.issuer ?? issuerOf(rooms, provider);
  return {
    sentence: `Lets ${named(user)} sign in as ${quote(subject)} of ${issuer} as well. Be sure that it is the same person.`,
    async carryOut() {
      const identity = { provider, issuer, subject };
      return { id: user.id, changed: await rooms.directory.linkIdentity(user.id, identity) };
    },
    done: ({ changed }) => (changed === true ? 'Done.' : 'It was theirs already.'),
  };
}

function issuerOf({ config }: AdminRooms, id: string): string {
  const provider = config.providers.find((one) => one.id === id);
  if (provider === undefined) {
    throw new UsageError(`--provider: the configuration has no provider ${quote(id)}.`);
  }
  const { issuer } = resolveProvider(provider);
  if (!issuer.includes('{')) return issuer;
  throw new UsageError(`--issuer is needed: ${quote(id)} has many.`);
}

export function unlink({ directory }: AdminRooms, user: StoredUser, values: PeopleValues): Plan {
  needed(values, 'issuer', 'subject');
  const { issuer = '', subject = '' } = values;
  const { id } = user;
  return {
    sentence: `No longer lets ${named(user)} sign in as ${quote(subject)} of ${issuer}.`,
    async carryOut() {
      return { id, changed: await directory.unlinkIdentity(id, issuer, subject) };
    },
    done: ({ changed }) => (changed === true ? 'Done.' : 'It was not theirs.'),
  };
}

export async function deletion(
  { directory, config, clock }: AdminRooms,
  user: StoredUser,
  values: PeopleValues,
): Promise<Plan> {
  const { id } = user;
  const { closing, handOver } = await directory.deletionPlan(id);
  const days = values.now ? 0 : config.people.deletionDays;
  const when =
    days === 0
      ? 'at once. It cannot be taken back'
      : `at ${moment(clock() + days * 24 * 60 * 60 * 1000)}. Until then they can take it back`;
  const lines = [
    `Deletes ${named(user)} ${when}.`,
    ...closing.map(
      ({ id: account, name }) =>
        `Closes the account ${account} (${name}), which nobody else belongs to.`,
    ),
    ...handOver.map(
      ({ id: account, name }) =>
        `The account ${account} (${name}) needs another owner before: tollgate accounts owner ${account} USER`,
    ),
  ];
  return {
    sentence: lines.join('\n'),
    async carryOut() {
      if (days === 0) await directory.deleteUser(id);
      const at = days === 0 ? clock() : await directory.askDeletion(id, days);
      return { id, deleted: days === 0, at: moment(at), closes: closing.map((one) => one.id) };
    },
    done: () =>
      closing.length === 0 || days > 0
        ? 'Done.'
        : `Done. What ${count(closing.length, 'account')} paid for, if anything, is ended by a running process.`,
  };
}

export function keep({ directory }: AdminRooms, user: StoredUser): Plan {
  const { id } = user;
  return {
    sentence: `Takes back the deletion of ${named(user)}.`,
    async carryOut() {
      return { id, changed: await directory.withdrawDeletion(id) };
    },
    done: ({ changed }) => (changed === true ? 'Done.' : 'There was none.'),
  };
}
