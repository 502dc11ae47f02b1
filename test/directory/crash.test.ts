/**
 * Every story of the directory, stopped at each of its writes, before it and after it, then taken up
 * by a new process. Two things must hold: at no moment does a reader see more than what was decided,
 * and what has begun ends as if nothing had happened.
 */

import { describe, expect, test } from 'vitest';
import type { Directory } from '../../src/directory/directory.ts';
import { findByIdentity } from '../../src/directory/users.ts';
import type { PendingEvent, Store } from '../../src/storage/store.ts';
import { openWorld } from '../events/world.ts';
import type { World } from '../events/world.ts';
import { faulty, Stopped } from '../kit/faults.ts';
import { directoryOver, handleAll, identity, rolesOf } from './world.ts';

interface Story {
  name: string;
  /** What was there before. */
  before?: (directory: Directory) => Promise<void>;
  act: (directory: Directory) => Promise<unknown>;
  /** What somebody sees who looks from outside; the same for "not begun" and "done" is allowed. */
  seen: (directory: Directory, store: Store) => Promise<unknown>;
  /** The events of the whole story, each once. */
  events: string[];
  /** The looks that are allowed between the first write and the last one. */
  between?: unknown[];
  /** Whether such a look may last until the story is told again. */
  mayStay?: boolean;
}

const account = 'acc_office';
const [ada, ben] = ['ada', 'ben'];
const newcomer = identity('new', { name: 'New' });

async function office(directory: Directory): Promise<void> {
  await directory.createUser({ id: ada, name: 'Ada' });
  await directory.createUser({ id: ben, name: 'Ben' });
  await directory.createAccount({ id: account, name: 'Office', owner: ada });
}

const officeWith =
  (...roles: string[]) =>
  async (directory: Directory) => {
    await office(directory);
    await directory.addMember(account, ben, roles);
  };

async function bensPlace(directory: Directory): Promise<unknown> {
  const owners = (await directory.account(account))?.owners ?? [];
  return {
    roles: await rolesOf(directory, ben, account),
    usable: (await directory.usableAccounts(ben)).map(({ id }) => id),
    owns: owners.includes(ben),
  };
}

const stories: Story[] = [
  {
    name: 'somebody new signs in',
    act: (directory) => directory.signIn(newcomer),
    async seen(directory, store) {
      const user = (await findByIdentity(store, newcomer))?.id;
      const accounts = user === undefined ? [] : await directory.usableAccounts(user);
      const roles = accounts.map((usable) => [usable.name, usable.roles]);
      return { known: user !== undefined, roles };
    },
    between: [{ known: true, roles: [] }],
    events: ['account.created', 'user.registered'],
  },
  {
    name: 'an account is made',
    before: (directory) => directory.createUser({ id: ben, name: 'Ben' }).then(() => undefined),
    act: (directory) => directory.createAccount({ id: account, name: 'Office', owner: ben }),
    seen: bensPlace,
    between: [{ roles: undefined, usable: [], owns: true }],
    events: ['account.created'],
  },
  ...[['member'], ['owner'], ['owner', 'admin']].map((roles) => ({
    name: `somebody is let in as ${roles.join(' and ')}`,
    before: office,
    act: (directory: Directory) => directory.addMember(account, ben, roles),
    seen: bensPlace,
    between: [{ roles: undefined, usable: [], owns: true }],
    events: ['member.added'],
  })),
  ...[['member'], ['owner'], ['owner', 'admin']].map((roles) => ({
    name: `somebody is removed who was ${roles.join(' and ')}`,
    before: officeWith(...roles),
    act: (directory: Directory) => directory.removeMember(account, ben),
    seen: bensPlace,
    events: roles.includes('owner') ? ['member.removed', 'owner.removed'] : ['member.removed'],
  })),
  {
    name: 'a member becomes an owner',
    before: officeWith('admin'),
    act: (directory) => directory.setRoles(account, ben, ['owner']),
    seen: bensPlace,
    // Beside the ownership there may still be what they were before, until it is asked for again.
    between: [{ roles: ['owner', 'admin'], usable: [account], owns: true }],
    mayStay: true,
    events: ['member.changed'],
  },
  {
    name: 'an owner becomes a member',
    before: officeWith('owner'),
    act: (directory) => directory.setRoles(account, ben, ['admin']),
    seen: bensPlace,
    between: [{ roles: ['owner', 'admin'], usable: [account], owns: true }],
    events: ['member.changed'],
  },
  {
    name: 'an account is handed over',
    before: officeWith('admin'),
    act: (directory) => directory.handOver(account, { from: ada, to: ben, roles: ['admin'] }),
    async seen(directory) {
      const roles = await Promise.all([ada, ben].map((one) => rolesOf(directory, one, account)));
      return { roles, owners: (await directory.account(account))?.owners };
    },
    // Two owners, never none, until it is asked for again.
    between: [
      { roles: [['owner'], ['owner', 'admin']], owners: [ada, ben] },
      {
        roles: [
          ['owner', 'admin'],
          ['owner', 'admin'],
        ],
        owners: [ada, ben],
      },
    ],
    mayStay: true,
    events: ['member.changed', 'member.changed'],
  },
  {
    name: 'an owner is removed by another one',
    before: officeWith('owner'),
    act: (directory) => directory.removeMember(account, ben, ada),
    seen: async (directory) => ({
      place: await bensPlace(directory),
      sentAway: (await directory.user(ben))?.document.sentAway,
    }),
    between: [{ place: { roles: undefined, usable: [], owns: false }, sentAway: undefined }],
    events: ['member.removed', 'owner.removed'],
  },
  {
    name: 'a user is disabled',
    before: officeWith('owner'),
    act: (directory) => directory.setUserStatus(ben, 'disabled'),
    seen: bensPlace,
    events: ['user.disabled'],
  },
  {
    name: 'a user is deleted',
    before: officeWith('owner'),
    act: (directory) => directory.setUserStatus(ben, 'deleted'),
    seen: bensPlace,
    between: [{ roles: undefined, usable: [], owns: true }],
    events: ['user.deleted'],
  },
  {
    name: 'an account is closed',
    before: officeWith('member'),
    act: (directory) => directory.closeAccount(account, 'bankrupt'),
    seen: bensPlace,
    events: ['account.closed'],
  },
];

