/** Somebody was deleted while their payment was on its way: an account that is nobody's was paid for, for ever. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { follow, newcomer, sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';

let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld();
});
afterAll(() => world?.close());

test('the subscription ends, and the log says that there is something to pay back', async () => {
  world.stripe.webhooks.pause();
  const team = { product: 'api', plan: 'team', period: 'month' };
  const page = await follow(world.browser(), world.issuer, team, { someone: newcomer('goes') });
  const session = sessionOf(page.url);
  const [signup] = await world.store.find('signup', 'session', session);
  const { user, account } = signup!.document;
  await world.server.directory.setUserStatus(user, 'deleted');
  await world.stripe.checkout.pay(session, { card: cards.pays });
  await world.server.billing!.signups.fulfil(session);
  await world.server.billing!.signups.fulfil(session);

  const { subscription } = await world.api.checkout.sessions.retrieve(session);
  expect((await world.api.subscriptions.retrieve(String(subscription))).status).toBe('canceled');
  expect(await world.store.get('account', account)).toBeUndefined();
  const told = world.log.lines.filter((line) => JSON.stringify(line).includes('pay it back'));
  expect(told.length).toBeGreaterThan(0);
  world.stripe.webhooks.drop();
});
