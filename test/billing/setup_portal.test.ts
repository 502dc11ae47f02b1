/** The portal that `tollgate stripe push` has made, when plans come into the configuration later. */

import { expect, test } from 'vitest';
import type { Finding } from '../../src/billing/setup/setup.ts';
import { emptyAccount, statesOf, team, told } from './setup_world.ts';
import type { PlanInput } from './setup_world.ts';

async function pushed() {
  const account = await emptyAccount();
  return { ...account, setting: account.afterPush(await account.push()) };
}

test('a plan and a price that came later are added to it, and no more', async () => {
  const { api, look, push, setting } = await pushed();
  const id = setting.stripe?.portalConfiguration ?? '';
  const read = async () => {
    const expand = ['features.subscription_update.products'];
    return (await api.billingPortal.configurations.retrieve(id, { expand })).features;
  };
  // Somebody has made it their own since.
  await api.billingPortal.configurations.update(id, {
    features: {
      subscription_cancel: { mode: 'immediately' },
      subscription_update: { default_allowed_updates: ['price', 'quantity'] },
    },
  });
  const before = await read();
  const at = (period: 'month' | 'week', lookupKey: string) => [
    { period, lookupKey, amount: 700, currency: 'eur' },
  ];
  const plans: PlanInput[] = [
    { ...team, prices: [...(team.prices ?? []), ...at('week', 'team_weekly')] },
    { id: 'solo', name: 'Solo', prices: at('month', 'solo_monthly') },
  ];
  const toDo = /^portal: People cannot change to `team week`, `solo month` in it\. `.*push --yes`/;
  const ofPortal = (findings: readonly Finding[]) =>
    told(findings).filter((one) => one.startsWith('portal'));
  expect(ofPortal((await look({ ...setting, plans })).findings)).toEqual([
    expect.stringMatching(toDo),
  ]);
  expect(await read()).toEqual(before);

  const { findings } = await push({ ...setting, plans });
  expect(told(findings)).toEqual([]);
  const [weekly, solo] = ['price api/team week', 'price api/solo month'].map(
    (what) => findings.find((one) => one.what === what)?.id ?? '',
  );
  expect(statesOf(findings)).toMatchObject({
    [`team ${weekly} in the portal`]: 'made',
    [`solo ${solo} in the portal`]: 'made',
    portal: 'good',
  });
  const products = before.subscription_update.products ?? [];
  expect(await read()).toMatchObject({
    ...before,
    subscription_update: {
      ...before.subscription_update,
      products: [
        { ...products[0], prices: [...(products[0]?.prices ?? []), weekly] },
        { prices: [solo], adjustable_quantity: { enabled: false } },
      ],
    },
  });
  expect(told((await look({ ...setting, plans })).findings)).toEqual([]);
});

test('one that push has not made is left alone', async () => {
  const { api, look, push, setting } = await pushed();
  const id = setting.stripe?.portalConfiguration ?? '';
  await api.billingPortal.configurations.update(id, { metadata: { tollgate_issuer: '' } });
  const prices = [
    { period: 'month' as const, lookupKey: 'solo_monthly', amount: 700, currency: 'eur' },
  ];
  const plans = [team, { id: 'solo', name: 'Solo', prices }];
  const expected = [expect.stringMatching(/^portal: .*`solo price_\w+` in it\. .*dashboard/)];
  expect(told((await push({ ...setting, plans })).findings)).toEqual(expected);
  expect(told((await look({ ...setting, plans })).findings)).toEqual(expected);
});

test('what Stripe does not take into it is told, and the rest of push goes on', async () => {
  const { api, push, setting } = await pushed();
  const product = await api.products.create({ name: 'Another' });
  const other = await api.prices.create({
    product: product.id,
    currency: 'eur',
    unit_amount: 700,
    recurring: { interval: 'week' },
  });
  const weekly = { period: 'week' as const, price: other.id };
  const plans = [{ ...team, prices: [...(team.prices ?? []), weekly] }];
  const { findings } = await push({ ...setting, plans });
  expect(told(findings)).toEqual([
    expect.stringMatching(/^product api\/team: The prices of this plan belong to different/),
    expect.stringMatching(/^portal: .*`team price_\w+` in it\. .*in Stripe's dashboard/),
  ]);
  expect(statesOf(findings)['webhook']).toBe('good');
});
