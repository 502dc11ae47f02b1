/** Whoever's account is closed, or who has left it, can sign up anew: they were sent to that account for three months. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow, sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { subscriber } from '../kit/subscribers.ts';

const team = { product: 'api', plan: 'team', period: 'month' };
let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld();
});
afterAll(() => world?.close());

async function expectAnotherAccount(account: string, url: string): Promise<void> {
  const session = await world.api.checkout.sessions.retrieve(sessionOf(url));
  expect(session.client_reference_id).not.toBe(account);
}

test('after the account was closed', async () => {
  const { account, someone } = await subscriber(world);
  await world.server.directory.closeAccount(account);
  const page = await follow(world.browser(), world.issuer, team, { someone });
  await expectAnotherAccount(account, page.url);
});

test('after they have left it to somebody else', async () => {
  const { account, someone, user } = await subscriber(world);
  const { directory } = world.server;
  const { id } = await directory.createUser({ name: 'Successor' });
  await directory.addMember(account, id, ['owner']);
  await directory.removeMember(account, user);
  const page = await follow(world.browser(), world.issuer, team, { someone });
  await expectAnotherAccount(account, page.url);
});
