/** T58: everything that we hand out, in each place where something else is expected, is worth nothing. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizationRequest, goThrough, refresh, signIn, token } from '../kit/world.ts';
import { signInForCode } from '../kit/world.ts';
import { form, send } from './raw.ts';
import type { RawAnswer, RawRequest } from './raw.ts';
import { startWatchedWorld } from './watched.ts';
import type { WatchedWorld } from './watched.ts';

const app = 'http://127.0.0.1:1';
let world: WatchedWorld;
const values: Record<string, string> = {};

beforeAll(async () => {
  world = await startWatchedWorld({
    signin: { success: `${app}/` },
    signout: { success: `${app}/` },
  });
  const { issuer } = world;
  const browser = world.browser();
  // Who has one account is asked nothing.
  const tokens = await signIn(issuer, browser, { person: 'grace' });
  const opaque = await signIn(issuer, world.browser(), { client: 'plain' });
  const pushed = await token(
    issuer,
    'app',
    { response_type: 'code', redirect_uri: 'https://app.example.com/callback', scope: 'openid' },
    '/oauth2/par',
  );
  const machine = await token(issuer, 'machine', { grant_type: 'client_credentials' });
  const links = world.browser({ stopAt: ({ origin }) => origin === app });
  await goThrough(links, await links.get(`${issuer}/signin`));
  const begun = world.browser();
  const first = await begun.get(authorizationRequest(issuer, 'app').url);
  const chooser = await begun.submit(first, { button: 'person=ada' });
  const cookie = (jar: typeof browser, name: string) =>
    jar.cookies.all().find((one) => one.name === name)?.value ?? '';
  Object.assign(values, {
    refreshToken: tokens.refresh_token,
    accessToken: tokens.access_token,
    idToken: tokens.id_token,
    opaqueToken: opaque.access_token,
    machineToken: machine.body.access_token,
    code: (await signInForCode(issuer, world.browser())).code,
    requestUri: pushed.body.request_uri,
    sessionCookie: cookie(browser, 'tollgate_session'),
    linkCookie: cookie(links, 'tollgate'),
    interaction: new URL(chooser.url).pathname.split('/').at(-1),
    interactionSignature: cookie(begun, 'tollgate_interaction.sig'),
    csrf: chooser.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value,
    csrfCookie: cookie(begun, 'tollgate_csrf'),
    browserCookie: cookie(begun, 'tollgate_browser'),
    upstreamState: new URL(first.url).searchParams.get('state'),
  });
});

afterAll(() => world?.close());

const client = { client_id: 'app', client_secret: 'a-client-secret-of-tests-for-the-app' };
const post = (path: string, fields: Record<string, string>): RawRequest => ({
  method: 'POST',
  path,
  ...form({ ...client, ...fields }),
});
const get = (path: string, query: Record<string, string>): RawRequest => ({
  path: `${path}?${new URLSearchParams(query).toString()}`,
});
const authorize = (parameters: Record<string, string>): RawRequest => ({
  path: authorizationRequest(world.issuer, 'app', { prompt: 'none', ...parameters }).url.slice(
    world.issuer.length,
  ),
});

const isRefused = ({ status }: RawAnswer) => status >= 400;
const toldClient = (error: RegExp) => (answer: RawAnswer) =>
  error.test(answer.header('location')) || answer.status === 400;

interface Place {
  /** Of the values, those that belong here. */
  own: string[];
  ask(value: string): RawRequest;
  refused(answer: RawAnswer): boolean;
}

