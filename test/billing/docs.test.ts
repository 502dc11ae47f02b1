/** `docs/billing.md` says what the code does. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { handledTypes } from '../../src/billing/event_kinds.ts';
import { remedyOf, standingOf } from '../../src/billing/policy.ts';
import { remedies } from '../../src/links/account_state.ts';
import { productSchema } from '../../src/config/product_schema.ts';
import { billingTexts } from '../../views/billing_texts.ts';
import { configSchema, loadConfig } from '../../src/config.ts';
import { goodInput, inFolder } from '../config/world.ts';

const page = readFileSync(new URL('../../docs/billing.md', import.meta.url), 'utf8');

/** What is between `<!-- name -->` and `<!-- /name -->`. */
function part(name: string): string[] {
  const [, inner = ''] = page.split(new RegExp(`<!-- /?${name} -->\n`));
  return inner.trim().split('\n');
}

test('the events to choose are those that are handled', () => {
  expect(part('events')).toEqual(handledTypes.map((type) => `- \`${type}\``));
});

describe('the table of states', () => {
  const day = 86_400_000;
  const now = Date.UTC(2027, 0, 1);
  const rows = part('states')
    .slice(2)
    .map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const words: Record<string, string> = {
    pay: billingTexts.locked.action.pay,
    resume: billingTexts.locked.action.resume,
    subscribe: billingTexts.locked.action.subscribe,
  };

  test('has each word of Stripe', () => {
    const said = rows.map(([, word]) => word);
    expect(said.toSorted()).toEqual([
      'active',
      'any other',
      'canceled',
      'incomplete',
      'incomplete_expired',
      'no subscription',
      'past_due',
      'past_due, over',
      'paused',
      'trialing',
      'unpaid',
    ]);
  });

  test.each(rows)('%s %s', (_, word = '', _means, access, withFreePlan, lockedOut) => {
    const [status = ''] = word.split(',');
    const since = now - (word.endsWith('over') ? 8 : 1) * day;
    const projection = {
      subscription: 'sub_1',
      status: word === 'any other' ? 'frozen' : status,
      plan: 'team',
      periodEnd: now + day,
      ...(status === 'past_due' && { pastDueSince: since }),
    };
    const account = word === 'no subscription' ? {} : { subscriptions: { api: projection } };
    const standing = (more: object) => {
      const plans = [
        { id: 'free', name: 'Free' },
        { id: 'team', name: 'Team', prices: [{ period: 'month', lookupKey: 'team_monthly' }] },
      ];
      const product = productSchema.parse({
        id: 'api',
        name: 'API',
        audience: 'https://api.example.com',
        plans,
        access: { pastDueDays: 7, ...more },
      });
      return standingOf(account, 'api', { config: { products: [product] }, now });
    };
    const said = ({ allowed }: { allowed: boolean }) => (allowed ? 'full' : 'none');
    expect(said(standing({}))).toBe(access);
    expect(said(standing({ freePlan: 'free' }))).toBe(withFreePlan);
    const locked = standing({});
    expect(locked.allowed ? '' : words[remedyOf(locked)]).toBe(lockedOut);
  });
});

test('the table of what people see has each title of the page, with its button', () => {
  const rows = part('page')
    .slice(2)
    .map((row) => row.split('|').map((cell) => cell.trim()));
  const { states, action } = billingTexts.account;
  const names = Object.keys(states) as (keyof typeof states)[];
  const shown = new Map<string, string>();
  for (const name of names) {
    const remedy = remedies[name];
    if (remedy !== undefined) shown.set(states[name].title, action[remedy]);
    else if (!shown.has(states[name].title)) shown.set(states[name].title, '');
  }
  const written = rows.map(([, title = '', , button = '']) => [title, button]);
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(shown));
  expect(written).toHaveLength(shown.size);
});

test('the configuration to begin with is a good one', async () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
  expect(code).toContain('plans');
  const rest = JSON.stringify(goodInput()).slice(1, -1);
  const files = { 'tollgate.config.ts': `export default { ${rest}, ${code} };` };
  await inFolder(files, async (folder) => {
    const env = { TOLLGATE_STRIPE_SECRET_KEY: 'sk_test_51Nq8' };
    const { registration, products } = await loadConfig({
      file: join(folder, 'tollgate.config.ts'),
      env,
    });
    expect(registration).toBe('checkout');
    expect(products[0]?.plans.map(({ id }) => id)).toEqual(['free', 'team']);
  });
});

test('keys that it names are keys of the configuration', () => {
  const product = configSchema.shape.products.unwrap().element.shape;
  const known = {
    stripe: Object.keys(configSchema.shape.stripe.unwrap().shape),
    signup: Object.keys(configSchema.shape.signup.unwrap().shape),
    access: Object.keys(product.access.unwrap().shape),
  };
  const named = [...page.matchAll(/`(stripe|signup|access)\.(\w+)[^`]*`/g)];
  expect(named.length).toBeGreaterThan(10);
  for (const [, group = '', key] of named) {
    expect(known[group as keyof typeof known], `${group}.${key}`).toContain(key);
  }
});

test('links of it lead to somewhere', () => {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
  const anchors = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
  expect(anchors.length).toBeGreaterThan(5);
  for (const anchor of anchors) expect(headings).toContain(anchor);
  for (const [, path = ''] of page.matchAll(/\]\(([^#)][^)]*?)(#[^)]*)?\)/g)) {
    expect(() =>
      readFileSync(new URL(path, new URL('../../docs/', import.meta.url))),
    ).not.toThrow();
  }
});
