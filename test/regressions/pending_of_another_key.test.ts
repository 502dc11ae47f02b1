/** A payment that was on its way when the key of Stripe changed is not looked at first, again and again, for ever. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow, newcomer, sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';

const day = 86_400_000;

let world: SignupWorld;
beforeAll(async () => {
  world = await startSignupWorld();
});
afterAll(() => world?.close());

test('a session that Stripe does not know any more', async () => {
  const link = { product: 'api', plan: 'team', period: 'month', quantity: '2' };
  const page = await follow(world.browser(), world.issuer, link, { someone: newcomer('slow') });
  const session = sessionOf(page.url);
  await world.stripe.checkout.pay(session, { card: 'bank_debit' });
  await world.server.billing?.signups.fulfil(session);
  const signup = (await world.store.find('signup', 'session', session))[0]!;
  expect(signup.document.state).toBe('pending');
  // As with the key of another account.
  const elsewhere = { ...signup.document, session: 'cs_test_elsewhere' };
  await world.store.write('signup', signup.id, elsewhere, { expect: signup.version });
  await world.stripe.advance(2 * day);
  await world.server.billing?.signups.sweep();
  expect(await world.store.due('signup', world.stripe.now(), 10)).toEqual([]);
  expect((await world.store.get('signup', signup.id))?.document.state).toBe('pending');
});
