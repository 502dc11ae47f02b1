import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { app, issuer, refused, startLinks } from './app.ts';
import type { LinkApp } from './app.ts';
import type { Answer, SendOptions } from '../web/app.ts';

let world: LinkApp;

beforeEach(async () => {
  world = await startLinks();
  signIn('refresh-1');
});

afterEach(() => world.close());

const signIn = (token: string) =>
  world.jar.take(new URL(issuer), [`__Host-tollgate=${token}; Path=/; Secure; HttpOnly`]);
const cookie = () => world.jar.all().find(({ name }) => name === '__Host-tollgate')?.value;

const fromApp = { Origin: app, 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'cors' };
const post = (options: SendOptions = {}, path = '/refresh') =>
  world.visit(path, {
    method: 'POST',
    ...options,
    headers: { Accept: '*/*', ...fromApp, ...options.headers },
  });
const codeOf = (answer: Answer) => (answer.json().error as { code: string }).code;

describe('POST /refresh', () => {
  test('T55 answers an access token, and keeps its successor in the cookie', async () => {
    const answer = await post();
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      access_token: 'an-access-token',
      token_type: 'Bearer',
      expires_in: 900,
    });
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': app,
      'access-control-allow-credentials': 'true',
      'cache-control': 'no-store',
      vary: expect.stringContaining('Origin'),
    });
    expect(cookie()).toBe('refresh-1+');
    expect(answer.text).not.toContain('refresh-1');
    expect(world.oidc.asked).toEqual([{ grant_type: 'refresh_token', refresh_token: 'refresh-1' }]);
  });

  test('two tabs at once end with the same cookie', async () => {
    const answers = await Promise.all([post(), post()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(cookie()).toBe('refresh-1+');
  });

  test('the product picks the audience, in the query or in a form', async () => {
    await post({}, '/refresh?product=extra');
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    await post({ body: 'product=api', headers: form });
    await post({ body: '', headers: form });
    expect(world.oidc.asked.map(({ resource }) => resource)).toEqual([
      'https://extra.example.com',
      'https://api.example.com',
      undefined,
    ]);
    const both = await post({ body: 'product=api', headers: form }, '/refresh?product=extra');
    expect(both.status).toBe(400);
    const unknown = await post({}, '/refresh?product=nothing');
    expect([unknown.status, codeOf(unknown)]).toEqual([400, 'product_unknown']);
    expect((await post({}, '/refresh?product=api&product=api')).status).toBe(400);
    expect(world.oidc.asked).toHaveLength(3);
  });

  test('401 login_required where there is no cookie', async () => {
    world.jar.clear();
    const answer = await post();
    expect([answer.status, codeOf(answer)]).toEqual([401, 'login_required']);
    expect(answer.json().error).toMatchObject({ request_id: 'req_test' });
    expect(world.oidc.asked).toEqual([]);
  });

  test('401 login_required where the grant is over, and the cookie goes', async () => {
    world.oidc.answer = () => refused('invalid_grant');
    const answer = await post();
    expect([answer.status, codeOf(answer)]).toEqual([401, 'login_required']);
    // A script must be able to read why.
    expect(answer.headers['access-control-allow-origin']).toBe(app);
    expect(cookie()).toBeUndefined();
  });

  test('403 account_locked keeps the cookie', async () => {
    world.oidc.answer = () => refused('invalid_grant', 400, true);
    const answer = await post();
    expect([answer.status, codeOf(answer)]).toEqual([403, 'account_locked']);
    expect(cookie()).toBe('refresh-1');
  });

  test('a product that came later than the sign-in: sign in again, and the cookie stays', async () => {
    world.oidc.answer = () => refused('invalid_target');
    const answer = await post({}, '/refresh?product=extra');
    expect([answer.status, codeOf(answer)]).toEqual([401, 'login_required']);
    expect(cookie()).toBe('refresh-1');
  });

  test.each([
    ['the provider fails', () => refused('server_error', 500)],
    ['its answer is none of those', () => refused('invalid_client', 401)],
    ['it breaks', () => Promise.reject(new Error('the disk is gone'))],
    [
      'the store is locked',
      () => Promise.reject(new Problem('store_unavailable', 503, 'Not now.')),
    ],
  ])('503 where %s, and the cookie stays', async (_name, answer) => {
    world.oidc.answer = answer;
    const failed = await post();
    expect(failed.status).toBe(503);
    expect(failed.text).not.toContain('disk');
    expect(cookie()).toBe('refresh-1');
  });

  test('answers JSON, also to who would rather have a page', async () => {
    world.jar.clear();
    const answer = await post({ headers: { Accept: 'text/html' } });
    expect(answer.headers['content-type']).toMatch('application/json');
    expect(codeOf(answer)).toBe('login_required');
  });

  test.each(['GET', 'PUT', 'DELETE'])('T56 %s is no way to do it', async (method) => {
    const answer = await world.visit('/refresh', { method, headers: fromApp });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'OPTIONS, POST']);
    expect(world.oidc.asked).toEqual([]);
  });
});

describe('whose scripts may ask', () => {
  const from = (headers: Record<string, string>) =>
    world.visit('/refresh', { method: 'POST', headers: { Accept: '*/*', ...headers } });

  test.each([
    ['an app', { Origin: app, 'Sec-Fetch-Site': 'same-site' }],
    ['an app on its own port', { Origin: 'https://admin.example.com:8443' }],
    ['the issuer', { Origin: issuer, 'Sec-Fetch-Site': 'same-origin' }],
    ['a page of the issuer that names no origin', { 'Sec-Fetch-Site': 'same-origin' }],
    ['a program', {}],
  ])('%s may', async (_name, headers) => {
    expect((await from(headers as Record<string, string>)).status).toBe(200);
  });

  test.each([
    ['another site', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }],
    ['a page that says it is an app', { Origin: app, 'Sec-Fetch-Site': 'cross-site' }],
    ['a name that begins alike', { Origin: 'https://app.example.com.evil.tld' }],
    ['another port', { Origin: 'https://app.example.com:444' }],
    ['http', { Origin: 'http://app.example.com' }],
    ['a sandboxed frame', { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }],
    ['nobody in particular, of another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['nobody in particular, of this site', { 'Sec-Fetch-Site': 'same-site' }],
  ])('T56 %s may not, and the cookie stays', async (_name, headers) => {
    const answer = await from(headers);
    expect([answer.status, codeOf(answer)]).toEqual([403, 'origin_not_allowed']);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(world.oidc.asked).toEqual([]);
    expect(cookie()).toBe('refresh-1');
  });

  test('a preflight is answered for an app, for ten minutes', async () => {
    const asking = { 'Access-Control-Request-Method': 'POST' };
    const answer = await world.visit('/refresh', {
      method: 'OPTIONS',
      headers: { ...fromApp, ...asking },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': app,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'Content-Type',
      'access-control-max-age': '600',
    });
    const evil = { Origin: 'https://evil.example', ...asking };
    const refusal = await world.visit('/refresh', { method: 'OPTIONS', headers: evil });
    expect(refusal.status).toBe(403);
    expect(refusal.headers['access-control-allow-origin']).toBeUndefined();
  });
});
