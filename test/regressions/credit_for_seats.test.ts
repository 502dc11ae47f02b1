/** Whoever owes a period got credit for its seats at Stripe, when members left. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { subscriber } from '../kit/subscribers.ts';

const day = 86_400_000;
let world: SignupWorld;

beforeAll(async () => {
  const products = [
    {
      id: 'api',
      name: 'API',
      audience: 'https://api.example.com',
      plans: [
        {
          id: 'team',
          name: 'Team',
          seats: { min: 1, max: 10, whenFull: 'raise' as const },
          prices: [{ period: 'month' as const, lookupKey: 'team_month' }],
        },
      ],
    },
  ];
  world = await startSignupWorld({ products });
});
afterAll(() => world?.close());

test('the quantity is lowered when the period is paid', async () => {
  const one = await subscriber(world, { quantity: '1' });
  const { directory, billing, dispatcher } = world.server;
  const { id: guest } = await directory.createUser({ name: 'Guest' });
  await directory.addMember(one.account, guest, ['member']);
  const useCard = async (card: string) => {
    const session = await world.api.billingPortal.sessions.create({ customer: one.customer });
    await world.stripe.portal.setCard(session.id, card);
  };
  await useCard(cards.failsLater);
  await world.stripe.advance(32 * day);
  await billing!.sync.customer(one.customer);
  const atStripe = () => world.api.subscriptions.retrieve(one.subscription);
  const { status, latest_invoice: open } = await atStripe();
  expect(status).toBe('past_due');

  await directory.removeMember(one.account, guest);
  await dispatcher.drain();
  expect((await atStripe()).items.data[0]?.quantity).toBe(2);

  await useCard(cards.pays);
  await world.api.invoices.pay(String(open));
  await billing!.sync.customer(one.customer);
  await dispatcher.drain();
  expect((await atStripe()).items.data[0]?.quantity).toBe(1);
});
