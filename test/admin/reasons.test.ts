/** `tollgate accounts reasons`: who left, and why. */

import { expect, test } from 'vitest';
import { findReasons, reasons } from '../../src/admin/reasons.ts';
import type { AccountDocument } from '../../src/storage/documents.ts';
import { openWorld } from '../events/world.ts';

const options = { now: false, 'at-period-end': false, yes: false, json: false };
const base = { name: 'Acme', status: 'active', owners: ['usr_ada'], createdAt: 1 } as const;
const march = Date.UTC(2026, 2, 1);
const april = Date.UTC(2026, 3, 1);

type Given = Partial<AccountDocument>;
const sold = (one: object): Given => ({
  subscriptions: { api: { subscription: 'sub_1', status: 'canceled', plan: 'team', ...one } },
});

async function storeOf(accounts: Record<string, Given>) {
  const { store } = await openWorld();
  for (const [id, given] of Object.entries(accounts)) {
    const document = { ...base, owners: [...base.owners], ...given };
    await store.write('account', id, document, { expect: 'absent' });
  }
  return store;
}

const left = {
  acc_open: {},
  acc_closing: { closing: { askedAt: march, endsAt: april, feedback: 'unused', reason: 'Bye.' } },
  acc_closed: {
    status: 'closed' as const,
    closed: { at: april, feedback: 'unused', reason: 'Not\nused \u001B[31m' },
    ...sold({
      endedAt: april,
      cancellation: { reason: 'cancellation_requested', feedback: 'unused' },
    }),
  },
  acc_silent: { status: 'closed' as const, closed: { at: march } },
  acc_strange: { status: 'closed' as const, closed: { at: march, feedback: '__proto__' } },
  acc_portal: sold({
    status: 'active',
    cancelAt: april,
    cancellation: {
      reason: 'cancellation_requested',
      feedback: 'too_expensive',
      comment: 'Costs.',
    },
  }),
  acc_kept: sold({ status: 'active', cancellation: { feedback: 'too_expensive' } }),
  acc_unpaid: sold({ endedAt: april, cancellation: { reason: 'payment_failed' } }),
};

test('closings and cancellations are counted once each, by the words that there are', async () => {
  const found = await findReasons(await storeOf(left));
  expect(found).toMatchObject({ closings: 4, cancellations: 1 });
  expect(found.feedback).toEqual([
    { feedback: 'unknown', closings: 2, cancellations: 0, share: 0.4 },
    { feedback: 'unused', closings: 2, cancellations: 0, share: 0.4 },
    { feedback: 'too_expensive', closings: 0, cancellations: 1, share: 0.2 },
  ]);
  const texts = found.texts.map(({ account }) => account);
  expect(texts.toSorted()).toEqual(['acc_closed', 'acc_closing', 'acc_portal']);
  expect(texts.at(-1)).toBe('acc_closing');
});

test('since a moment, for people and for programs', async () => {
  const store = await storeOf(left);
  const since = '2026-03-15T00:00:00Z';
  const text = await reasons({ store }, { ...options, since });
  expect(text).toMatch(/all +1 +1 +100\.0 %/);
  expect(text).toContain('Not used');
  expect(text).not.toContain('\u001B');
  const parsed: unknown = JSON.parse(await reasons({ store }, { ...options, json: true, since }));
  expect(parsed).toMatchObject({ closings: 1, cancellations: 1 });
  await expect(reasons({ store }, { ...options, since: 'yesterday' })).rejects.toThrow('--since');
});

test('nobody has left, and many have', async () => {
  const none = await storeOf({});
  expect(await reasons({ store: none }, options)).toBe('Nobody has left.\n');
  const many = Array.from({ length: 1100 }, (_, index): [string, Given] => [
    `acc_${index}`,
    { status: 'closed', closed: { at: index, feedback: 'other', reason: `text ${index}` } },
  ]);
  const found = await findReasons(await storeOf(Object.fromEntries(many)));
  expect(found.closings).toBe(1100);
  expect(found.texts).toHaveLength(20);
  expect(found.texts[0]?.text).toBe('text 1099');
});
