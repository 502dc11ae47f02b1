/** A directory over a fresh store, with the dispatcher that finishes what it begins. */

import { Problem } from '../../src/base/errors.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import type { Directory } from '../../src/directory/directory.ts';
import type { Registration } from '../../src/directory/sign_in.ts';
import type { Identity } from '../../src/directory/users.ts';
import { createDispatcher } from '../../src/events/dispatcher.ts';
import type { PendingEvent, Store } from '../../src/storage/store.ts';
import { openWorld } from '../events/world.ts';
import type { World } from '../events/world.ts';

export interface DirectoryWorld extends World {
  directory: Directory;
  /** Handles what is pending. @returns all events so far, in the order in which they were written */
  settle(): Promise<PendingEvent[]>;
}

export async function openDirectory(registration: Registration = 'open'): Promise<DirectoryWorld> {
  const world = await openWorld();
  const directory = directoryOver(world, world.store, registration);
  const events: PendingEvent[] = [];
  const settle = async () => {
    const committed = await world.store.pending(1000);
    const seen: PendingEvent[] = [];
    await handleAll(world, world.store, directory, seen);
    const known = new Set(committed.map(({ id }) => id));
    events.push(...committed, ...seen.filter(({ id }) => !known.has(id)));
    return events;
  };
  return Object.assign(world, { directory, settle });
}

export function directoryOver(
  { clock, log }: Pick<World, 'clock' | 'log'>,
  store: Store,
  registration: Registration = 'open',
): Directory {
  return createDirectory({ store, clock, log, registration });
}

/** What a process does with the outbox. @param seen gets every event, once for each attempt */
export async function handleAll(
  { clock, log }: Pick<World, 'clock' | 'log'>,
  store: Store,
  directory: Directory,
  seen: PendingEvent[] = [],
): Promise<void> {
  const witness = {
    name: 'witness',
    types: 'all',
    handle: async (event: PendingEvent) => void seen.push(event),
  } as const;
  const handlers = [...directory.handlers, witness];
  await createDispatcher({ store, clock, log, handlers, owner: 'process' }).drain();
}

export function identity(subject: string, more: Partial<Identity> = {}): Identity {
  return { provider: 'google', issuer: 'https://accounts.google.com', subject, ...more };
}

/** The code of the Problem that comes of it, or `undefined`. */
export async function problemOf(attempt: Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

export async function makeUser(directory: Directory, name: string): Promise<string> {
  return (await directory.createUser({ name })).id;
}

export async function rolesOf(
  directory: Directory,
  user: string,
  account: string,
): Promise<string[] | undefined> {
  return (await directory.membership(user, account))?.roles;
}
