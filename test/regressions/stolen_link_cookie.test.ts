/** The cookie of the links is a secret that a browser holds: whoever copies it is found out. */

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { goThrough } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { startProtocolWorld, travel } from '../protocol/kit.ts';
import { app, cookieOf, linkConfig, plant } from './kit.ts';

const tenMinutes = 600;
let world: World;

beforeAll(async () => {
  world = await startProtocolWorld(linkConfig);
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

const arrive = () =>
  world.browser({ clock: () => Date.now(), stopAt: (url) => url.origin === app });
const refresh = (browser: Browser) =>
  browser.fetch(`${world.issuer}/refresh`, { origin: app, method: 'POST' });

async function signedIn(person: 'ada' | 'grace' = 'ada'): Promise<Browser> {
  const browser = arrive();
  const page = await browser.get(`${world.issuer}/signin`);
  await goThrough(browser, page, { person });
  return browser;
}

test('T50 a copy of the link cookie in use beside the first one ends both', async () => {
  const owner = await signedIn('grace');
  const thief = arrive();
  plant(world, thief, cookieOf(owner, 'tollgate'));

  travel(tenMinutes);
  expect((await refresh(thief)).status).toBe(200);
  travel(tenMinutes);
  expect((await refresh(thief)).status).toBe(200);
  travel(tenMinutes);
  expect((await refresh(owner)).status).toBe(401);
  expect((await refresh(thief)).status).toBe(401);
  await world.server.dispatcher.drain();
  const grants = await world.store.find('grant', 'user', 'usr_grace');
  expect(grants.map(({ document }) => document.ended)).not.toContain(undefined);
});

test('T50 taking turns does not keep a thief from being found out', async () => {
  const owner = await signedIn();
  const thief = arrive();
  plant(world, thief, cookieOf(owner, 'tollgate'));
  const statuses: number[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    travel(tenMinutes);
    statuses.push((await refresh(turn % 2 === 0 ? thief : owner)).status);
  }
  expect(statuses.slice(-2)).toEqual([401, 401]);
});

test('T50 the one browser that has the cookie goes on all day', async () => {
  const owner = await signedIn();
  const statuses = new Set<number>();
  for (let turn = 0; turn < 30; turn += 1) {
    travel(tenMinutes);
    for (const { status } of await Promise.all([refresh(owner), refresh(owner)])) {
      statuses.add(status);
    }
  }
  expect([...statuses]).toEqual([200]);
});
