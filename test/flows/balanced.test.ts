/**
 * Three processes behind HAProxy, which sends each request to the next one. Nothing holds a browser to a
 * process, so whatever one of them kept for itself would be missed at once.
 */

import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { haproxyIsThere, startHaproxy } from '../kit/haproxy.ts';
import type { Haproxy } from '../kit/haproxy.ts';
import { startCluster } from '../kit/spawn.ts';
import type { ChildLine, Cluster } from '../kit/spawn.ts';
import { startSteadyClients } from '../kit/steady.ts';
import {
  authorizationRequest,
  claimsOf,
  goThrough,
  redeem,
  refresh,
  signIn,
  signInForCode,
} from '../kit/world.ts';

const longestMs = 90_000;
const soon = { timeout: 20_000 };
const processes = 3;
const perAddressPerMinute = 500;
// Nobody listens there: the way ends. It is of the issuer's own site, as apps that use links must be.
const app = 'http://127.0.0.1:1';

let haproxy: Haproxy;
let cluster: Cluster;

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

/** How many requests each process has answered. The balancer's own are not logged. */
const requestsOf = () =>
  cluster.members.map(({ logs }) => logs.filter(({ message }) => message === 'request').length);

/** When each has told of all that it answered so far: its log comes a moment after its answers, but in order. */
async function settled(): Promise<void> {
  const path = `/${randomUUID()}`;
  for (const { port, logs } of cluster.members) {
    await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    await expect.poll(() => logs.some((line) => line.path === path), soon).toBe(true);
  }
}

/** What is done meanwhile is answered by all of them in turn. */
async function inTurn<T>(act: () => Promise<T>): Promise<T> {
  await settled();
  const before = requestsOf();
  const result = await act();
  const answered = () => requestsOf().map((count, place) => count - (before[place] ?? 0));
  await expect.poll(() => Math.min(...answered()), soon).toBeGreaterThan(0);
  // Of one request after the other: none of them got two in a row.
  await expect
    .poll(() => Math.max(...answered()) - Math.min(...answered()), soon)
    .toBeLessThanOrEqual(1);
  return result;
}

const goTo = (...places: number[]) =>
  haproxy.setBackends(
    cluster.members.map(({ port }, place) => (places.includes(place) ? port : undefined)),
  );

async function userinfo(accessToken = ''): Promise<number> {
  const headers = { authorization: `Bearer ${accessToken}`, connection: 'close' };
  return (await fetch(`${cluster.issuer}/oauth2/userinfo`, { headers })).status;
}

function signOutAddress(idToken = '', client = 'app'): string {
  const out = new URL(`${cluster.issuer}/oauth2/logout`);
  out.searchParams.set('id_token_hint', idToken);
  out.searchParams.set('post_logout_redirect_uri', `https://${client}.example.com/bye`);
  return out.href;
}

