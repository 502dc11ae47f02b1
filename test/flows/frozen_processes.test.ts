/**
 * Processes that are stopped (`SIGSTOP`) for longer than they hold any job, and go on (`SIGCONT`): what they were
 * doing has been done by another, and stays as that one left it.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import type { Store } from '../../src/storage/store.ts';
import { newSeed, seededRandom } from '../kit/crashes.ts';
import { recordingLog } from '../kit/server.ts';
import { startMovingClock } from '../kit/skew.ts';
import type { MovingClock } from '../kit/skew.ts';
import { startCluster } from '../kit/spawn.ts';
import type { Cluster } from '../kit/spawn.ts';
import { refresh, signIn } from '../kit/world.ts';

const longestMs = 90_000;
const rounds = 5;
/** Longer than the dispatcher's lease. */
const sleepMs = 40_000;

let cluster: Cluster;
let clock: MovingClock;
let store: Store;

beforeAll(async () => {
  clock = startMovingClock();
  // Alone at first: it takes the jobs that one process does for all.
  cluster = await startCluster({ processes: 1, clockFile: clock.file });
  store = await cluster.place.open(Date.now);
  while ((await holder()) === undefined) await delay(50);
  await cluster.restart(1);
}, longestMs);

afterAll(async () => {
  await store?.close();
  await cluster?.close();
  clock.restore();
});

type Tokens = Record<string, string>;

const holder = async () => (await store.get('lease', 'dispatcher'))?.document.owner;
const goTo = (place: number) => cluster.balancer.setBackends([cluster.members[place]?.port]);

/** A write to each of the stores, if there are two: counters are hot and `meta` is kept. */
async function writesToAll(): Promise<true> {
  await Promise.all([
    store.bump('frozen', 1, 60),
    store.write('meta', 'frozen', { value: 0 }, { expect: 'any' }),
  ]);
  return true;
}

/**
 * Not while it is in the middle of a commit to a file that all share: nobody could write then until it goes
 * on, and that is the file system's business.
 */
async function freeze(place: number): Promise<void> {
  for (;;) {
    cluster.members[place]?.kill('SIGSTOP');
    const probe = writesToAll();
    if (await Promise.race([probe, delay(1000, false)])) return;
    wake(place);
    await probe;
  }
}

const wake = (place: number) => cluster.members[place]?.kill('SIGCONT');

async function signOut(browser: Browser, tokens: Tokens): Promise<void> {
  const out = new URL(`${cluster.issuer}/oauth2/logout`);
  out.searchParams.set('id_token_hint', tokens.id_token ?? '');
  out.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
  expect((await browser.get(out.href)).url).toBe('https://app.example.com/bye');
}

async function expectStatus(tokens: Tokens, status: number): Promise<Tokens> {
  const answer = await refresh(cluster.issuer, 'app', tokens.refresh_token);
  expect(answer).toMatchObject({ status });
  return answer.body;
}

const grantOf = (tokens: Tokens) => tokens.refresh_token?.split('.')[2] ?? '';

/** Of each of these grants the end was told once. */
async function expectToldOnce(dead: readonly Tokens[]): Promise<void> {
  await expect.poll(() => store.pending(10), { timeout: 30_000 }).toEqual([]);
  const records = await store.find('audit', 'user', 'usr_ada', { limit: 1000 });
  for (const tokens of dead) {
    const revoked = records.filter(
      ({ document }) =>
        document.type === 'grant.revoked' && document.data.grant === grantOf(tokens),
    );
    expect(revoked).toHaveLength(1);
  }
}

test(
  'another takes over what it did for all, and it goes on as one of them',
  { timeout: longestMs },
  async () => {
    const { issuer } = cluster;
    const first = await holder();
    await goTo(0);
    const globex = await signIn(issuer, cluster.browser(), { account: 'acc_globex' });
    const acme = await signIn(issuer, cluster.browser());
    await expect.poll(() => store.pending(10), { timeout: 20_000 }).toEqual([]);
    await freeze(0);
    // Somebody who dies right after: no process knows of this event.
    const log = recordingLog();
    const directory = createDirectory({ store, clock: Date.now, log, registration: 'invitation' });
    await directory.closeAccount('acc_globex', 'closed while it slept');
    clock.pass(sleepMs);
    await expect.poll(() => store.pending(10), { timeout: 30_000 }).toEqual([]);
    const second = await holder();
    expect(second).not.toBe(first);
    wake(0);
    for (const place of [0, 1]) {
      await goTo(place);
      await expectStatus(globex, 400);
      await expectStatus(acme, 200);
      await signIn(issuer, cluster.browser());
    }
    await expectToldOnce([globex]);
    const records = await store.find('audit', 'account', 'acc_globex', { limit: 1000 });
    expect(records.filter(({ document }) => document.type === 'account.closed')).toHaveLength(1);
  },
);

test(
  'it is stopped anywhere in its requests, and meanwhile people sign out at another one',
  { timeout: longestMs },
  async () => {
    const { issuer } = cluster;
    const seed = newSeed();
    const random = seededRandom(seed);
    process.stderr.write(`\nseed ${seed}\n`);
    for (let round = 0; round < rounds; round += 1) {
      await goTo(0);
      const people = [];
      for (let person = 0; person < 4; person += 1) {
        const browser = cluster.browser();
        const tokens = await signIn(issuer, browser);
        people.push({ browser, all: [tokens], latest: tokens });
      }
      let asleep = false;
      /** One request after the other; the last one hangs. */
      const uses = people.map(async (person) => {
        while (!asleep) {
          const { status, body } = await refresh(issuer, 'app', person.latest.refresh_token);
          expect([200, 400]).toContain(status);
          if (status !== 200) return;
          person.all.push(body);
          if (!asleep) person.latest = body;
        }
      });
      await delay(random() * 60);
      asleep = true;
      await freeze(0);
      await goTo(1);
      const [ended, living] = [people.slice(0, 2), people.slice(2)];
      for (const { browser, latest } of ended) await signOut(browser, latest);
      for (const person of living) person.latest = await expectStatus(person.latest, 200);
      clock.pass(sleepMs);
      for (const person of living) person.latest = await expectStatus(person.latest, 200);
      wake(0);
      await Promise.all(uses);
      for (const place of [0, 1]) {
        await goTo(place);
        for (const { all } of ended) for (const one of all) await expectStatus(one, 400);
        for (const person of living) person.latest = await expectStatus(person.latest, 200);
      }
      await expectToldOnce(ended.map(({ latest }) => latest));
    }
  },
);
