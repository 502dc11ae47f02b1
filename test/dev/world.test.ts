import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Listening } from '../../dev/listen.ts';
import { freePortBase, portsFrom, takenPorts } from '../../dev/ports.ts';
import { playStory } from '../../dev/story.ts';
import { createBrowser } from '../../dev/walk.ts';
import { startWorld } from '../../dev/world.ts';
import type { World } from '../../dev/world.ts';
import { recordingLog } from '../kit/server.ts';

const log = recordingLog();

describe('the world', () => {
  let world: World;
  let base: number;
  beforeAll(async () => {
    base = await freePortBase();
    const ports = portsFrom(base);
    world = await startWorld({ ports, store: 'sqlite::memory:', clock: Date.now, log });
  });
  afterAll(() => world.close());

  test('the OpenID Connect app: sign in, call, refresh, switch, sign out', async () => {
    const browser = createBrowser();
    const welcome = await browser.get(`${world.oidcApp}/`);
    let page = await browser.submit(welcome, { button: 'Sign in' });
    page = await browser.submit(page, { button: 'provider=example' });
    page = await browser.submit(page, { button: 'person=ada' });
    page = await browser.submit(page, { button: 'account=acc_acme' });
    expect(page.url).toBe(`${world.oidcApp}/`);
    expect(page.visible).toMatch(
      /Ada Lovelace.*ada@example\.com.*acc_acme.*owner.*team.*trialing/s,
    );
    for (const button of ['Refresh the token', 'Call the service']) {
      page = await browser.submit(page, { button });
      expect(page.visible).toContain('"subscription_status": "trialing"');
    }
    page = await browser.submit(page, { button: 'Switch account' });
    page = await browser.submit(page, { button: 'account=acc_initech' });
    expect(page.visible).toMatch(/acc_initech.*member.*business.*active/s);
    page = await browser.submit(page, { button: 'Sign out' });
    expect([page.url, page.visible]).toEqual([
      `${world.oidcApp}/`,
      expect.stringContaining('Nobody is signed in.'),
    ]);
  });

  test('the list of apps: each begins the sign-in itself, for whom Tollgate alone may send', async () => {
    const browser = createBrowser();
    let page = await browser.get(`${world.issuer}/apps?account=acc_globex`);
    page = await browser.submit(page, { button: 'provider=example' });
    page = await browser.submit(page, { button: 'person=ada' });
    expect(page.url).toBe(`${world.issuer}/apps?account=acc_globex`);
    const way = page.links.find(({ href }) => href.includes(`/apps/${world.client.id}`));
    page = await browser.follow(page, way?.href ?? '');
    expect([page.url, page.visible]).toEqual([
      `${world.oidcApp}/`,
      expect.stringMatching(/Ada Lovelace.*acc_globex/s),
    ]);
    for (const query of [
      { iss: 'https://evil.test' },
      {},
      { iss: world.issuer, target_link_uri: 'https://evil.test/' },
    ] as Record<string, string>[]) {
      const url = `${world.oidcApp}/initiate?${new URLSearchParams(query)}`;
      expect((await browser.get(url)).status).toBe(400);
    }
  });

  test('the links app: its page is signed in by its links, and its script reads a token', async () => {
    const browser = createBrowser();
    const arrived = await browser.get(`${world.linksApp}/`);
    let page = await browser.follow(arrived, 'Sign in');
    page = await browser.submit(page, { button: 'provider=hub' });
    page = await browser.submit(page, { button: 'person=ada' });
    page = await browser.submit(page, { button: 'account=acc_globex' });
    expect(page.url).toBe(`${world.linksApp}/`);
    const script = { origin: world.linksApp, method: 'POST' };
    const answer = await browser.fetch(`${world.issuer}/refresh`, script);
    expect([answer.status, answer.readable]).toEqual([200, true]);
    const { access_token: token } = JSON.parse(answer.text) as { access_token: string };
    const called = await browser.fetch(`${world.service}/api/me`, {
      origin: world.linksApp,
      headers: { authorization: `Bearer ${token}` },
      credentials: 'omit',
    });
    expect(JSON.parse(called.text)).toMatchObject({ account: 'acc_globex', roles: ['admin'] });
    const chooser = await browser.follow(page, 'Switch account');
    expect(chooser.visible).toContain('Initech');
  });

  test('who has only a closed account is told so, and who is new to choose a plan', async () => {
    const meet = async (person: string) => {
      const browser = createBrowser();
      const page = await browser.get(`${world.issuer}/signin/example`);
      return browser.submit(page, { button: `person=${person}` });
    };
    expect((await meet('linus')).visible).toContain('Hooli');
    const nora = await meet('nora');
    expect([nora.status, nora.visible]).toEqual([403, expect.stringContaining('nora@example.com')]);
  });

  test('its story comes out right, and says each step', async () => {
    const said: string[] = [];
    const passed = await playStory(world, (text) => said.push(text));
    expect([passed, said.at(-1)]).toEqual([true, expect.stringMatching(/^\nAll 47 steps/)]);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }, 60_000);

  test('the services: each shows what it heard and whom it refused of late', async () => {
    const { webhooks, logout, stream } = world.services.present;
    const shown = async ({ url }: Listening) => (await createBrowser().get(`${url}/`)).visible;
    expect(await shown(webhooks)).toMatch(/member\.removed \(tokens of before are revoked\)/);
    expect(await shown(logout)).toMatch(/backchannel-logout \(tokens of before are revoked\)/);
    expect(await shown(stream)).toMatch(/session-revoked \(tokens of before are revoked\)/);
    for (const service of [webhooks, logout, stream]) {
      expect(await shown(service)).toContain('token_revoked');
      expect(service.lately.warnings).toEqual([]);
    }
  });

  test('… and tells who brings nothing, or nothing good, what is wanted (RFC 6750 §3)', async () => {
    for (const { url } of Object.values(world.services.present)) {
      const ask = async (path: string, init: RequestInit = {}) => {
        const answer = await fetch(`${url}${path}`, init);
        await answer.body?.cancel();
        return [answer.status, answer.headers.get('www-authenticate')] as const;
      };
      expect(await ask('/api/me')).toEqual([401, 'Bearer realm="api"']);
      const headers = { authorization: 'Bearer nonsense' };
      const invalid = expect.stringContaining('error="invalid_token"');
      expect(await ask('/api/me', { headers })).toEqual([401, invalid]);
      expect(await ask('/elsewhere')).toEqual([404, null]);
      expect((await ask('/events', { method: 'POST', body: '{}' }))[0]).toBe(415);
    }
  });

  test('its ports are seen as taken', async () => {
    const ports = portsFrom(base);
    expect(await takenPorts(ports)).toEqual(Object.values(ports));
  });
});

