import { expect, test } from 'vitest';
import { seatsOf } from '../../src/billing/seat_limits.ts';
import type { AccountDocument } from '../../src/storage/documents.ts';
import { testConfig } from '../kit/server.ts';

const base = { name: 'Acme', status: 'active' as const, owners: ['ada'], createdAt: 1 };
const subscription = { subscription: 'sub_1', status: 'active', plan: 'team', quantity: 10 };
const seven = Array.from({ length: 7 }, (_, index) => `usr_${index}`);
const account: AccountDocument = { ...base, subscriptions: { api: subscription }, seats: seven };

function terms(whenFull: 'refuse' | 'raise') {
  const seats = { min: 1, max: 50, whenFull };
  const prices = [{ period: 'month' as const }];
  const plans = [{ id: 'team', name: 'Team', prices, seats }];
  const products = [{ id: 'api', name: 'API', audience: 'https://api.example.com', plans }];
  return { config: testConfig('http://127.0.0.1', { products }), now: 2 };
}

test('people see how many of the seats are taken that are paid for', () => {
  expect(seatsOf(account, terms('refuse'))).toEqual({ taken: 7, total: 10 });
});

test('where the quantity follows the members, as many as there can be', () => {
  expect(seatsOf(account, terms('raise'))).toEqual({ taken: 7, total: 50 });
});

test('nothing where nobody counts: no plan with seats, or none was counted yet', () => {
  expect(seatsOf(base, terms('refuse'))).toBeUndefined();
  const { seats: _none, ...uncounted } = account;
  expect(seatsOf(uncounted, terms('refuse'))).toBeUndefined();
});
