/**
 * Whatever operators do to the members of an account at the same moment: it keeps an owner, owners
 * can act for it, and the last event about somebody says whether they belong to it.
 */

import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import type { Directory } from '../../src/directory/directory.ts';
import { announcing } from '../../src/events/outbox.ts';
import type { PendingEvent, Store } from '../../src/storage/store.ts';
import { openEmpty, presentStore, rounds } from '../kit/places.ts';
import { directoryOver, handleAll } from './world.ts';

const account = 'acc_office';
const people = ['ada', 'ben', 'cyd'] as const;
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

interface Step {
  action: 'add' | 'remove' | 'set';
  user: string;
  roles: string[];
}

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.constantFrom('add', 'remove', 'set'),
  // Mostly the same person, so that the steps meet.
  user: fc.constantFrom('ada', 'ben', 'ben', 'cyd'),
  roles: fc.constantFrom(['member'], ['owner'], ['admin'], ['owner', 'admin']),
});

const story = fc.record({
  /** What happens together, one group after the other. */
  groups: fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
  /** How many turns of the event loop each write is late. */
  delays: fc.infiniteStream(fc.nat({ max: 4 })),
});

async function act(directory: Directory, { action, user, roles }: Step): Promise<void> {
  try {
    if (action === 'add') await directory.addMember(account, user, roles);
    if (action === 'remove') await directory.removeMember(account, user);
    if (action === 'set') await directory.setRoles(account, user, roles);
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error;
  }
}

function late(store: Store, delays: Iterator<number>): Store {
  return {
    ...announcing(store, () => undefined),
    async write(kind, id, document, options) {
      const turns = Number(delays.next().value);
      for (let count = 0; count < turns; count += 1) await turn();
      return store.write(kind, id, document, options);
    },
  };
}

async function expectOrder(directory: Directory, events: PendingEvent[]): Promise<void> {
  const owners = (await directory.account(account))?.owners ?? [];
  expect(owners).not.toEqual([]);
  for (const user of people) {
    const roles = (await directory.membership(user, account))?.roles;
    expect(roles?.includes('owner') ?? false).toBe(owners.includes(user));
    const kept = (await directory.user(user))?.document.memberships ?? [];
    expect(kept).toHaveLength(roles === undefined ? 0 : 1);
    // Events of a user and of an account are in one order only where the store is one file.
    if (presentStore() !== 'sqlite') continue;
    const last = events.findLast(({ type, data }) => {
      return type.startsWith('member.') && data.user === user;
    });
    if (last !== undefined) expect(last.type === 'member.removed').toBe(roles === undefined);
  }
}

test('T48 members come, change and go at the same moment, in any order', async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ groups, delays }) => {
      let now = Date.UTC(2026, 0, 1);
      const clock = () => (now += 1);
      const store = await openEmpty(clock);
      try {
        const slow = late(store, delays);
        const directory = directoryOver({ clock, log: quiet }, slow);
        for (const id of people) await directory.createUser({ id, name: id });
        await directory.createAccount({ id: account, name: 'Office', owner: 'ada' });
        const events: PendingEvent[] = [];
        for (const group of groups) {
          await Promise.all(group.map((one) => act(directory, one)));
          // In the order of commits; a handler may write some more.
          for (let page = await store.pending(1000); page.length > 0;) {
            events.push(...page);
            await handleAll({ clock, log: quiet }, slow, directory);
            page = await store.pending(1000);
          }
          await expectOrder(directory, events);
        }
      } finally {
        await store.close();
      }
    }),
    { numRuns: rounds(60) },
  );
});
