/** What Stripe tells between the reading for a new account and its writing is not lost. */

import { expect, test } from 'vitest';
import { noMeasures } from '../../src/base/measures.ts';
import { openBilling } from '../../src/billing/billing.ts';
import { openBillingWorld } from '../billing/world.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';

test('another plan, whose event finds no account yet', async () => {
  const world = await openBillingWorld();
  const { config, store, stripe } = world;
  const { fetch } = globalThis;
  const shared = { ...world, config: () => config, first: config, measures: noMeasures };
  const billing = await openBilling({ ...shared, fetch, owner: 'process' });
  await world.directory.createUser({ id: 'eve', name: 'Eve' });
  const about = { user: 'eve', account: 'acc_eve', isNew: true, product: 'api', plan: 'team' };
  const attempt = { attempt: 1, attemptAt: world.now, createdAt: world.now, dueAt: world.now };
  const at = { state: 'paying', session: 'cs_eve', customer: 'cus_eve' } as const;
  await store.write('signup', 'eve.api', { ...about, ...attempt, ...at }, { expect: 'absent' });
  const metadata = {
    tollgate_account: 'acc_eve',
    tollgate_product: 'api',
    tollgate_signup: 'eve.api',
  };
  stripe.objects.set('cs_eve', {
    id: 'cs_eve',
    object: 'checkout.session',
    mode: 'subscription',
    livemode: false,
    client_reference_id: 'acc_eve',
    metadata,
    customer: 'cus_eve',
    subscription: 'sub_eve',
    status: 'complete',
    payment_status: 'paid',
  });
  const sell = (price: string) => {
    const subscriptions = [aSubscription('sub_eve', 'cus_eve', { metadata, price })];
    stripe.customers.set('cus_eve', { subscriptions, entitlements: [] });
  };
  sell('price_team');
  const reading = stripe.hold('/v1/subscriptions');
  const fulfilled = billing?.signups.fulfil('cs_eve');
  await reading.asked;
  sell('price_business');
  expect(await billing?.sync.customer('cus_eve')).toEqual({ differences: {} });
  reading.release();
  await fulfilled;
  const { document } = await world.account('acc_eve');
  expect(document.subscriptions?.api?.plan).toBe('business');
  await billing?.stop();
});
