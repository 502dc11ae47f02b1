import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { config, inConfigured, run, start } from './program.ts';

const stack = /^\s+at .+:\d+/m;

test('help and version say so and end well', async () => {
  await inConfigured({}, async (folder) => {
    const help = await run({ folder, parameters: ['help'] });
    expect(help).toMatchObject({ code: 0, errors: '' });
    for (const word of ['serve', 'check', '--config', '--port', '--host', 'TOLLGATE_SECRET']) {
      expect(help.output).toContain(word);
    }
    const written = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(written) as { version: string };
    const told = await run({ folder, parameters: ['version'] });
    expect(told).toMatchObject({ code: 0, output: version });
  });
});

test.each([
  ['a command that there is not', ['srve'], '"srve"'],
  ['two commands', ['check', 'serve'], '"serve"'],
  ['an option that there is not', ['--prot', '1'], '--prot'],
  ['a port that is none', ['serve', '--port', '70000', ...config], '--port'],
  ['nothing to do with keys', ['keys', ...config], 'keys rotate'],
  ['a kind of key that there is not', ['keys', 'rotate', '--alg', 'HS256', ...config], 'HS256'],
])('%s is told in plain words', async (_name, parameters, told) => {
  await inConfigured({}, async (folder) => {
    const { code, output, errors } = await run({ folder, parameters });
    expect(code).toBe(2);
    expect(output).toBe('');
    expect(errors).toContain(told);
    expect(errors).not.toMatch(stack);
  });
});

test('check says that a configuration is good, and tells no secret', async () => {
  await inConfigured({}, async (folder) => {
    const { code, output, errors } = await run({ folder, parameters: ['check', ...config] });
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain('http://localhost:4400');
    expect(output).not.toMatch(/GOCSPX|f3b1c5|Q7\.w/);
  });
});

test('check tells what is sold, what is missing for it, and no key', async () => {
  const plans = [
    { id: 'free', name: 'Free' },
    { id: 'team', name: 'Team', prices: [{ period: 'month', lookupKey: 'team_monthly' }] },
  ];
  const products = [{ id: 'api', name: 'API', audience: 'https://api.example.com', plans }];
  await inConfigured({ products }, async (folder) => {
    const environment = { TOLLGATE_STRIPE_SECRET_KEY: 'sk_test_51Nq8Yx2eZ' };
    const parameters = ['check', ...config];
    const { code, output, errors } = await run({ folder, parameters, environment });
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain('plans      api/free (free), api/team');
    expect(output).toContain('stripe     https://api.stripe.com, test mode');
    expect(output).toContain('tollgate stripe push');
    expect(output).not.toContain('51Nq8');
    const program = start({ folder, parameters: config, environment });
    await program.listening();
    program.signal('SIGTERM');
    const served = await program.ended;
    expect(served.output).toMatch(/"level":"warn".*tollgate stripe push/);
    expect(served.output).not.toContain('51Nq8');
  });
});

test('T79 check, and serve as well, tell all that is wrong and start nothing', async () => {
  await inConfigured({ issuer: 'http://id.example.com', prot: 1 }, async (folder) => {
    for (const command of ['check', 'serve']) {
      const { code, output, errors } = await run({ folder, parameters: [command, ...config] });
      expect({ code, output }).toEqual({ code: 1, output: '' });
      expect(errors).toContain('issuer: "http://id.example.com" is not secure.');
      expect(errors).toContain('Did you mean `port`?');
      expect(errors).not.toMatch(stack);
    }
  });
});

test('a configuration that is not there is told in plain words', async () => {
  await inConfigured({}, async (folder) => {
    const { code, errors } = await run({ folder, parameters: ['--config', 'absent.ts'] });
    expect(code).toBe(1);
    expect(errors).toContain('absent.ts');
    expect(errors).not.toMatch(stack);
  });
});

test('keys says how they stand, for people and for programs, and never what they are', async () => {
  await inConfigured({ store: 'sqlite:./keys.db' }, async (folder) => {
    const keys = (...parameters: string[]) =>
      run({ folder, parameters: ['keys', ...parameters, ...config] });
    const none = await keys('list');
    expect(none).toMatchObject({ code: 0, errors: '' });
    expect(none.output).toContain('no keys yet');
    const first = await keys('rotate');
    expect(first.output).toContain('There is a new key: ES256.1');
    expect(first.output).toContain('There is a new key: RS256.1');
    const second = await keys('rotate', '--alg', 'ES256');
    expect(second.output).toContain('There is a new key: ES256.2');
    expect(second.output).not.toContain('RS256');
    expect((await keys('rotate', '--alg', 'ES256')).output).toContain('a new key already: ES256.2');
    const listed = await keys('list', '--json');
    const entries = JSON.parse(listed.output) as Record<string, string>[];
    expect(entries.map(({ slot, state }) => [slot, state])).toEqual([
      ['RS256.1', 'signing'],
      ['ES256.2', 'waiting'],
      ['ES256.1', 'signing'],
    ]);
    expect(Object.keys(entries[0] ?? {}).toSorted()).toEqual([
      'alg',
      'created_at',
      'kid',
      'signs_from',
      'slot',
      'state',
    ]);
  });
});

test('keys are not rotated with another secret than theirs, and it is told in plain words', async () => {
  await inConfigured({ store: 'sqlite:./keys.db' }, async (folder) => {
    const rotate = (environment: Record<string, string> = {}) =>
      run({ folder, parameters: ['keys', 'rotate', ...config], environment });
    expect((await rotate()).code).toBe(0);
    const { code, errors } = await rotate({ TOLLGATE_SECRET: '0c7d91f25e8b4a63d1f0927ab45c6e38' });
    expect(code).toBe(1);
    expect(errors).toContain('another secret');
    expect(errors).not.toMatch(stack);
  });
});