const places: Record<string, Place> = {
  'as a refresh token': {
    own: ['refreshToken'],
    ask: (value) => post('/oauth2/token', { grant_type: 'refresh_token', refresh_token: value }),
    refused: isRefused,
  },
  'as a code': {
    own: ['code'],
    ask: (value) =>
      post('/oauth2/token', {
        grant_type: 'authorization_code',
        code: value,
        redirect_uri: 'https://app.example.com/callback',
        code_verifier: 'v'.repeat(43),
      }),
    refused: isRefused,
  },
  'as a bearer token': {
    own: ['accessToken', 'opaqueToken'],
    ask: (value) => ({
      path: '/oauth2/userinfo',
      headers: [['Authorization', `Bearer ${value}`]],
    }),
    refused: isRefused,
  },
  'at introspection': {
    own: ['refreshToken'],
    ask: (value) => post('/oauth2/introspect', { token: value }),
    // A JWT is not for introspection: its service reads it.
    refused: (answer) => isRefused(answer) || answer.text === '{"active":false}',
  },
  'as a request': {
    own: ['requestUri'],
    ask: (value) => get('/oauth2/authorize', { client_id: 'app', request_uri: value }),
    refused: isRefused,
  },
  'as a hint of an ID token': {
    own: ['idToken'],
    ask: (value) => authorize({ id_token_hint: value }),
    refused: toldClient(/error=invalid_request/),
  },
  "as the session's cookie": {
    own: ['sessionCookie'],
    ask: (value) => ({ ...authorize({}), headers: [['Cookie', `tollgate_session=${value}`]] }),
    refused: toldClient(/error=login_required/),
  },
  "as the links' cookie": {
    own: ['linkCookie'],
    ask: (value) => ({
      method: 'POST',
      path: '/refresh',
      headers: [['Cookie', `tollgate=${value}`]],
    }),
    refused: isRefused,
  },
  'as the cookie of a sign-in': {
    own: [],
    ask: (value) => ({
      path: `/interaction/${values['interaction']}`,
      headers: [['Cookie', `tollgate_interaction=${value}; tollgate_interaction.sig=${value}`]],
    }),
    refused: isRefused,
  },
  'as the state of a provider': {
    own: ['upstreamState'],
    ask: (value) => ({
      ...get('/integrations/oauth2/callback', { state: value, code: 'a-code' }),
      headers: [['Cookie', `tollgate_browser=${values['browserCookie']}`]],
    }),
    refused: isRefused,
  },
  'as the state of a link': {
    own: [],
    ask: (value) => get('/signin/return', { state: value, code: values['code'] ?? '' }),
    refused: isRefused,
  },
  'as the proof of a form': {
    own: [],
    ask: (value) => {
      const sent = form({ csrf: value });
      const cookie = `tollgate_csrf=${values['csrfCookie']}`;
      const headers = [...sent.headers, ['Cookie', cookie], ['Origin', 'null']] as const;
      return { method: 'POST', path: '/signout', ...sent, headers };
    },
    refused: isRefused,
  },
};

describe('T58 everything has its place', () => {
  test('each value is there', () => {
    const lengths = Object.entries(values).map(([name, value]) => [name, value?.length ?? 0]);
    expect(lengths.filter(([, length]) => Number(length) < 20)).toEqual([]);
    expect(lengths.length).toBe(15);
  });

  for (const [name, { own, ask, refused }] of Object.entries(places)) {
    test(`${name} nothing else is taken`, async () => {
      world.store.taken();
      const taken: unknown[] = [];
      for (const [kind, value] of Object.entries(values)) {
        if (own.includes(kind)) continue;
        const answer = await send(world.port, ask(value));
        // A browser without a good session gets an empty one.
        const written = world.store.taken().filter((one) => one !== 'session');
        if (!refused(answer) || written.length > 0) taken.push([kind, answer.status, written]);
      }
      expect(taken).toEqual([]);
    });
  }

  test('nothing else can be revoked, and all of it still works', async () => {
    world.store.taken();
    const { refreshToken = '', accessToken = '' } = values;
    for (const [kind, value] of Object.entries(values)) {
      if (kind === 'refreshToken') continue;
      const { status } = await send(world.port, post('/oauth2/revoke', { token: value }));
      expect([kind, [200, 400].includes(status), world.store.taken()]).toEqual([kind, true, []]);
    }
    const ask = (place: string, kind: string) =>
      send(world.port, places[place]?.ask(values[kind] ?? '') ?? {});
    expect((await ask('as a bearer token', 'opaqueToken')).status).toBe(200);
    expect((await ask('as a bearer token', 'accessToken')).status).toBe(200);
    expect((await ask("as the links' cookie", 'linkCookie')).status).toBe(200);
    const session = await ask("as the session's cookie", 'sessionCookie');
    expect(session.header('location')).toMatch(/[?&]code=/);
    expect((await refresh(world.issuer, 'app', refreshToken)).status).toBe(200);
    expect(accessToken).toMatch(/^eyJ/);
  });
});