let invitation = '';

/** @param email of Ben's, or none: a link */
async function invited(directory: Directory, email?: string): Promise<void> {
  await office(directory);
  const wish = { account, by: ada, ...(email !== undefined && { email }) };
  invitation = (await directory.invitations.invite(wish)).invitation.id;
}

async function bensInvitation(directory: Directory): Promise<unknown> {
  const found = await directory.invitations.get(invitation);
  return {
    roles: await rolesOf(directory, ben, account),
    state: found?.document.state,
    candidate: found?.document.candidate,
  };
}

stories.push(
  {
    name: 'somebody takes up a link',
    before: (directory) => invited(directory),
    act: (directory) => directory.invitations.accept(invitation, ben),
    seen: bensInvitation,
    between: [{ roles: ['member'], state: 'open', candidate: undefined }],
    events: ['invitation.accepted', 'member.added'],
  },
  {
    name: 'somebody is confirmed',
    async before(directory) {
      await invited(directory, 'kim@example.com');
      await directory.invitations.accept(invitation, ben);
    },
    act: (directory) => directory.invitations.confirm(account, invitation, ada),
    seen: bensInvitation,
    between: [{ roles: ['member'], state: 'waiting', candidate: ben }],
    events: ['invitation.accepted', 'member.added'],
  },
  {
    name: 'an invitation is withdrawn',
    before: (directory) => invited(directory),
    act: (directory) => directory.invitations.withdraw(account, invitation, ada),
    seen: bensInvitation,
    events: ['invitation.withdrawn'],
  },
);

/** What the story leads to when nothing goes wrong. */
async function undisturbed(story: Story): Promise<{ before: unknown; after: unknown }> {
  const world = await openWorld();
  const directory = directoryOver(world, world.store);
  await story.before?.(directory);
  await handleAll(world, world.store, directory);
  const before = await story.seen(directory, world.store);
  await story.act(directory);
  await handleAll(world, world.store, directory);
  return { before, after: await story.seen(directory, world.store) };
}

/** @returns the process's end: whether the k-th write was reached, and what its witness saw */
async function runUntil(
  world: World,
  story: Story,
  stopAfterWrites: number,
  mode: 'before' | 'after',
): Promise<{ stopped: boolean; seen: PendingEvent[] }> {
  const store = faulty(world.store, { stopAfterWrites, mode });
  const process = directoryOver(world, store);
  const seen: PendingEvent[] = [];
  try {
    await story.act(process);
    await handleAll(world, store, process, seen);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
  return { stopped: store.stopped, seen };
}

/** To sign in again, or to ask for the same roles again, is to do it again. */
const repeatable = new Set(['user.signed_in', 'member.changed']);

describe.each(stories)('$name', (story) => {
  test.each(['before', 'after'] as const)(
    'and the process stops %s any of its writes',
    async (mode) => {
      const { before, after } = await undisturbed(story);
      for (let count = 1; ; count += 1) {
        const world = await openWorld();
        const directory = directoryOver(world, world.store);
        await story.before?.(directory);
        await handleAll(world, world.store, directory);

        const { stopped, seen } = await runUntil(world, story, count, mode);
        const look = await story.seen(directory, world.store);
        expect([before, after, ...(story.between ?? [])], `${mode} write ${count}`).toContainEqual(
          look,
        );

        await handleAll(world, world.store, directory, seen);
        const restarted = await story.seen(directory, world.store);
        const decided = seen.some(({ type }) => story.events.includes(type));
        const ends = story.mayStay === true ? [after, ...(story.between ?? [])] : [after];
        if (decided) expect(ends, `${mode} write ${count}`).toContainEqual(restarted);

        // Whoever got no answer asks again, and gets what they wanted; nothing happens twice.
        await story.act(directory).catch(() => undefined);
        await handleAll(world, world.store, directory, seen);
        expect(await story.seen(directory, world.store), `${mode} write ${count}`).toEqual(after);
        const events = new Map(seen.map(({ id, type }) => [id, type]));
        const types = [...events.values()].filter((type) => !repeatable.has(type));
        expect(types.toSorted()).toEqual(story.events.filter((type) => !repeatable.has(type)));
        if (!stopped) return;
      }
    },
  );
});
