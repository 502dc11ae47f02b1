/** A page listens at one process, and what concerns it happens at another one; and processes that stop and are killed. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import type { Directory } from '../../src/directory/directory.ts';
import type { Store } from '../../src/storage/store.ts';
import { openEvents } from '../kit/event_source.ts';
import type { EventSource } from '../kit/event_source.ts';
import { recordingLog } from '../kit/server.ts';
import { startCluster } from '../kit/spawn.ts';
import type { Cluster } from '../kit/spawn.ts';
import { goThrough } from '../kit/world.ts';
import type { SignIn } from '../kit/world.ts';

const app = 'http://127.0.0.1:1';
const longestMs = 90_000;
let cluster: Cluster;
/** A third one, which handles no events: an operator's command. */
let store: Store;
let directory: Directory;

beforeAll(async () => {
  cluster = await startCluster({
    processes: 2,
    config: { signin: { success: `${app}/` }, signout: { success: `${app}/bye` } },
  });
  const log = recordingLog();
  store = await cluster.place.open(Date.now, log);
  directory = createDirectory({ store, clock: Date.now, log, registration: 'invitation' });
}, longestMs);

afterAll(async () => {
  await store?.close();
  await cluster?.close();
});

const portOf = (place: number) => cluster.members[place]?.port ?? 0;
const goTo = (...places: number[]) => cluster.balancer.setBackends(places.map(portOf));

async function signedIn(signIn: SignIn = {}): Promise<Browser> {
  const browser = cluster.browser({ stopAt: (url) => url.origin === app });
  await goThrough(browser, await browser.get(`${cluster.issuer}/signin`), signIn);
  return browser;
}

async function listen(browser: Browser, place: number, last = ''): Promise<EventSource> {
  const source = await openEvents(cluster.issuer, {
    browser,
    port: portOf(place),
    headers: { origin: app, ...(last === '' ? {} : { 'last-event-id': last }) },
  });
  await source.said(/^id: /m);
  return source;
}

test('both hear of what happens at one of them', { timeout: longestMs }, async () => {
  const browser = await signedIn();
  const sources = [await listen(browser, 0), await listen(browser, 1)];
  await goTo(1);
  const startedAt = performance.now();
  await browser.get(`${cluster.issuer}/signout`);
  await goTo(0, 1);
  const heard = await Promise.all(sources.map((source) => source.next()));
  for (const { name, data } of heard) {
    expect([name, data]).toEqual(['ended', { reason: 'signed_out' }]);
  }
  const after = heard.map(({ at }) => `${Math.round(at - startedAt)} ms`);
  process.stderr.write(`\nheard after ${after.join(' and ')}\n`);
});

test('and of what neither of them did', { timeout: longestMs }, async () => {
  const browser = await signedIn({ person: 'grace', account: 'acc_initech' });
  const sources = [await listen(browser, 0), await listen(browser, 1)];
  await directory.addMember('acc_initech', 'usr_linus', ['owner']);
  await directory.setRoles('acc_initech', 'usr_grace', ['auditor']);
  const saysRoles = (source: EventSource) =>
    expect.poll(() => source.events.at(-1)?.data, { timeout: 15_000 }).toEqual({ what: ['roles'] });
  for (const source of sources) await saysRoles(source);
  await directory.closeAccount('acc_initech', 'too expensive');
  for (const source of sources) {
    await source.ended;
    expect(source.events.at(-1)?.data).toEqual({ reason: 'account_closed' });
  }
});

test(
  'a process that stops does not wait for them, and nothing is missed at the next',
  { timeout: longestMs },
  async () => {
    const browser = await signedIn();
    const before = await listen(browser, 0);
    const [leaving] = cluster.members;
    await goTo(1);
    leaving?.kill('SIGTERM');
    await before.ended;
    expect(await leaving?.stopped).toBe(0);
    const warnings = leaving?.logs.filter(({ message }) => message.includes('cut off'));
    expect(warnings).toEqual([]);
    expect(before.events).toEqual([]);
    await cluster.restart(0);
    await browser.get(`${cluster.issuer}/signout`);
    const after = await listen(browser, 0, before.lastId());
    expect((await after.next()).data).toEqual({ reason: 'signed_out' });
  },
);

test(
  'a process that is killed while a page listens is missed by nobody',
  { timeout: longestMs },
  async () => {
    const browser = await signedIn({ account: 'acc_globex' });
    const before = await listen(browser, 0);
    cluster.members[0]?.kill();
    await before.ended;
    await directory.setRoles('acc_globex', 'usr_ada', ['owner', 'tester']);
    const after = await listen(browser, 1, before.lastId());
    expect((await after.next()).data).toEqual({ what: ['roles'] });
    after.close();
    await cluster.restart(0);
  },
);
