/** Invitations to an account that pays for its members: the last place is taken once, by one of those who were invited. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import { newcomer, signInAt, startSignupWorld, tokenAt } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { subscriber } from '../kit/subscribers.ts';

let world: SignupWorld;

beforeAll(async () => {
  const prices = [{ period: 'month' as const, lookupKey: 'team_month' }];
  const plans = [{ id: 'team', name: 'Team', seats: { min: 2, max: 10 }, prices }];
  const products = [{ id: 'api', name: 'API', audience: 'https://api.example.com', plans }];
  world = await startSignupWorld({ products });
});
afterAll(() => world?.close());

test('of two who take the last place at once one is in, and the other is told, and can try again', async () => {
  const { account, user } = await subscriber(world, { quantity: '2' });
  const { invitations } = world.server.directory;
  const guests: { browser: Browser; page: Page; id: string }[] = [];
  for (const name of ['kim', 'lee']) {
    const someone = newcomer(name);
    const wish = { account, by: user, email: someone.email };
    const { id } = (await invitations.invite(wish)).invitation;
    const browser = world.browser();
    const page = await browser.get(`${world.issuer}/invitation/${invitations.token(id)}`);
    // Signed in as who they are, and back at the invitation, which is for them: in as far as there is a place.
    const other = await browser.submit(page, { button: 'do=accept' });
    guests.push({ browser, page: other, id });
  }
  const ends = await Promise.all(
    guests.map(({ browser, page }, index) =>
      signInAt(browser, page, { someone: newcomer(index === 0 ? 'kim' : 'lee') }),
    ),
  );
  expect(ends.filter(({ stopped }) => stopped)).toHaveLength(1);
  const late = ends.findIndex(({ stopped }) => !stopped);
  const page = ends[late];
  const guest = guests[late];
  if (page === undefined || guest === undefined) throw new Error('nobody was late');
  expect(page.status).toBe(402);
  expect(page.text).toContain('There is no free place right now');
  expect((await invitations.get(guest.id))?.document.state).toBe('open');
  // Somebody leaves, and there is a place.
  const first = guests[1 - late];
  const came = (await invitations.get(first?.id ?? ''))?.document.candidate ?? '';
  await world.server.directory.removeMember(account, came);
  const again = await guest.browser.follow(page, 'Try again');
  const end = await guest.browser.submit(again, { button: 'do=accept' });
  expect(end.stopped).toBe(true);
  const { claims } = await tokenAt(guest.browser, world.issuer);
  expect(claims).toMatchObject({ account, roles: ['member'] });
});