describe.skipIf(!haproxyIsThere())('three processes behind HAProxy', { timeout: longestMs }, () => {
  beforeAll(async () => {
    haproxy = await startHaproxy();
    cluster = await startCluster({
      processes,
      balancer: haproxy,
      config: {
        registration: 'open',
        trustedProxies: ['127.0.0.1/32'],
        limits: { perAddressPerMinute },
        signin: { success: `${app}/` },
        signout: { success: `${app}/bye` },
        // So long the balancer has to notice, on a busy machine too.
        stopDelaySeconds: 3,
      },
    });
  }, longestMs);

  afterAll(() => cluster?.close());

  test('each request of a sign-in is answered by another one, and so is all that follows', async () => {
    const { issuer } = cluster;
    const browser = cluster.browser();
    const tokens = await inTurn(() => signIn(issuer, browser));
    expect(claimsOf(tokens.access_token)).toMatchObject({ sub: 'usr_ada', account: 'acc_acme' });
    let latest = tokens.refresh_token;
    await inTurn(async () => {
      for (let step = 0; step < 2 * processes; step += 1) {
        const { status, body } = await refresh(issuer, 'app', latest);
        expect(status).toBe(200);
        latest = body.refresh_token;
      }
    });
    // Signed in at each: nobody is asked again.
    await inTurn(async () => {
      for (let step = 0; step < processes; step += 1) {
        const silent = { parameters: { prompt: 'none' } };
        const again = await redeem(issuer, await signInForCode(issuer, browser, silent));
        expect(claimsOf(again.body.id_token).sid).toBe(claimsOf(tokens.id_token).sid);
      }
    });
    const plain = await signIn(issuer, browser, { client: 'plain' });
    await inTurn(async () => {
      for (let step = 0; step < processes; step += 1) {
        expect(await userinfo(plain.access_token)).toBe(200);
      }
    });
  });

  test('a code from the first is redeemed at the second, and its tokens are refreshed at the third', async () => {
    const { issuer } = cluster;
    await goTo(0);
    const redemption = await signInForCode(issuer, cluster.browser());
    await goTo(1);
    const { status, body } = await redeem(issuer, redemption);
    expect(status).toBe(200);
    await goTo(2);
    expect((await refresh(issuer, 'app', body.refresh_token)).status).toBe(200);
    expect((await redeem(issuer, redemption)).status).toBe(400);
    await goTo(0, 1, 2);
  });

  test('links', async () => {
    const { issuer } = cluster;
    const browser = cluster.browser({ stopAt: (url) => url.origin === app });
    const arrived = await inTurn(async () =>
      goThrough(browser, await browser.get(`${issuer}/signin`)),
    );
    expect(arrived.href).toBe(`${app}/`);
    const ask = () => browser.fetch(`${issuer}/refresh`, { origin: app, method: 'POST' });
    const together = await times(2 * processes, ask);
    expect(together.map(({ status }) => status)).toEqual(Array(2 * processes).fill(200));
    await inTurn(async () => {
      for (let step = 0; step < processes; step += 1) expect((await ask()).status).toBe(200);
    });
    expect((await browser.get(`${issuer}/signout`)).url).toBe(`${app}/bye`);
    await inTurn(async () => {
      for (let step = 0; step < processes; step += 1) expect((await ask()).status).toBe(401);
    });
  });

  test('who signs out at one of them is signed out at all', async () => {
    const { issuer } = cluster;
    const browser = cluster.browser();
    const tokens = await signIn(issuer, browser);
    const plain = await signIn(issuer, browser, { client: 'plain' });
    await goTo(1);
    const end = await browser.get(signOutAddress(tokens.id_token));
    expect(end.url).toBe('https://app.example.com/bye');
    for (let place = 0; place < processes; place += 1) {
      await goTo(place);
      expect((await refresh(issuer, 'app', tokens.refresh_token)).status).toBe(400);
      expect(await userinfo(plain.access_token)).toBe(401);
      const silent = authorizationRequest(issuer, 'app', { prompt: 'none' });
      const { url } = await browser.get(silent.url);
      expect(new URL(url).searchParams.get('error')).toBe('login_required');
    }
    await goTo(0, 1, 2);
  });

  test('fifty refreshes of one token at once, all over the place: one successor', async () => {
    const { issuer } = cluster;
    const tokens = await signIn(issuer, cluster.browser());
    const answers = await times(50, () => refresh(issuer, 'app', tokens.refresh_token));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
  });

  test(
    'a limit is counted across them, by the address that the balancer saw',
    async () => {
      // A window is a minute of the clock: where one ended meanwhile, another address tries again.
      const minute = () => Math.floor(Date.now() / 60_000);
      for (let host = 2; ; host += 1) {
        const began = minute();
        const statuses: number[] = [];
        // What a client says of itself is somebody else's word.
        const lie = { 'X-Forwarded-For': `192.0.2.${host}` };
        for (let sent = 0; sent < perAddressPerMinute + 20; sent += 20) {
          statuses.push(...(await times(20, () => knock(`127.0.0.${host}`, lie))));
        }
        const other = await knock(`127.0.1.${host}`);
        if (minute() !== began) continue;
        expect(statuses.filter((status) => status === 400)).toHaveLength(perAddressPerMinute);
        expect(statuses.filter((status) => status === 429)).toHaveLength(20);
        expect(other).toBe(400);
        break;
      }
    },
    longestMs,
  );

  test('of each event there is one record, though three dispatchers run', async () => {
    const { issuer, place } = cluster;
    const subjects = await times(9, async (number) => {
      const browser = cluster.browser();
      const fields = {
        subject: `many-${number}`,
        name: 'One of Many',
        email: `${number}@many.example`,
      };
      const request = authorizationRequest(issuer, 'app');
      let page = await browser.get(request.url);
      for (let step = 0; step < 4 && !page.stopped; step += 1) {
        page = await browser.submit(page, { button: 'person=someone', fields });
      }
      const code = new URL(page.url).searchParams.get('code') ?? '';
      const { body } = await redeem(issuer, { ...request, code });
      const end = await browser.get(signOutAddress(body.id_token));
      expect(end.url).toBe('https://app.example.com/bye');
      return String(claimsOf(body.id_token).sub);
    });
    const store = await place.open(Date.now);
    try {
      await expect.poll(() => store.pending(10), { timeout: 15_000 }).toEqual([]);
      for (const user of subjects) {
        const records = await store.find('audit', 'user', user, { limit: 1000 });
        expect(records.map(({ document }) => document.type).toSorted()).toEqual([
          'account.created',
          'grant.revoked',
          'session.ended',
          'user.registered',
          'user.signed_in',
        ]);
      }
    } finally {
      await store.close();
    }
  });

  test(
    'one after the other is stopped and started anew, and no client sees a request fail',
    { timeout: longestMs },
    async () => {
      const { issuer } = cluster;
      const refreshTokens: string[] = [];
      for (let client = 0; client < 8; client += 1) {
        const tokens = await signIn(issuer, cluster.browser(), { client: 'spa' });
        refreshTokens.push(tokens.refresh_token ?? '');
      }
      const clients = [true, false].map((keepAlive, index) =>
        startSteadyClients({
          issuer,
          refreshTokens: refreshTokens.filter((_token, place) => place % 2 === index),
          keepAlive,
          sendAgain: false,
        }),
      );
      let ended = false;
      let visits = 0;
      async function visit(): Promise<void> {
        while (!ended && visits < 30) {
          await signIn(issuer, cluster.browser());
          visits += 1;
        }
      }
      const visitor = visit();
      const said: string[] = [];
      for (let place = 0; place < processes; place += 1) {
        await Promise.all(clients.map((one) => one.more(40)));
        const [leaving] = cluster.members.slice(place, place + 1);
        leaving?.kill('SIGTERM');
        expect(await leaving?.stopped).toBe(0);
        said.push(...worrying(leaving?.logs ?? []).map((line) => JSON.stringify(line)));
        await cluster.restart(place);
      }
      await Promise.all(clients.map((one) => one.more(40)));
      ended = true;
      await Promise.all([visitor, ...clients.map((one) => one.stop())]);
      const answered = clients.reduce((sum, one) => sum + one.answered, 0);
      process.stderr.write(`\n${answered} refreshes answered, ${visits} sign-ins\n`);
      expect(clients.flatMap(({ wrong }) => wrong)).toEqual([]);
      expect(said).toEqual([]);
    },
  );
});

/** Behind what is said of the store at the start. */
function worrying(logs: readonly ChildLine[]): ChildLine[] {
  const start = logs.findIndex(({ message }) => message === 'listening');
  return logs.slice(start).filter(({ level, message }) => {
    const isOurs = message === 'rate limited' || message === 'request refused';
    return level === 'error' || (level === 'warn' && !isOurs);
  });
}

/** An authorization request that asks for nothing: refused, and counted. */
function knock(localAddress: string, headers: Record<string, string> = {}): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = { agent: false, localAddress, headers };
  const request = httpRequest(`${cluster.issuer}/oauth2/authorize`, options, (response) => {
    response.resume();
    response.on('end', () => resolve(response.statusCode ?? 0));
  });
  request.on('error', reject);
  request.end();
  return promise;
}
