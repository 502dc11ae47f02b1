import { afterEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config.ts';
import type { AccountDocument } from '../../src/storage/documents.ts';
import { conversationOf, goesOnTo, heading, world } from './world.ts';
import type { WorldOptions } from './world.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const { products, stripe } = configSchema.pick({ products: true, stripe: true }).parse({
  products: [
    {
      id: 'analytics',
      name: 'Analytics',
      audience: 'https://api.example.com',
      plans: [{ id: 'team', name: 'Team' }],
      access: { lockOut: true },
    },
  ],
  stripe: { secretKey: 'sk_test_1234' },
});

const subscribed = (status: string): Partial<AccountDocument> => ({
  subscriptions: { analytics: { subscription: 'sub_1', status, plan: 'team' } },
});

async function start(document: Partial<AccountDocument>, options: WorldOptions = {}) {
  const made = await world({
    conversation: conversationOf('locked', { user: 'usr_ada', account: 'acc_1' }),
    accounts: { acc_1: 'Acme' },
    config: { products, stripe },
    document,
    ...options,
  });
  open.push(made);
  return made;
}

describe('the prompt of an account that is locked out', () => {
  it('leads who may pay to the portal, and from there back here', async () => {
    const { visit } = await start(subscribed('unpaid'));
    const page = await visit('/interaction/abc');
    expect([page.status, heading(page)]).toEqual([403, 'A payment for Acme is late']);
    expect(page.text).toContain(
      'href="/account/portal?account=acc_1&amp;product=analytics&amp;return_to=https%3A%2F%2Fid.example.com%2Finteraction%2Fabc"',
    );
    expect(page.text).toContain('Pay now');
  });

  it('leads to a plan where there is none (any more)', async () => {
    for (const document of [{}, subscribed('canceled')]) {
      const { visit } = await start(document);
      const page = await visit('/interaction/abc');
      expect(heading(page)).toBe('Acme has no plan');
      expect(page.text).toContain('href="/signup?account=acc_1&amp;product=analytics"');
    }
  });

  it('tells others whom to ask, and shows them nothing to pay with', async () => {
    const { visit } = await start(subscribed('unpaid'), { roles: ['member'] });
    const page = await visit('/interaction/abc');
    expect(page.text).toContain('Only an owner can pay. Ask ada@example.com.');
    expect(page.text).not.toContain('/account/portal');
  });

  it('lets a role that the configuration names pay', async () => {
    const config = { products, stripe: { ...stripe!, billingRoles: ['accountant'] } };
    const options = { roles: ['accountant'], config };
    const { visit } = await start(subscribed('unpaid'), options);
    expect((await visit('/interaction/abc')).text).toContain('/account/portal');
  });

  it('goes on once there is access', async () => {
    const { visit, finished } = await start(subscribed('active'));
    const answer = await visit('/interaction/abc');
    expect(goesOnTo(answer)).toBe('https://id.example.com/oauth2/authorize/abc');
    expect(finished).toEqual([{ locked: {} }]);
  });

  it('offers another account, and the way back to the app', async () => {
    const { submit, finished } = await start(subscribed('unpaid'));
    expect(goesOnTo(await submit({ choose: 'yes' }))).toContain('prompt=select_account');
    await submit({ leave: 'yes' });
    expect(finished).toEqual([
      { error: 'access_denied', error_description: 'The account has no access.' },
    ]);
  });
});
