/** What `kill -9` must not undo: an end that was acknowledged just before it. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { createKiller, examine } from '../kit/crashes.ts';
import type { Killer } from '../kit/crashes.ts';
import { startCluster } from '../kit/spawn.ts';
import type { Cluster } from '../kit/spawn.ts';
import { redeem, refresh, revoke, signIn, signInForCode } from '../kit/world.ts';

const longestMs = 90_000;
const clocksAheadMs = [0];
let cluster: Cluster;
let killer: Killer;

beforeEach(async () => {
  clocksAheadMs[0] = 0;
  cluster = await startCluster({ processes: 1, clocksAheadMs });
  killer = createKiller(cluster, () => 0);
}, longestMs);

afterEach(() => cluster?.close());

const statusOf = async (client: string, tokens: Record<string, string>) =>
  (await refresh(cluster.issuer, client, tokens.refresh_token)).status;

test('T53 R-4 a rotated token, and what its reuse ended', { timeout: longestMs }, async () => {
  const { issuer } = cluster;
  const first = await signIn(issuer, cluster.browser(), { client: 'spa' });
  const { body: second } = await refresh(issuer, 'spa', first.refresh_token);
  const { body: third } = await refresh(issuer, 'spa', second.refresh_token);
  const bystander = await signIn(issuer, cluster.browser(), { client: 'spa' });

  // The grace is over, and as much as clocks may differ.
  clocksAheadMs[0] = 5 * 60_000;
  await killer.strike();
  expect(await statusOf('spa', first)).toBe(400);
  await killer.strike();
  for (const tokens of [first, second, third]) expect(await statusOf('spa', tokens)).toBe(400);
  expect(await statusOf('spa', bystander)).toBe(200);
  await examine(cluster, async (store) => {
    const records = await store.find('audit', 'user', 'usr_ada', { limit: 1000 });
    const revoked = records.filter(({ document }) => document.type === 'grant.revoked');
    expect(revoked.map(({ document }) => document.data.reason)).toEqual(['refresh_token_reuse']);
  });
});

test(
  'T53 R-4 a revoked token of either kind, and a redeemed code',
  { timeout: longestMs },
  async () => {
    const { issuer } = cluster;
    const plain = await signIn(issuer, cluster.browser(), { client: 'plain' });
    const userinfo = async () => {
      const headers = { authorization: `Bearer ${plain.access_token}` };
      return (await fetch(`${issuer}/oauth2/userinfo`, { headers })).status;
    };
    expect(await userinfo()).toBe(200);
    expect((await revoke(issuer, 'plain', plain.access_token)).status).toBe(200);
    await killer.strike();
    expect(await userinfo()).toBe(401);

    const app = await signIn(issuer, cluster.browser());
    const redemption = await signInForCode(issuer, cluster.browser());
    expect((await redeem(issuer, redemption)).status).toBe(200);
    expect((await revoke(issuer, 'app', app.refresh_token)).status).toBe(200);
    await killer.strike();
    expect(await statusOf('app', app)).toBe(400);
    expect((await redeem(issuer, redemption)).status).toBe(400);
  },
);
