/**
 * T48 Whatever ends or changes access: what must be dead is dead, what must live lives, and each thing that it
 * concerns is told of by exactly one event. Then the same with the process stopped at each of its writes.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toldFields } from '../../src/events/encodings/fields.ts';
import { decideCutoff } from '../../src/oidc/cutoffs.ts';
import type { PendingEvent } from '../../src/storage/store.ts';
import { Stopped } from '../kit/faults.ts';
import { startMortalWorld } from '../kit/mortal_world.ts';
import { writesToStopAt } from '../kit/places.ts';
import type { MortalWorld } from '../kit/mortal_world.ts';
import { claimsOf, refresh } from '../kit/world.ts';
import { causes } from './cause_stories.ts';
import type { Cause } from './cause_stories.ts';
import { NotYet } from './fault_stories.ts';
import { clientOf, copyOf, holdings, live, templateOf } from './lives.ts';
import type { Life, Template } from './lives.ts';

const longestStory = 80;
const longestMs = 120_000;
const attemptsMax = 3;

let world: MortalWorld;
let template: Template;

beforeAll(async () => {
  world = await startMortalWorld({}, () => Date.now());
  template = await templateOf(await live(world), world);
});

afterAll(() => world.close());

const drain = () => world.server().dispatcher.drain();

/** @returns whether it came to its end */
async function attempt(cause: Cause, life: Life): Promise<boolean> {
  try {
    await cause.act(life, world);
    return true;
  } catch (error) {
    if (error instanceof NotYet || error instanceof Stopped) return false;
    throw error;
  }
}

/** What services and apps hear of this life since it began, each event once: `type reason client`. */
function told(life: Life, known: ReadonlySet<string>): string[] {
  const concerns = ({ type, data }: PendingEvent) =>
    toldFields.has(type) &&
    type !== 'user.signed_in' &&
    (data.user === life.user ||
      data.account === life.one ||
      data.account === life.two ||
      (type === 'tokens.revoked_before' && data.before === life.begunAt));
  return [...world.events.values()]
    .filter((event) => !known.has(event.id) && concerns(event))
    .map(({ type, data }) => {
      const client = type === 'grant.revoked' ? [data.client] : [];
      const { reason } = data;
      return [type, ...(typeof reason === 'string' ? [reason] : []), ...client].join(' ');
    })
    .toSorted();
}

async function expectEnd(cause: Cause, life: Life, when: string): Promise<void> {
  for (const holding of holdings) {
    const { refresh_token: token } = life.tokens[holding];
    const { status } = await refresh(world.issuer, clientOf(holding), token);
    const expected = cause.dies.includes(holding) ? 400 : 200;
    expect({ holding, status }, when).toEqual({ holding, status: expected });
  }
}

/** Everything that is announced by a sweep is written by the store itself. */
async function noteAnnounced(): Promise<void> {
  const events = world.events as Map<string, PendingEvent>;
  for (const event of await world.store.pending(1000)) events.set(event.id, event);
}

async function known(): Promise<Set<string>> {
  await noteAnnounced();
  return new Set(world.events.keys());
}

describe('T48 undisturbed', () => {
  test.each(causes.map((cause) => [cause.name, cause] as const))('%s', async (_name, cause) => {
    const life = await live(world);
    const before = await known();
    await cause.act(life, world);
    await noteAnnounced();
    await drain();
    await expectEnd(cause, life, 'at the end');
    await cause.also?.(life, world);
    expect(told(life, before)).toEqual(cause.events.toSorted());
    await drain();
    expect(await world.store.pending(10)).toEqual([]);

    const revoked = [...world.events.values()].filter(
      ({ id, type, data }) =>
        type === 'grant.revoked' && data.user === life.user && !before.has(id),
    );
    const sids = new Set(holdings.map((holding) => claimsOf(life.tokens[holding].id_token).sid));
    for (const { data } of revoked) expect(sids).toContain(data.sid);
  });
});

