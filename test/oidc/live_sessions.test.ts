/** What looking costs, and what becomes of it when the store is away. */

import { afterEach, expect, test } from 'vitest';
import { createLiveSessions } from '../../src/oidc/live_sessions.ts';
import type { LiveSessions } from '../../src/oidc/live_sessions.ts';
import { stateId } from '../../src/oidc/live_state.ts';
import type { LiveState } from '../../src/oidc/live_state.ts';
import type { SessionDocument } from '../../src/storage/documents.ts';
import type { Documents, Kind } from '../../src/storage/kinds.ts';
import type { PendingEvent, Store, Stored } from '../../src/storage/store.ts';
import { openEmpty } from '../kit/places.ts';
import { recordingLog } from '../kit/server.ts';
import type { TestLog } from '../kit/server.ts';

interface Watching {
  live: LiveSessions;
  store: Store;
  log: TestLog;
  /** Documents that were read, in this order. */
  reads: string[];
  /** The store is away. */
  away: boolean;
}

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function watching(everyMs = 5): Promise<Watching> {
  const store = await openEmpty(Date.now);
  const log = recordingLog();
  const world = { store, log, reads: [] as string[], away: false };
  const get = async <K extends Kind>(kind: K, id: string) => {
    world.reads.push(`${kind} ${id}`);
    if (world.away) throw new Error('the store is away');
    return store.get(kind, id);
  };
  const live = createLiveSessions({ store: { get }, clock: Date.now, log, everyMs });
  open.push(async () => {
    await live.stop();
    await store.close();
  });
  return Object.assign(world, { live });
}

const session = (user: string): SessionDocument => ({
  payload: {},
  user,
  generation: 1,
  expiresAt: Date.now() + 60_000,
});

async function seed({ store }: Watching, people: number): Promise<void> {
  for (let index = 0; index < people; index += 1) {
    await store.write('session', `s${index}`, session('usr_1'), { expect: 'absent' });
  }
  const user = { status: 'active' as const, identities: [], createdAt: 0 };
  await store.write('user', 'usr_1', user, { expect: 'absent' });
}

const concerning = (data: Record<string, unknown>): PendingEvent => ({
  id: 'evt_1',
  type: 'user.disabled',
  at: 0,
  data,
  kind: 'user',
  document: 'usr_1',
  version: 1,
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 100));

test('nothing is read when nobody listens, before and after', async () => {
  const world = await watching();
  await seed(world, 1);
  world.live.start();
  await settled();
  expect(world.reads).toEqual([]);
  const stop = world.live.listen({ session: 's0', user: 'usr_1' }, () => undefined);
  await expect.poll(() => world.reads.length).toBeGreaterThan(3);
  stop();
  await settled();
  const after = world.reads.length;
  await world.live.handler.handle(concerning({ user: 'usr_1' }));
  await settled();
  expect(world.reads).toHaveLength(after);
});

test('tabs share the reads of their session, and sessions those of their user', async () => {
  const world = await watching(1e6);
  await seed(world, 3);
  const states: LiveState[] = [];
  for (const id of ['s0', 's0', 's1', 's2']) {
    world.live.listen({ session: id, user: 'usr_1' }, (state) => states.push(state));
  }
  await settled();
  world.reads.length = 0;
  states.length = 0;
  await world.live.handler.handle(concerning({ user: 'usr_1' }));
  await expect.poll(() => states.length).toBe(4);
  expect(world.reads.toSorted()).toEqual(['session s0', 'session s1', 'session s2', 'user usr_1']);
  // Of other people's events nothing is read.
  await world.live.handler.handle(concerning({ user: 'usr_2', account: 'acc_2' }));
  await settled();
  expect(world.reads).toHaveLength(4);
});

test('while the store is away all listen on, and the log says it once', async () => {
  const world = await watching();
  await seed(world, 1);
  const states: LiveState[] = [];
  world.live.listen({ session: 's0', user: 'usr_1' }, (state) => states.push(state));
  world.live.start();
  await expect.poll(() => states.length).toBeGreaterThan(1);
  world.away = true;
  await expect.poll(() => world.log.lines.length).toBe(1);
  await settled();
  const { store } = world;
  const { version, document } = (await store.get('session', 's0')) as Stored<Documents['session']>;
  const ended = { at: Date.now(), reason: 'operator' };
  await store.write('session', 's0', { ...document, ended }, { expect: version });
  world.away = false;
  await expect.poll(() => states.at(-1)).toEqual({ ended: 'revoked' });
  expect(world.log.lines.map(({ level }) => level)).toEqual(['error', 'info']);
});

test('a session that is gone has expired, and one of somebody else was replaced', async () => {
  const world = await watching(1e6);
  await seed(world, 1);
  const states: Record<string, LiveState> = {};
  const asked = [
    ['s0', 'usr_1'],
    ['s0', 'usr_2'],
    ['gone', 'usr_1'],
  ] as const;
  for (const [id, user] of asked) {
    world.live.listen({ session: id, user }, (state) => (states[`${id} ${user}`] = state));
  }
  await expect.poll(() => Object.keys(states).length).toBe(3);
  const living = states['s0 usr_1'];
  expect(living?.ended === undefined && stateId(living!.parts)).toMatch(
    /^[\w-]{8}(\.[\w-]{8}){3}$/,
  );
  expect(states['s0 usr_2']).toEqual({ ended: 'replaced' });
  expect(states['gone usr_1']).toEqual({ ended: 'expired' });
});

test('of very many a part is looked at in each round, and all in turn', async () => {
  const world = await watching(20);
  const count = 2500;
  let told = 0;
  for (let index = 0; index < count; index += 1) {
    world.live.listen({ session: `s${index}`, user: 'usr_1' }, () => (told += 1));
  }
  await expect.poll(() => told, { timeout: 10_000 }).toBe(count);
  world.reads.length = 0;
  world.live.start();
  await expect
    .poll(() => new Set(world.reads.filter((read) => read.startsWith('session'))).size, {
      timeout: 10_000,
    })
    .toBe(count);
});
