/** Words about oneself that nobody checks: of proxies that are none, of people, of upstreams, of forms. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { people } from '../../dev/people.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { UpstreamOidc } from '../../dev/upstream/oidc.ts';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser } from '../../dev/walk.ts';
import { startServer } from '../kit/server.ts';
import type { RunningServer } from '../kit/server.ts';
import {
  authorizationRequest,
  claimsOf,
  goThrough,
  redeem,
  seed,
  upstreamClient,
  worldConfig,
} from '../kit/world.ts';
import { asBrowser, form, send } from './raw.ts';
import type { RawRequest } from './raw.ts';

/** What an upstream may say of somebody; as JSON, so that `__proto__` is a field like all others. */
const boasts = JSON.parse(`{
  "__proto__": { "roles": ["owner"], "status": "active" },
  "constructor": { "prototype": { "roles": ["owner"] } },
  "roles": ["owner"], "account": "acc_acme", "user": "usr_grace", "id": "usr_grace",
  "status": "active", "memberships": [{ "account": "acc_acme", "roles": ["owner"] }],
  "owners": ["usr_ada"], "tollgate": { "roles": ["owner"] }, "scope": "admin",
  "identities": [{ "issuer": "x", "subject": "y" }], "client_id": "tollgate-links"
}`) as Record<string, unknown>;

const nora = { ...people.nora, claims: boasts };
let upstream: UpstreamOidc;
let running: RunningServer;

beforeAll(async () => {
  const redirectUris: string[] = [];
  upstream = await startUpstreamOidc({
    port: 0,
    clients: [{ ...upstreamClient, redirectUris }],
    people: [people.ada, people.grace, nora],
  });
  running = await startServer({
    config: (issuer) => {
      redirectUris.push(`${issuer}/integrations/oauth2/callback`);
      return worldConfig(upstream, { registration: 'open' });
    },
  });
  await seed(running.server.directory, upstream.issuer);
});

afterAll(async () => {
  await running?.close();
  await upstream?.close();
});

const browse = (): Browser =>
  createBrowser({ stopAt: (url) => url.hostname.endsWith('.example.com') });

