/** Ids that people and accounts moved in with may be the same: they are somebody else's for all that. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow, newcomer, sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';

let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld();
});
afterAll(() => world?.close());

test('nobody is sent to the payment of an account that has the id of their own', async () => {
  const { directory } = world.server;
  const team = { product: 'api', plan: 'team', period: 'month' };
  const [owner, stranger] = [newcomer('owner'), newcomer('stranger')];
  const arrive = (id: string, { subject }: { subject: string }) =>
    directory.createUser({
      id,
      name: id,
      identities: [{ provider: 'upstream', issuer: world.upstream.issuer, subject }],
    });
  await arrive('16', owner);
  await arrive('17', stranger);
  await directory.createAccount({ id: '17', name: 'Initrode', owner: '16' });
  const theirs = await follow(world.browser(), world.issuer, team, { someone: owner });
  const other = await follow(world.browser(), world.issuer, team, { someone: stranger });
  expect(sessionOf(other.url)).not.toBe(sessionOf(theirs.url));
  const session = await world.api.checkout.sessions.retrieve(sessionOf(other.url));
  expect(session.client_reference_id).not.toBe('17');
});
