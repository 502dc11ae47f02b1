/** Two processes on one SQLite file, behind one address. Each connection goes to the next process. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster } from '../kit/spawn.ts';
import type { Cluster } from '../kit/spawn.ts';
import {
  authorizationRequest,
  claimsOf,
  goThrough,
  redeem,
  refresh,
  signInForCode,
} from '../kit/world.ts';
import { raceStories } from './race_stories.ts';

const longestMs = 90_000;
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ processes: 2 });
}, longestMs);

afterAll(() => cluster?.close());

describe('races in two processes', { timeout: longestMs }, () => {
  raceStories(() => cluster);
});

describe('two processes', { timeout: longestMs }, () => {
  /** From now on all goes to this one. */
  const goTo = (...places: number[]) =>
    cluster.balancer.setBackends(places.map((place) => cluster.members[place]?.port ?? 0));

  test('a sign-in that was begun at one ends at the other, and what comes of it is true at both', async () => {
    const { issuer } = cluster;
    const browser = cluster.browser();
    await goTo(0);
    const request = authorizationRequest(issuer, 'app');
    const asked = await browser.get(request.url);
    await goTo(1);
    const code = (await goThrough(browser, asked)).searchParams.get('code') ?? '';
    await goTo(0);
    const { status, body: tokens } = await redeem(issuer, { ...request, code });
    expect(status).toBe(200);
    await goTo(1);
    const next = await refresh(issuer, 'app', tokens.refresh_token);
    expect(next.status).toBe(200);
    // Signed in at both: nobody is asked again.
    const silent = { parameters: { prompt: 'none' } };
    await goTo(0);
    const again = await redeem(issuer, await signInForCode(issuer, browser, silent));
    expect(claimsOf(again.body.id_token).sid).toBe(claimsOf(tokens.id_token).sid);

    const out = new URL(`${issuer}/oauth2/logout`);
    out.searchParams.set('id_token_hint', tokens.id_token ?? '');
    out.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
    expect((await browser.get(out.href)).url).toBe('https://app.example.com/bye');
    await goTo(1);
    for (const dead of [next, again]) {
      expect((await refresh(issuer, 'app', dead.body.refresh_token)).status).toBe(400);
    }
    await goTo(0, 1);
  });

  test('when one is killed the other goes on, and nobody notices', async () => {
    const { issuer } = cluster;
    const browser = cluster.browser();
    const { body: tokens } = await redeem(issuer, await signInForCode(issuer, browser));
    cluster.members[0]?.kill();
    await cluster.members[0]?.stopped;
    await goTo(1);
    expect((await refresh(issuer, 'app', tokens.refresh_token)).status).toBe(200);
    await cluster.restart(0);
    await goTo(0);
    const silent = { parameters: { prompt: 'none' } };
    expect((await redeem(issuer, await signInForCode(issuer, browser, silent))).status).toBe(200);
    await goTo(0, 1);
  });
});
