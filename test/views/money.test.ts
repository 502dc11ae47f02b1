import { expect, test } from 'vitest';
import { money } from '../../views/money.ts';

test.each([
  [1200, 'eur', '€12.00'],
  [5, 'usd', '$0.05'],
  [1200, 'jpy', '¥1,200'],
  [1200, 'kwd', 'KWD 1.200'],
  // Written without decimals, and counted in hundredths by Stripe.
  [1200, 'isk', 'ISK 12'],
])('%i of the smallest unit of %s is %s', (amount, currency, text) => {
  expect(money(amount, currency, 'en').replaceAll('\u00a0', ' ')).toBe(text);
});
