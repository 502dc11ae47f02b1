/** Whoever owes a period got credit for it at Stripe, by changing to something that costs less. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { subscriber } from '../kit/subscribers.ts';

const day = 86_400_000;
let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld({}, { changes: 'page' });
});
afterAll(() => world?.close());

test('what is open is paid before a plan is changed', async () => {
  const { subscription, account, customer } = await subscriber(world, { period: 'year' });
  const useCard = async (card: string) => {
    const session = await world.api.billingPortal.sessions.create({ customer });
    await world.stripe.portal.setCard(session.id, card);
  };
  await useCard(cards.failsLater);
  await world.stripe.advance(366 * day);
  const { sync, switching } = world.server.billing!;
  await sync.customer(customer);
  const owing = (await world.server.directory.account(account))!;
  expect(owing.subscriptions?.api?.status).toBe('past_due');
  const wish = { product: 'api', plan: 'solo' };
  await expect(switching.prepare(owing, wish)).rejects.toMatchObject({ code: 'payment_late' });
  const { latest_invoice: open } = await world.api.subscriptions.retrieve(subscription);
  await useCard(cards.pays);
  await world.api.invoices.pay(String(open));
  await sync.customer(customer);
  const paid = (await world.server.directory.account(account))!;
  expect((await switching.prepare(paid, wish)).is).toBe('change');
});