describe('T73 a name that a header says is not ours', () => {
  const spoofs: [string, string][][] = [
    [['X-Forwarded-Host', 'evil.example']],
    [['X-Forwarded-Proto', 'http']],
    [['X-Forwarded-Port', '81']],
    [['X-Forwarded-Prefix', '/evil']],
    [['Forwarded', 'host=evil.example;proto=http;for=1.2.3.4']],
    [['X-Host', 'evil.example']],
    [
      ['X-Original-URL', '/evil'],
      ['X-Rewrite-URL', '/evil'],
    ],
    [
      ['X-HTTP-Method-Override', 'DELETE'],
      ['X-Forwarded-Server', 'evil.example'],
    ],
    [
      ['Origin', 'https://evil.example'],
      ['Referer', 'https://evil.example/'],
    ],
  ];

  /** Without what is random in it. */
  async function heard(request: RawRequest): Promise<string> {
    const { status, text, headers } = await send(running.port, request);
    const kept = [...headers].filter(([name]) => !['date', 'x-request-id', 'vary'].includes(name));
    const cors = kept.filter(([name]) => !name.startsWith('access-control-'));
    return JSON.stringify([status, cors, text.replace(/^Redirecting.*/, '')])
      .replaceAll(/[\w-]{16,}(\.[\w-]+)*|tollgate_signin_[\w-]{8}/g, '…')
      .replaceAll(/expires=[^;"]*/g, 'expires=…');
  }

  const paths = [
    '/.well-known/openid-configuration',
    '/signin',
    '/oauth2/logout',
    '/interaction/none',
    `${new URL(authorizationRequest('http://x', 'app').url).pathname}?client_id=app&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback`,
  ];

  for (const path of paths) {
    test(`${path.split('?')[0]} answers the same`, async () => {
      const honest = await heard({ path, headers: [asBrowser] });
      expect(honest).not.toContain('evil');
      for (const headers of spoofs) {
        expect(await heard({ path, headers: [asBrowser, ...headers] })).toBe(honest);
      }
    });
  }

  test('under another name, under two, or none, there is no answer', async () => {
    const own = `127.0.0.1:${running.port}`;
    for (const hosts of [
      ['evil.example'],
      [own, 'evil.example'],
      ['evil.example', own],
      [own, own],
      [`${own}@evil.example`],
      [`evil.example#${own}`],
      [`127.0.0.1:${running.port + 1}`],
      [''],
      ['localhost'],
    ]) {
      const headers = hosts.map((host) => ['Host', host] as const);
      const answer = await send(running.port, { path: '/signin', headers });
      expect([hosts, [400, 421].includes(answer.status)]).toEqual([hosts, true]);
      expect(answer.text + answer.header('location')).not.toContain('evil');
      expect(answer.header('set-cookie')).toBe('');
    }
    const absolute = await send(running.port, { path: `http://evil.example/signin` });
    expect([400, 421]).toContain(absolute.status);
  });
});

/** What the app hears about somebody who typed this at the upstream. */
async function toldAbout(typed: Record<string, string>): Promise<Record<string, unknown>> {
  const browser = browse();
  const request = authorizationRequest(running.issuer, 'app', {
    claims: '{"id_token":{"name":null,"email":null}}',
  });
  const page = await browser.get(request.url);
  const end = await browser.submit(page, { button: 'person=someone', fields: typed });
  const address = await goThrough(browser, end);
  const code = address.searchParams.get('code') ?? '';
  const { body, status } = await redeem(running.issuer, { ...request, code });
  expect([typed, status]).toEqual([typed, 200]);
  return claimsOf(body.id_token);
}

describe('T72 names and addresses that look like others', () => {
  const addresses: [string, string | undefined][] = [
    ['someone@example.com', 'someone@example.com'],
    ['someone\uff20example.com', undefined],
    ['someone\ufe6bexample.com', undefined],
    ['ada@example.com\uff20evil.example', undefined],
    ['ada@example.com,mallory@evil.example', undefined],
    ['ada@example.com;mallory@evil.example', undefined],
    ['ada@example.com mallory@evil.example', undefined],
    ['ada@example.com\r\nBcc: mallory@evil.example', undefined],
    ['ada@example.com\u0000.evil.example', undefined],
    ['<ada@example.com>', undefined],
    ['ada\u202e@example.com', undefined],
    ['ａｄａ@example.com', 'ada@example.com'],
    [`${'a'.repeat(300)}@example.com`, undefined],
  ];
  for (const [index, [email, told]] of addresses.entries()) {
    test(`an address as ${JSON.stringify(email).slice(0, 60)}`, async () => {
      const claims = await toldAbout({ email, name: 'Someone', subject: `address-${index}` });
      expect(claims['email']).toBe(told);
      // Whoever says to have her address is not her.
      expect(claims['sub']).not.toBe('usr_ada');
    });
  }

  const clean = 'without what cannot be seen';
  const names: [string, string | undefined][] = [
    ['Ａｄａ', 'Ada'],
    ['  Ada   Lovelace ', 'Ada Lovelace'],
    ['Zoë Ünïcode 漢字', 'Zoë Ünïcode 漢字'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['Ada\u202eecalevoL', clean],
    ['Ada\r\nX-Injected: yes', clean],
    ['\u0000\u0007', undefined],
  ];
  for (const [index, [name, told]] of names.entries()) {
    test(`a name as ${JSON.stringify(name)}`, async () => {
      const claims = await toldAbout({ email: '', name, subject: `name-${index}` });
      if (told === clean) expect(claims['name'] ?? '').not.toMatch(/\p{C}/u);
      else expect(claims['name']).toBe(told);
    });
  }
});

describe('T75 what nobody asked for is not taken', () => {
  test('of an upstream: roles, accounts, status', async () => {
    const browser = browse();
    const request = authorizationRequest(running.issuer, 'app');
    const end = await goThrough(browser, await browser.get(request.url), { person: 'nora' });
    const code = end.searchParams.get('code') ?? '';
    const { body } = await redeem(running.issuer, { ...request, code });
    const claims = claimsOf(body.access_token);
    const user = await running.server.directory.user(String(claims['sub']));
    expect(Object.keys(user?.document ?? {}).toSorted()).toEqual(
      [
        'createdAt',
        'email',
        'emailVerified',
        'identities',
        'locale',
        'memberships',
        'name',
        'signedInAt',
        'status',
      ].filter((key) => key !== 'locale'),
    );
    expect(claims['account']).not.toBe('acc_acme');
    expect(claims['sub']).not.toBe('usr_grace');
    expect(Object.prototype).not.toHaveProperty('roles');
  });

  test('of a form, an address or JSON: another person, role or account', async () => {
    const extra = [
      ['user', 'usr_grace'],
      ['sub', 'usr_grace'],
      ['accountId', 'usr_grace'],
      ['login[accountId]', 'usr_grace'],
      ['roles', 'owner'],
      ['__proto__', 'x'],
      ['__proto__[roles]', 'owner'],
      ['constructor.prototype.roles', 'owner'],
    ] as const;
    const browser = browse();
    const request = authorizationRequest(running.issuer, 'app');
    const more = new URLSearchParams(extra.map(([name, value]) => [name, value]));
    const first = await browser.get(`${request.url}&${more}`);
    const page = await browser.submit(first, { button: 'person=ada' });
    const cookie = browser.cookies.header({
      url: new URL(page.url),
      sameSite: true,
      topLevelGet: true,
    });
    const fields = (page.forms[0]?.fields ?? []).map(({ name, value }) => [name, value] as const);
    const posted = form([...fields, ...extra, ['account', 'acc_initech']]);
    const answer = await send(running.port, {
      method: 'POST',
      path: new URL(page.url).pathname,
      ...posted,
      headers: [...posted.headers, asBrowser, ['Cookie', cookie]],
    });
    expect(answer.status).toBe(200);
    const next = /url=([^"]+)"/.exec(answer.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const end = await browser.get(new URL(next, running.issuer).href);
    const code = new URL(end.url).searchParams.get('code') ?? '';
    const { body } = await redeem(running.issuer, { ...request, code });
    expect(claimsOf(body.access_token)).toMatchObject({
      sub: 'usr_ada',
      account: 'acc_initech',
      roles: ['member'],
    });
    expect(Object.prototype).not.toHaveProperty('roles');
  });
});
