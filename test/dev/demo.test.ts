import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';
import { expect, test } from 'vitest';
import { startAround } from '../../dev/around.ts';
import { listen } from '../../dev/listen.ts';
import { freePortBase, portsFrom } from '../../dev/ports.ts';
import { createBrowser } from '../../dev/walk.ts';
import { startWorld } from '../../dev/world.ts';
import { runtimeArguments } from '../kit/child.ts';
import { recordingLog } from '../kit/server.ts';

const file = fileURLToPath(new URL('../../dev/demo.ts', import.meta.url));

/** Runs the command to its end. */
async function demo(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [...runtimeArguments(file), ...parameters], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

test('--story plays the story and ends well', async () => {
  const { code, output } = await demo(['--story']);
  expect([code, output]).toEqual([0, expect.stringContaining('All 47 steps came out right')]);
}, 90_000);

test('what cannot be meant is said, without a stack', async () => {
  const wrong = [
    ['--store', 'postgres'],
    ['--port-base', '80'],
    ['--around', 'https://id.example.com'],
  ];
  const answers = await Promise.all(wrong.map((parameters) => demo(parameters)));
  for (const [index, { code, output }] of answers.entries()) {
    expect([code, output]).toEqual([2, expect.stringContaining(wrong[index]?.[0] ?? '')]);
    expect(output).not.toContain('    at ');
  }
});

test('a taken port is one clear message', async () => {
  const base = await freePortBase();
  const taken = await listen(createServer(), base + 3);
  const { code, output } = await demo(['--port-base', String(base)]);
  await taken.close();
  expect(code).toBe(2);
  expect(output).toContain(`Taken: ${base + 3}.`);
});

test('--around has an empty Stripe, a provider that knows this Tollgate alone, and a place for e-mails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-around-'));
  const issuer = 'http://localhost:4400';
  const ports = portsFrom(await freePortBase());
  const stripeFile = join(folder, 'stripe.json');
  const around = await startAround({ issuer, ports, stripeFile, clock: Date.now });
  const said = (pattern: RegExp) => pattern.exec(around.introduction)?.[1] ?? '';
  const key = said(/TOLLGATE_STRIPE_SECRET_KEY=(\S+)/);
  const prices = await fetch(`${said(/apiBase: '([^']+)'/)}/v1/prices`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  expect([prices.status, await prices.json()]).toMatchObject([200, { data: [] }]);
  const provider = said(/issuer: '(http:\/\/127[^']+)'/);
  const authorize = async (place: string) => {
    const query = new URLSearchParams({
      client_id: said(/clientId: '([^']+)'/),
      redirect_uri: `${place}/integrations/oauth2/callback`,
      response_type: 'code',
      scope: 'openid',
      state: 'any',
      nonce: 'any',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    });
    const answer = await fetch(`${provider}/authorize?${query}`, { redirect: 'manual' });
    await answer.body?.cancel();
    return answer.status;
  };
  expect(await authorize(issuer)).toBe(200);
  expect(await authorize('http://localhost:4499')).toBe(400);
  const transport = createTransport(said(/TOLLGATE_MAIL_SERVER=(\S+)/));
  await transport.sendMail({
    from: 'id@example.com',
    to: 'ben@example.com',
    subject: 'Come',
    text: '',
  });
  transport.close();
  const mails = await fetch(`${said(/(\S+) +e-mails/)}/messages.json`);
  expect(await mails.json()).toMatchObject([{ to: ['ben@example.com'], subject: 'Come' }]);
  await around.close();
  await rm(folder, { recursive: true, force: true });
});

test('somebody who is signed in stays so when everything starts again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-demo-'));
  const ports = portsFrom(await freePortBase());
  const options = {
    ports,
    store: `sqlite:${join(folder, 'demo.db')}`,
    clock: Date.now,
    log: recordingLog(),
  };
  const browser = createBrowser();
  let world = await startWorld(options);
  const page = await browser.get(`${world.issuer}/signin/example`);
  await browser.submit(page, { button: 'person=grace' });
  const refresh = async () =>
    (await browser.fetch(`${world.issuer}/refresh`, { origin: world.linksApp, method: 'POST' }))
      .status;
  expect(await refresh()).toBe(200);
  await world.close();
  world = await startWorld(options);
  expect(await refresh()).toBe(200);
  await world.close();
  await rm(folder, { recursive: true });
});

test('--advance moves the running demo’s clock on, and says what became of it', async () => {
  const base = await freePortBase();
  const ports = portsFrom(base);
  const log = recordingLog();
  const world = await startWorld({ ports, store: 'sqlite::memory:', clock: Date.now, log });
  const steps = ['--advance', '10d', '--advance', '2d'];
  const moved = await demo(['--port-base', String(base), ...steps]);
  await world.close();
  expect(moved.code).toBe(0);
  const [, ten = '', two = ''] = moved.output.split(/^(?:10|2)d on it is /m);
  expect(ten).toMatch(/Acme +team_month × 5 +trialing/);
  expect(ten).toMatch(/^ {2}Acme +.*"subscription_status":"trialing"/m);
  expect(two).toMatch(/Acme +team_month × 5 +active/);
  expect(two).toMatch(/^\* Acme +.*"subscription_status":"active"/m);
  const alone = await demo(['--port-base', String(base), ...steps]);
  expect([alone.code, alone.output]).toEqual([2, expect.stringContaining('Start it with')]);
  const wrong = await demo(['--advance', 'tomorrow']);
  expect([wrong.code, wrong.output]).toEqual([2, expect.stringContaining('not tomorrow')]);
});

test('--store names a server, starts one, or says how', async () => {
  const none = await demo(['--store', 'mongodb'], {
    PATH: '/nonexistent',
    TOLLGATE_STORE: undefined,
  });
  expect([none.code, none.output]).toEqual([
    2,
    expect.stringContaining('TOLLGATE_STORE=mongodb://'),
  ]);
  expect(none.output).not.toContain('    at ');
});
