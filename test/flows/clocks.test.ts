/** Clocks that differ between processes, and a clock that is set back: nobody is lost, nothing comes back. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { startCluster } from '../kit/spawn.ts';
import type { Cluster } from '../kit/spawn.ts';
import {
  authorizationRequest,
  claimsOf,
  clients,
  redeem,
  refresh,
  revoke,
  signIn,
  signInForCode,
} from '../kit/world.ts';
import { raceStories } from './race_stories.ts';

const longestMs = 60_000;
const halfAMinute = 30_000;
const minute = 60_000;

const codeOfSilent = async (issuer: string, browser: Browser) => {
  const request = authorizationRequest(issuer, 'app', { prompt: 'none' });
  return new URL((await browser.get(request.url)).url).searchParams.get('code');
};

describe('T76 two processes whose clocks differ by half a minute', { timeout: longestMs }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    // What is within the grace for one clock must be so for the other: it is longer than they differ.
    const patient = clients.map((one) =>
      one.id === 'spa' ? { ...one, refreshGraceSeconds: 60 } : one,
    );
    const config = { clients: patient };
    cluster = await startCluster({ clocksAheadMs: [0, halfAMinute], config });
  }, longestMs);

  afterAll(() => cluster?.close());

  raceStories(() => cluster, { clocksDiffer: true });

  test('nothing lives longer than it should', async () => {
    const tokens = await signIn(cluster.issuer, cluster.browser());
    for (let round = 0; round < 4; round += 1) {
      const { body } = await refresh(cluster.issuer, 'app', tokens.refresh_token);
      const { iat, exp } = claimsOf(body.access_token);
      expect(Number(exp) - Number(iat)).toBe(900);
      expect(Number(exp)).toBeLessThanOrEqual(Date.now() / 1000 + 930);
    }
  });
});

describe('T76 and the grace is as short as that', { timeout: longestMs }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ clocksAheadMs: [0, halfAMinute] });
  }, longestMs);

  afterAll(() => cluster?.close());

  test('a second tab may be refused, and no session dies of it', async () => {
    const { issuer, browser } = cluster;
    const tokens = await signIn(issuer, browser(), { client: 'spa' });
    const next = await refresh(issuer, 'spa', tokens.refresh_token);
    for (let tab = 0; tab < 6; tab += 1) {
      const { status, body } = await refresh(issuer, 'spa', tokens.refresh_token);
      if (status === 200) expect(body.refresh_token).toBe(next.body.refresh_token);
      else
        expect({ status, body }).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
    expect((await refresh(issuer, 'spa', next.body.refresh_token)).status).toBe(200);
  });
});

describe('R-4 a clock that is set back by ten minutes', () => {
  const clocksAheadMs = [0];
  let cluster: Cluster;

  beforeEach(async () => {
    clocksAheadMs[0] = 0;
    cluster = await startCluster({ processes: 1, clocksAheadMs });
  }, longestMs);

  afterEach(() => cluster?.close());

  async function restartAt(aheadMs: number): Promise<void> {
    clocksAheadMs[0] = aheadMs;
    cluster.members[0]?.kill();
    await cluster.members[0]?.stopped;
    await cluster.restart(0);
  }

  test('brings no token back', { timeout: longestMs }, async () => {
    const { issuer, browser } = cluster;
    const first = await signIn(issuer, browser(), { client: 'spa' });
    const second = (await refresh(issuer, 'spa', first.refresh_token)).body;
    const revoked = await signIn(issuer, browser(), { client: 'spa' });
    expect((await revoke(issuer, 'spa', revoked.refresh_token)).status).toBe(200);
    const redemption = await signInForCode(issuer, browser());
    const redeemed = (await redeem(issuer, redemption)).body;
    await restartAt(5 * minute);
    const third = (await refresh(issuer, 'spa', second.refresh_token)).body;

    await restartAt(-5 * minute);
    // The one before the present, the old one, the revoked one, the code: none of them is any good.
    for (const { refresh_token: dead } of [second, revoked]) {
      expect((await refresh(issuer, 'spa', dead)).status).toBe(400);
    }
    expect((await redeem(issuer, redemption)).status).toBe(400);
    expect((await refresh(issuer, 'app', redeemed.refresh_token)).status).toBe(200);
    const fourth = await refresh(issuer, 'spa', third.refresh_token);
    expect(fourth.status).toBe(200);
    expect((await refresh(issuer, 'spa', first.refresh_token)).status).toBe(400);
  });

  test('ends no session', { timeout: longestMs }, async () => {
    const { issuer } = cluster;
    const person = cluster.browser();
    await restartAt(5 * minute);
    const tokens = await signIn(issuer, person);
    const spa = await signIn(issuer, person, { client: 'spa' });

    await restartAt(-5 * minute);
    expect(await codeOfSilent(issuer, person)).not.toBe(null);
    const next = await refresh(issuer, 'spa', spa.refresh_token);
    expect(next.status).toBe(200);
    // Two tabs at once work as ever.
    const again = await refresh(issuer, 'spa', spa.refresh_token);
    expect(again.body.refresh_token).toBe(next.body.refresh_token);
    expect((await refresh(issuer, 'app', tokens.refresh_token)).status).toBe(200);
    // Signing out with an ID token of the future, and it takes effect.
    const out = new URL(`${issuer}/oauth2/logout`);
    out.searchParams.set('id_token_hint', tokens.id_token ?? '');
    out.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
    expect((await person.get(out.href)).url).toBe('https://app.example.com/bye');
    expect((await refresh(issuer, 'spa', next.body.refresh_token)).status).toBe(400);
  });
});