describe('starting again', () => {
  test('finds everybody and everything as it was, at Stripe too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tollgate-world-'));
    const options = {
      ports: portsFrom(await freePortBase()),
      store: `sqlite:${join(folder, 'world.db')}`,
      stripeFile: join(folder, 'stripe.json'),
      clock: Date.now,
      log,
    };
    const all = async ({ store, stripe }: World) => ({
      users: await Promise.all(
        ['ada', 'grace', 'linus', 'katherine'].map((key) => store.get('user', `usr_${key}`)),
      ),
      accounts: await Promise.all(
        ['acme', 'globex', 'initech', 'piedpiper', 'hooli'].map(
          async (key) => (await store.get('account', `acc_${key}`))?.document.subscriptions,
        ),
      ),
      stripe: stripe.objects.subscriptions().map(({ id, status }) => ({ id, status })),
    });
    const first = await startWorld(options);
    const before = await all(first);
    await first.close();
    const second = await startWorld(options);
    expect(await all(second)).toEqual(before);
    expect(before.stripe.map(({ status }) => status).toSorted()).toEqual([
      'active',
      'past_due',
      'trialing',
    ]);
    const names = async (user: string) =>
      (await second.server.directory.usableAccounts(user)).map(
        ({ name, roles }) => `${name}: ${roles.join()}`,
      );
    expect(await names('usr_ada')).toEqual(['Acme: owner', 'Globex: admin', 'Initech: member']);
    expect(await names('usr_grace')).toEqual(['Pied Piper: owner']);
    expect(await names('usr_linus')).toEqual([]);
    await second.close();
    await rm(folder, { recursive: true });
  });
});
