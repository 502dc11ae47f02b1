/** A process that is told to stop does not wait until a slow Stripe has answered for everybody. */

import { expect, test } from 'vitest';
import { noMeasures } from '../../src/base/measures.ts';
import { openBilling } from '../../src/billing/billing.ts';
import { createScheduledReconcile } from '../../src/billing/scheduled_reconcile.ts';
import { newAccount, openBillingWorld } from '../billing/world.ts';

test('the comparison of all accounts ends with those that are under way', async () => {
  const world = await openBillingWorld();
  const { config, stripe } = world;
  for (let at = 0; at < 39; at += 1) {
    await newAccount(world, `many${at}`);
    stripe.customers.set(`cus_many${at}`, { subscriptions: [], entitlements: [] });
  }
  const scheduled = createScheduledReconcile({
    ...world,
    config: { reconcileHours: 24 },
    products: () => config.products,
    measures: noMeasures,
    random: () => 0.5,
    owner: 'process',
  });
  const slow = stripe.hold('/v1/subscriptions');
  const looking = scheduled.look();
  await slow.asked;
  const stopped = scheduled.stop();
  slow.release();
  await Promise.all([looking, stopped]);
  const asked = stripe.calls.filter((call) => call === 'GET /v1/subscriptions');
  expect(asked.length).toBeLessThan(40);
});

test('sign-ups that are due are looked at one by one, and no longer than that', async () => {
  const world = await openBillingWorld();
  const { config, stripe, store } = world;
  const options = { ...world, config: () => config, first: config, measures: noMeasures };
  const { fetch } = globalThis;
  const billing = await openBilling({ ...options, fetch, owner: 'process' });
  for (const name of ['one', 'two', 'three']) {
    const about = { user: name, account: `acc_${name}`, isNew: true, product: 'api', plan: 'team' };
    const attempt = { attempt: 1, attemptAt: world.now, createdAt: world.now, dueAt: world.now };
    const document = { ...about, ...attempt, state: 'paying', session: `cs_${name}` } as const;
    await store.write('signup', `${name}.api`, document, { expect: 'absent' });
  }
  await billing?.signups.sweep(() => stripe.calls.length === 0);
  expect(stripe.calls).toEqual(['GET /v1/checkout/sessions/cs_one']);
  await billing?.stop();
});

test('what never answers is not waited for', async () => {
  const world = await openBillingWorld();
  const asked = Promise.withResolvers<void>();
  const { config } = world;
  const billing = await openBilling({
    ...world,
    config: () => config,
    first: config,
    fetch: () => {
      asked.resolve();
      return new Promise(() => undefined);
    },
    measures: noMeasures,
    owner: 'process',
  });
  billing?.start();
  await asked.promise;
  await billing?.stop();
}, 30_000);
