/** What a service is told that was away must be about its own product, as what its stream tells it is. */

import { expect, test } from 'vitest';
import { createRecentSets } from '../../src/events/recent_sets.ts';
import { openWorld } from '../events/world.ts';

test("recent events tell a client of no other product's subscription", async () => {
  const world = await openWorld();
  const { store, clock, now } = world;
  for (const [index, product] of ['api', 'other'].entries()) {
    const id = `evt_${now.toString(16).padStart(12, '0')}0${index}`;
    const data = { account: 'acc_acme', product, claims: { plan: product } };
    const cause = { kind: 'account', id: 'acc_acme', version: index + 1 };
    const notice = { type: 'subscription.changed', at: now, data, cause, expiresAt: now + 1e6 };
    await store.write('notice', id, notice, { expect: 'absent' });
  }
  const recent = createRecentSets({
    store,
    clock,
    issuer: 'https://id.example.com',
    sign: (_alg, _header, claims) => Promise.resolve(JSON.stringify(claims)),
    productOf: (client) => (client === 'any' ? undefined : 'api'),
  });
  const plans = async (client: string) => {
    const { sets } = await recent.read({ client, audience: client });
    return Object.values(sets).map((set) => /"plan":"(\w+)"/.exec(set)?.[1]);
  };
  expect(await plans('service')).toEqual(['api']);
  expect(await plans('any')).toEqual(['api', 'other']);
});