/** @returns whether there was a k-th write */
async function cut(cause: Cause, k: number, mode: 'before' | 'after'): Promise<boolean> {
  const { store } = world;
  const life = await (cause.lived === true ? live(world) : copyOf(template, world));
  const before = await known();
  store.revive({ stopAfterWrites: k, mode });
  let done = await attempt(cause, life);
  if (!store.stopped) await noteAnnounced();
  await drain().catch((error: unknown) => {
    if (!(error instanceof Stopped)) throw error;
  });
  const { stopped } = store;
  store.revive();
  await noteAnnounced();
  if (stopped) await world.restart();
  await drain();
  const when = `${mode} the ${k}th write`;
  // What was decided comes to its end without anybody asking again.
  const decided = told(life, before).some((one) => one === cause.events[0]);
  if (decided && cause.events.length > 1) await expectEnd(cause, life, `${when}, restarted`);
  for (let again = 1; !done && again < attemptsMax; again += 1) {
    done = await attempt(cause, life);
    await noteAnnounced();
  }
  expect(done, when).toBe(true);
  await drain();
  await expectEnd(cause, life, when);
  await cause.also?.(life, world);
  const events = told(life, before);
  const isRepeated = (one: string, at: number) =>
    cause.repeatable?.includes(one) === true && events.indexOf(one) !== at;
  // After a restart a grant may be ended for its session or for what ended that: whichever event comes up first.
  const withoutReason = (one: string) => one.replace(/^grant\.revoked \w+/, 'grant.revoked');
  const once = events.filter((one, at) => !isRepeated(one, at)).map(withoutReason);
  expect(once.toSorted(), when).toEqual(cause.events.map(withoutReason).toSorted());
  await drain();
  expect(await store.pending(10), when).toEqual([]);
  return stopped;
}

describe('T48 T53 the process stops at each write in turn', () => {
  for (const cause of causes) {
    for (const mode of ['before', 'after'] as const) {
      test(`${cause.name}: ${mode} it`, { timeout: longestMs }, async () => {
        const { first, step } = writesToStopAt();
        let k = first;
        while (await cut(cause, k, mode)) {
          k += step;
          expect(k).toBeLessThan(longestStory);
        }
        // Stopped at one of its writes at least, where it has one at which to stop.
        if (first === 1) expect(k).toBeGreaterThan(1);
      });
    }
  }
});

describe('what is from before is refused before it is ended', () => {
  const ago = (seconds: number) => Date.now() - seconds * 1000;

  async function livingDocuments({ user }: Life): Promise<number> {
    const sessions = await world.store.find('session', 'user', user);
    const grants = await world.store.find('grant', 'user', user);
    return [...sessions, ...grants].filter(({ document }) => document.ended === undefined).length;
  }

  test.each([
    ['by a process that has heard of a cutoff', 'all'],
    ['where a user is revoked, at once', 'user'],
    ['where an account is revoked, at once', 'account'],
  ])('%s', async (_name, what) => {
    const life = await copyOf(template, world, ago(20));
    const later = await copyOf(template, world);
    const { directory } = world.server();
    if (what === 'user') await directory.revokeUser(life.user, 'operator');
    if (what === 'account') await directory.revokeAccount(life.one);
    if (what === 'all') {
      const cutoff = { before: ago(10), reason: 'key_compromise' } as const;
      await decideCutoff({ store: world.store, clock: Date.now }, cutoff);
      await world.restart();
    }
    const statusOf = async ({ tokens }: Life) =>
      (await refresh(world.issuer, 'app', tokens.app.refresh_token)).status;
    const reads = world.store.counts().reads;
    expect(await statusOf(life)).toBe(400);
    expect(world.store.counts().reads.meta).toBe(reads.meta);
    expect(await livingDocuments(life)).toBe(5);
    expect(await statusOf(later)).toBe(200);
    await drain();
    expect(await livingDocuments(life)).toBe(what === 'account' ? 3 : 0);
    expect(await livingDocuments(later)).toBe(5);
  });
});

test('docs/events.md has a row for each cause, with its events', () => {
  const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  for (const { name, events } of causes) {
    const row = rows.find(([, cause]) => cause === name);
    expect(row, name).toBeDefined();
    const types = new Set(events.map((one) => one.split(' ')[0]));
    const written = [...(row?.[4] ?? '').matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, type]) => type);
    expect(new Set(written), name).toEqual(types);
  }
});
