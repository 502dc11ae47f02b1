/**
 * Wrong requests, address by address, and what each is told: OAuth endpoints in the words and the form of
 * the standard, whoever asks; ours with a code and the number of the request; people by a page on
 * which that number stands, by which the record is found.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../src/base/log.ts';
import { authorizationRequest } from '../kit/world.ts';
import { asBrowser, asProgram, form, send } from './raw.ts';
import type { RawAnswer, RawRequest } from './raw.ts';
import { startWatchedWorld } from './watched.ts';
import type { WatchedWorld } from './watched.ts';

let world: WatchedWorld;
const records: Record<string, unknown>[] = [];

beforeAll(async () => {
  const write = (line: string) => void records.push(JSON.parse(line) as Record<string, unknown>);
  world = await startWatchedWorld({}, createLog({ level: 'info', clock: Date.now, write }));
});

afterAll(() => world?.close());

type Fields = Record<string, string>;
type Case = [what: string, request: RawRequest, status: number, code: string];

const client = { client_id: 'app', client_secret: 'a-client-secret-of-tests-for-the-app' };
const spa = { client_id: 'spa' };
const post = (path: string, fields: Fields): RawRequest => ({
  method: 'POST',
  path,
  ...form(fields),
});
const basic = (text: string) =>
  ['Authorization', `Basic ${Buffer.from(text).toString('base64')}`] as const;
const typed = (path: string, type: string, body: string): RawRequest => ({
  method: 'POST',
  path,
  headers: [['Content-Type', type]],
  body,
});
const get = (path: string, ...headers: [string, string][]): RawRequest => ({ path, headers });
const grant = (fields: Fields) => post('/oauth2/token', { ...client, ...fields });
const code = {
  grant_type: 'authorization_code',
  code: 'tgc.a.b',
  redirect_uri: 'https://app.example.com/callback',
  code_verifier: 'v'.repeat(43),
};
const refreshToken = { grant_type: 'refresh_token', refresh_token: 'tgr.a.b.c.1.d' };
const body = new URLSearchParams({ ...client, grant_type: 'refresh_token' }).toString();
const urlencoded = 'application/x-www-form-urlencoded';

const oauth: Case[] = [
  ['no client', post('/oauth2/token', code), 400, 'invalid_request'],
  ['an unknown client', grant({ ...code, client_id: 'nobody' }), 401, 'invalid_client'],
  ['no secret', post('/oauth2/token', { ...code, client_id: 'app' }), 401, 'invalid_client'],
  ['a wrong secret', grant({ ...code, client_secret: 'x' }), 401, 'invalid_client'],
  ['a secret for an app without', grant({ ...code, ...spa }), 401, 'invalid_client'],
  ['no grant_type', grant({}), 400, 'invalid_request'],
  ['an unknown one', grant({ grant_type: 'password' }), 400, 'unsupported_grant_type'],
  ['__proto__', grant({ grant_type: '__proto__' }), 400, 'unsupported_grant_type'],
  ['not allowed', grant({ grant_type: 'client_credentials' }), 400, 'invalid_request'],
  ['no code', grant({ ...code, code: '' }), 400, 'invalid_request'],
  ['an unknown code', grant(code), 400, 'invalid_grant'],
  ['an unknown refresh token', grant(refreshToken), 400, 'invalid_grant'],
  ['JSON', typed('/oauth2/token', 'application/json', '{}'), 400, 'invalid_request'],
  ['no type', { method: 'POST', path: '/oauth2/token', body }, 400, 'invalid_request'],
  [
    'a parameter twice',
    typed('/oauth2/token', urlencoded, `${body}&scope=a&scope=b`),
    400,
    'invalid_request',
  ],
  [
    'bad base64',
    {
      ...post('/oauth2/token', code),
      headers: [
        ['Authorization', 'Basic %%%'],
        ['Content-Type', urlencoded],
      ],
    },
    400,
    'invalid_request',
  ],
  [
    'both ways',
    { ...grant(code), headers: [basic('app:x'), ['Content-Type', urlencoded]] },
    400,
    'invalid_request',
  ],
  [
    'a secret in the address',
    { ...grant(code), path: '/oauth2/token?client_secret=x' },
    400,
    'invalid_request',
  ],
  [
    'an endless address',
    { ...grant(code), path: `/oauth2/token?a=${'a'.repeat(9000)}` },
    414,
    'invalid_request',
  ],
  ['par without a client', post('/oauth2/par', {}), 400, 'invalid_request'],
  [
    'par with a wrong address',
    post('/oauth2/par', {
      ...client,
      response_type: 'code',
      redirect_uri: 'https://evil.example/',
    }),
    400,
    'invalid_request',
  ],
  [
    'par within par',
    post('/oauth2/par', { ...client, request_uri: 'urn:x' }),
    400,
    'request_uri_not_supported',
  ],
  ['revocation of nothing', post('/oauth2/revoke', client), 400, 'invalid_request'],
  ['revocation by nobody', post('/oauth2/revoke', { token: 'x' }), 400, 'invalid_request'],
  ['introspection of nothing', post('/oauth2/introspect', client), 400, 'invalid_request'],
  ['introspection by nobody', post('/oauth2/introspect', { token: 'x' }), 400, 'invalid_request'],
  ['userinfo without a token', get('/oauth2/userinfo'), 401, 'invalid_token'],
  [
    'userinfo with a bad one',
    get('/oauth2/userinfo', ['Authorization', 'Bearer x']),
    401,
    'invalid_token',
  ],
  [
    'userinfo with a token in the address',
    get('/oauth2/userinfo?access_token=x'),
    400,
    'invalid_request',
  ],
];

const ours: Case[] = [
  ['an unknown path', get('/unknown'), 404, 'not_found'],
  ['a path that is none', get('/%00/%ff'), 404, 'not_found'],
  ['authorize with nothing', get('/oauth2/authorize'), 400, 'invalid_request'],
  ['authorize, unknown client', get('/oauth2/authorize?client_id=nobody'), 400, 'invalid_client'],
  [
    'a request that is no one',
    get('/oauth2/authorize?client_id=app&request_uri=urn:x'),
    400,
    'request_uri_not_supported',
  ],
  ['resumed, nothing there', get('/oauth2/authorize/none'), 400, 'invalid_request'],
  ['logout with a bad hint', get('/oauth2/logout?id_token_hint=x'), 400, 'invalid_request'],
  ['logout, nobody asked', post('/oauth2/logout/confirm', { xsrf: 'x' }), 400, 'invalid_request'],
  ['no such sign-in', get('/interaction/none'), 410, 'interaction_expired'],
  ['a form of none', post('/interaction/none', {}), 410, 'interaction_expired'],
  ['a callback of nothing', get('/integrations/oauth2/callback'), 400, 'signin_expired'],
  ['an unknown state', get('/integrations/oauth2/callback?state=x&code=y'), 410, 'signin_expired'],
  ['a state twice', get('/integrations/oauth2/callback?state=x&state=y'), 400, 'signin_expired'],
  [
    'a callback in JSON',
    typed('/integrations/oauth2/callback', 'application/json', '{}'),
    415,
    'form_expected',
  ],
  ['an unknown provider', get('/signin/__proto__'), 404, 'provider_unknown'],
  ['elsewhere', get('/signin?return_to=//evil.example'), 400, 'return_to_not_allowed'],
  ['an unknown product', get('/signin?product=constructor'), 400, 'product_unknown'],
  ['control characters', get('/signin?account=%0d%0aX'), 400, 'parameter_invalid'],
  ['a parameter twice', get('/signin?account=a&account=b'), 400, 'parameter_repeated'],
  ['bytes that are no text', get('/signin?account=%ff'), 400, 'form_unreadable'],
  ['a script that fetches', get('/signin', ['Sec-Fetch-Mode', 'cors']), 400, 'navigation_expected'],
  ['a return from nowhere', get('/signin/return?state=x&code=y'), 400, 'signin_expired'],
  ['a foreign sign-out', post('/signout', {}), 403, 'form_foreign'],
  [
    'a sign-out to elsewhere',
    get('/signout?return_to=https://evil.example/'),
    400,
    'return_to_not_allowed',
  ],
  ['a token in the address', get('/signin?access_token=x'), 400, 'secret_in_address'],
  ['an endless address', get(`/signin?a=${'a'.repeat(9000)}`), 414, 'address_too_long'],
  [
    'too many headers',
    get(
      '/signin',
      ...Array.from({ length: 120 }, (_, index): [string, string] => [`X-${index}`, 'x']),
    ),
    431,
    'headers_too_large',
  ],
];

const refreshes: Case[] = [
  ['no cookie', post('/refresh', {}), 401, 'login_required'],
  [
    'a bad cookie',
    { method: 'POST', path: '/refresh', headers: [['Cookie', 'tollgate=x']] },
    401,
    'login_required',
  ],
  ['GET', get('/refresh'), 405, 'method_not_allowed'],
  [
    'a foreign site',
    { method: 'POST', path: '/refresh', headers: [['Origin', 'https://evil.example']] },
    403,
    'origin_not_allowed',
  ],
  [
    'no origin',
    { method: 'POST', path: '/refresh', headers: [['Origin', 'null']] },
    403,
    'origin_not_allowed',
  ],
  ['JSON', typed('/refresh', 'application/json', '{}'), 415, 'form_expected'],
  ['an unknown product', post('/refresh', { product: 'x' }), 400, 'product_unknown'],
];

const as = (accept: readonly [string, string], request: RawRequest): RawRequest => ({
  ...request,
  headers: [...(request.headers ?? []), accept],
});
const json = ({ text, header }: RawAnswer) => {
  expect(header('content-type')).toMatch(/^application\/json/);
  return JSON.parse(text) as Record<string, unknown>;
};

describe('T16 an OAuth endpoint answers JSON in the words of the standard, whoever asks', () => {
  for (const [what, request, status, error] of oauth) {
    test(`${request.path?.split('?')[0]}: ${what}`, async () => {
      for (const accept of [asProgram, asBrowser, ['Accept', 'text/html, *; q=.2'] as const]) {
        const answer = await send(world.port, as(accept, request));
        const { error: told, error_description: text, ...rest } = json(answer);
        expect([answer.status, told, rest]).toEqual([status, error, {}]);
        // RFC 6749 §5.2: without quotation marks and backslashes.
        expect(text ?? '').toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{0,200}$/);
        expect(answer.header('cache-control')).toBe('no-store');
        const tried = (request.headers ?? []).some(([name]) => name === 'Authorization');
        if (status === 401 && tried) expect(answer.header('www-authenticate')).not.toBe('');
      }
    });
  }
});

describe('an address of ours answers programs in JSON, and people by a page', () => {
  for (const [what, request, status, name] of ours) {
    test(`${request.path?.split('?')[0]?.slice(0, 40)}: ${what}`, async () => {
      const answer = await send(world.port, as(asProgram, request));
      const { error } = json(answer) as { error: Fields };
      const told = typeof error === 'string' ? { code: error } : error;
      expect([answer.status, told]).toEqual([status, expect.objectContaining({ code: name })]);
      // The library's own pages tell programs in the form of the standard.
      const number = answer.header('x-request-id');
      if (!request.path?.startsWith('/oauth2/logout')) expect(error['request_id']).toBe(number);

      const page = await send(world.port, as(asBrowser, request));
      const id = page.header('x-request-id');
      expect([page.status, page.header('content-type')]).toEqual([
        status,
        'text/html; charset=utf-8',
      ]);
      // A wrong address needs nobody's help.
      if (status !== 404) expect(page.text).toContain(id);
      const found = records.filter((record) => record['request_id'] === id);
      expect(found.some((record) => record['error_code'] === name)).toBe(true);
    });
  }
});

describe('/refresh answers scripts in JSON, whatever they accept', () => {
  for (const [what, request, status, name] of refreshes) {
    test(what, async () => {
      const answer = await send(world.port, as(asBrowser, request));
      expect([answer.status, json(answer)['error']]).toEqual([
        status,
        expect.objectContaining({ code: name, request_id: answer.header('x-request-id') }),
      ]);
    });
  }
});

test('an app is told by a redirect what it asked wrongly', async () => {
  const wrong: [Fields, string][] = [
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ scope: 'openid "' }, 'invalid_scope'],
    [{ prompt: 'nothing' }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ resource: 'https://evil.example' }, 'invalid_target'],
    [{ request: 'eyJ.eyJ.x' }, 'request_not_supported'],
    [{ max_age: '-1' }, 'invalid_request'],
    [{ claims: '{"__proto__":{}}' }, 'invalid_request'],
    [{ prompt: 'none' }, 'login_required'],
  ];
  for (const [parameters, error] of wrong) {
    const { url, state } = authorizationRequest(world.issuer, 'app', parameters);
    const answer = await send(world.port, get(url.slice(world.issuer.length)));
    const { search, hash } = new URL(answer.header('location') || world.issuer);
    const told = new URLSearchParams(search || hash.slice(1));
    const { iss, state: back, error: answered } = Object.fromEntries(told);
    expect([parameters, answered, back, iss]).toEqual([parameters, error, state, world.issuer]);
  }
  expect(records.filter(({ level }) => level === 'error')).toEqual([]);
});
