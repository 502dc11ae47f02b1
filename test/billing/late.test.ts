import { expect, test } from 'vitest';
import { subscriptionClaims } from '../../src/billing/claims.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';
import { openBillingWorld } from './world.ts';

const made = 1_767_300_000;
const invoice = (id: string, status: string, created: number, subscription = 'sub_1') =>
  [id, { id, object: 'invoice', status, created, subscription }] as const;

test('past due since the oldest open invoice was made, and no longer than it is past due', async () => {
  const { sync, stripe, account } = await openBillingWorld();
  const since = async (status: string) => {
    const subscription = aSubscription('sub_1', 'cus_office', { status });
    stripe.customers.set('cus_office', { subscriptions: [subscription], entitlements: [] });
    await sync.customer('cus_office');
    return (await account()).document.subscriptions?.api?.pastDueSince;
  };
  for (const [id, one] of [
    invoice('in_1', 'open', made + 500),
    invoice('in_2', 'open', made),
    invoice('in_3', 'paid', made - 500),
    invoice('in_4', 'open', made - 900, 'sub_of_others'),
  ]) {
    stripe.objects.set(id, one);
  }
  const asked = () => stripe.calls.filter((call) => call === 'GET /v1/invoices').length;
  expect(await since('active')).toBeUndefined();
  expect(asked()).toBe(0);
  expect(await since('past_due')).toBe(made * 1000);
  // The second renewal is late as well: it counts from the first.
  stripe.objects.set(...invoice('in_5', 'open', made + 90_000));
  expect(await since('past_due')).toBe(made * 1000);
  expect(await since('active')).toBeUndefined();
});

test('the days of grace count from there', async () => {
  const { sync, stripe, account, config } = await openBillingWorld();
  const subscription = aSubscription('sub_1', 'cus_office', { status: 'past_due' });
  stripe.customers.set('cus_office', { subscriptions: [subscription], entitlements: [] });
  stripe.objects.set(...invoice('in_1', 'open', made));
  await sync.customer('cus_office');
  const [api, ...rest] = config.products;
  const products = [{ ...api!, access: { ...api!.access, pastDueDays: 7 } }, ...rest];
  const { document } = await account();
  const terms = { config: { products }, now: made * 1000 };
  expect(subscriptionClaims(document, 'api', terms)).toMatchObject({
    access: 'full',
    access_until: made + 7 * 86_400,
    past_due_since: made,
  });
});
