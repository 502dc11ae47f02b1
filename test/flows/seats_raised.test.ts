/** A plan whose quantity follows its members: nobody chooses it, by no link and on no page. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBrowser } from '../../dev/walk.ts';
import { startSignupWorld, tokenAt } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { subscriber } from '../kit/subscribers.ts';

let world: SignupWorld;

beforeAll(async () => {
  const month = (lookupKey: string) => [{ period: 'month' as const, lookupKey }];
  const seats = { min: 2, max: 10 };
  const plans = [
    {
      id: 'team',
      name: 'Team',
      seats: { ...seats, whenFull: 'raise' as const },
      prices: [...month('team_month'), { period: 'year' as const, lookupKey: 'team_year' }],
    },
    { id: 'solo', name: 'Solo', seats, prices: month('solo_month') },
  ];
  const products = [{ id: 'api', name: 'API', audience: 'https://api.example.com', plans }];
  world = await startSignupWorld({ products }, { changes: 'page' });
});
afterAll(() => world?.close());

test('what a link says of it is ignored, at sign-up and in a change', async () => {
  // More than there may be, too.
  const one = await subscriber(world, { quantity: '70' });
  const claims = async () => (await tokenAt(one.browser, world.issuer)).claims;
  expect(await claims()).toMatchObject({ plan: 'team', quantity: 2 });
  const change = (query: string) =>
    one.browser.get(`${world.issuer}/account/switch/api?quantity=7&${query}`);
  expect((await change('plan=team')).text).toContain('You have this plan already');
  const page = await change('period=year');
  expect(page.text).toContain('2 seats');
  expect(page.text).not.toContain('7 seats');
  await one.browser.submit(page);
  expect(await claims()).toMatchObject({ period: 'year', quantity: 2 });
  // Of a plan with another rule it counts.
  await one.browser.submit(await change('plan=solo'));
  expect(await claims()).toMatchObject({ plan: 'solo', quantity: 7 });
});

test('the page of plans asks for seats only where they are chosen', async () => {
  const { forms } = await createBrowser().get(`${world.issuer}/signup?product=api&quantity=4`);
  const quantities = forms.map(({ fields }) =>
    ['plan', 'quantity'].map((name) => fields.find((field) => field.name === name)?.value),
  );
  expect(quantities).toEqual([
    ['team', undefined],
    ['solo', '4'],
  ]);
});
