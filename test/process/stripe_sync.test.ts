/** `tollgate stripe sync`: accounts that differ from Stripe are told, and made what it says. */

import { expect, onTestFinished, test } from 'vitest';
import { openStores } from '../../src/stores.ts';
import { aSubscription, startScriptedStripe } from '../kit/scripted_stripe.ts';
import { recordingLog } from '../kit/server.ts';
import { config, inConfigured, run } from './program.ts';

const prices = [{ period: 'month', price: 'price_team' }];
const products = [
  {
    id: 'api',
    name: 'API',
    audience: 'https://api.example.com',
    plans: [{ id: 'team', name: 'Team', prices }],
  },
];

test('each difference is told once, and what nobody can mend by itself each time', async () => {
  const stripe = await startScriptedStripe();
  onTestFinished(() => stripe.close());
  const has = (customer: string, subscriptions: Record<string, unknown>[]) =>
    stripe.customers.set(customer, { subscriptions, entitlements: [] });
  // Whether anybody answers is asked without a customer.
  has('', []);
  has('cus_none', []);
  has('cus_one', [aSubscription('sub_one', 'cus_one')]);
  has(
    'cus_two',
    ['sub_a', 'sub_b'].map((id) => aSubscription(id, 'cus_two')),
  );
  const change = {
    store: 'sqlite:./tollgate.db',
    outgoing: { allowPrivate: ['127.0.0.0/8'] },
    products,
    stripe: { apiBase: stripe.url, secretKey: 'sk_test_51Nq8' },
  };
  await inConfigured(change, async (folder) => {
    const store = await openStores(
      { store: `sqlite:${folder}/tollgate.db`, hot: undefined },
      { clock: Date.now, log: recordingLog() },
    );
    onTestFinished(() => store.close());
    for (const name of ['none', 'one', 'two']) {
      const document = { name, status: 'active' as const, owners: [], createdAt: 0 };
      const account = { ...document, customer: `cus_${name}` };
      await store.write('account', `acc_${name}`, account, { expect: 'absent' });
    }
    const sync = (...words: string[]) =>
      run({ folder, parameters: ['stripe', 'sync', ...words, ...config] });

    const first = await sync();
    expect(first).toMatchObject({ code: 1, errors: '' });
    expect(first.output).toMatch(
      /^2 of 3 accounts differ\. Their documents are now as Stripe says/,
    );
    expect(first.output).toMatch(/^acc_one +api +.*subscription/m);
    expect(first.output).toMatch(/^acc_two +api +sub_b is a second live subscription/m);
    const { document } = (await store.get('account', 'acc_one')) ?? {};
    expect(document?.subscriptions?.['api']).toMatchObject({
      subscription: 'sub_one',
      plan: 'team',
    });

    const second = await sync('--json');
    expect(second.code).toBe(1);
    expect(JSON.parse(second.output)).toEqual({
      accounts: 3,
      differing: [
        {
          account: 'acc_two',
          differences: {},
          strays: [{ subscription: 'sub_b', why: 'duplicate', product: 'api' }],
        },
      ],
      failed: [],
    });

    const one = await sync('acc_one');
    expect(one).toMatchObject({ code: 0, errors: '', output: '0 of 1 accounts differ.' });
    const unknown = await sync('acc_unknown');
    expect(unknown).toMatchObject({ code: 1, output: '', errors: 'There is no such account.\n' });
  });
});
