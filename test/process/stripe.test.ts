/** `tollgate stripe …`, as an operator runs it, against the simulator. */

import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { startStripe } from '../../dev/stripe/simulator.ts';
import { metered, team } from '../billing/setup_world.ts';
import { config, inConfigured, run } from './program.ts';

const stack = /^\s+at .+:\d+/m;
const outgoing = { allowPrivate: ['127.0.0.0/8'] };
const products = [
  { id: 'api', name: 'Example', audience: 'https://api.example.com', plans: [team, metered] },
];

/** Runs commands in a folder with a configuration that sells by the simulator. */
async function atStripe(
  use: (stripe: {
    command: (words: string, environment?: Record<string, string>) => ReturnType<typeof run>;
    simulator: Awaited<ReturnType<typeof startStripe>>;
    folder: string;
  }) => Promise<void>,
) {
  const simulator = await startStripe({ port: 0 });
  onTestFinished(() => simulator.close());
  const stripe = { apiBase: simulator.url };
  const change = { outgoing, products, stripe, store: 'sqlite:./tollgate.db' };
  await inConfigured(change, (folder) =>
    use({
      simulator,
      folder,
      command: (words, environment = {}) =>
        run({
          folder,
          parameters: [...words.split(' '), ...config],
          environment: { TOLLGATE_STRIPE_SECRET_KEY: simulator.secretKey, ...environment },
        }),
    }),
  );
}

test('push says what it would make, makes it when it is told to, and then check finds all of it', async () => {
  await atStripe(async ({ command, simulator }) => {
    const missing = await command('stripe check');
    expect(missing).toMatchObject({ code: 1, errors: '' });
    expect(missing.output).toContain(`Stripe account ${simulator.accountId}, test mode`);
    expect(missing.output).toMatch(/^missing +price api\/team month$/m);
    expect(missing.output).toContain('tollgate stripe push --yes');

    const would = await command('stripe push');
    expect(would).toMatchObject({ code: 0, errors: '' });
    expect(would.output).toContain('Nothing is made without --yes.');
    expect(simulator.calls.filter(({ method }) => method !== 'GET')).toEqual([]);

    const made = await command('stripe push --yes');
    expect(made).toMatchObject({ code: 0, errors: '' });
    expect(made.output).toMatch(/^made +price api\/team month +\S+$/m);
    const secret = /whsec_\S+/.exec(made.output)?.[0] ?? '';
    expect(secret).not.toBe('');

    const environment = { TOLLGATE_STRIPE_WEBHOOK_SECRETS: secret };
    const unnamed = await command('stripe check', environment);
    expect(unnamed.code).toBe(1);
    expect(unnamed.output).toMatch(/^portal: It is not in use\. Set `stripe\.portalConfiguration/m);
    const told = await command('stripe check --json', environment);
    const { account, live, good, findings } = JSON.parse(told.output) as {
      account: string;
      live: boolean;
      good: boolean;
      findings: { what: string; state: string }[];
    };
    expect({ account, live, good }).toEqual({
      account: simulator.accountId,
      live: false,
      good: false,
    });
    expect(findings.filter(({ state }) => state !== 'good')).toEqual([
      expect.objectContaining({ what: 'portal', state: 'different' }),
    ]);
    for (const { output } of [missing, would, made, unnamed, told]) {
      expect(output).not.toContain(simulator.secretKey);
    }
  });
});

test('what is asked for has to make sense', async () => {
  await atStripe(async ({ command }) => {
    for (const words of ['stripe', 'stripe pull', 'stripe check all', 'stripe sync one two']) {
      const { code, output, errors } = await command(words);
      expect({ words, code, output }).toEqual({ words, code: 2, output: '' });
      expect(errors).toContain('tollgate help');
    }
  });
  await inConfigured({}, async (folder) => {
    const { code, errors } = await run({ folder, parameters: ['stripe', 'check', ...config] });
    expect(code).toBe(1);
    expect(errors).toContain('TOLLGATE_STRIPE_SECRET_KEY');
  });
});

test('a wrong key is told in a sentence, and is not shown', async () => {
  await atStripe(async ({ command }) => {
    for (const words of ['stripe check', 'stripe push --yes', 'stripe sync']) {
      const { code, output, errors } = await command(words, {
        TOLLGATE_STRIPE_SECRET_KEY: 'sk_test_51NotTheKey',
      });
      expect({ words, code, output }).toEqual({ words, code: 1, output: '' });
      expect(errors).toContain('Stripe does not know the key');
      expect(errors).not.toMatch(/51NotTheKey/);
      expect(errors).not.toMatch(stack);
    }
  });
});

test('a right that a restricted key lacks is told, and so is that nobody answers', async () => {
  await atStripe(async ({ command, simulator }) => {
    simulator.fail({ kind: 'status', status: 403, path: '/v1/products', times: 1 });
    const { code, errors } = await command('stripe check');
    expect(code).toBe(1);
    expect(errors).toMatch(/^The key is a restricted one and lacks /);
    expect(errors).not.toMatch(stack);
  });
  const closed = createServer();
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const stripe = { apiBase: `http://127.0.0.1:${port}`, secretKey: 'sk_test_51Nq8' };
  await inConfigured({ outgoing, products, stripe }, async (folder) => {
    const { code, errors } = await run({ folder, parameters: ['stripe', 'check', ...config] });
    expect(code).toBe(1);
    expect(errors).toContain(`http://127.0.0.1:${port} does not answer`);
    expect(errors).not.toMatch(stack);
  });
});
