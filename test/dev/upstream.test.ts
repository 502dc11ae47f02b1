import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { people } from '../../dev/people.ts';
import { startUpstreamGithub } from '../../dev/upstream/github.ts';
import type { UpstreamGithub } from '../../dev/upstream/github.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { UpstreamOidc } from '../../dev/upstream/oidc.ts';

const back = 'http://127.0.0.1:1/back';
const clients = [{ id: 'app', secret: 's:1 +', redirectUris: [back] }];
const verifier = 'v'.repeat(43);
const challenge = createHash('sha256').update(verifier).digest('base64url');

let now = Date.now();
let oidc: UpstreamOidc;
let github: UpstreamGithub;
beforeAll(async () => {
  oidc = await startUpstreamOidc({ port: 0, clients, clock: () => now });
  github = await startUpstreamGithub({ port: 0, clients });
});
afterAll(() => Promise.all([oidc.close(), github.close()]));

const request = (changes: Record<string, string> = {}) =>
  `${oidc.url}/authorize?${new URLSearchParams({
    client_id: 'app',
    redirect_uri: back,
    response_type: 'code',
    scope: 'openid profile email',
    state: 'state-1',
    nonce: 'nonce-1',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...changes,
  })}`;

const githubRequest = () =>
  `${github.url}/login/oauth/authorize?${new URLSearchParams({
    client_id: 'app',
    redirect_uri: back,
    scope: 'read:user user:email',
    state: 'state-1',
  })}`;

async function post(url: string, form: Record<string, string>, headers: HeadersInit = {}) {
  const body = new URLSearchParams(form);
  const response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual' });
  const text = await response.text();
  return { status: response.status, text, location: response.headers.get('location') ?? '' };
}

async function codeFor(form: Record<string, string>, url = request()): Promise<string> {
  const { location } = await post(url, form);
  return new URL(location).searchParams.get('code') ?? '';
}

const redeem = (code: string, changes: Record<string, string> = {}) =>
  post(`${oidc.url}/token`, {
    grant_type: 'authorization_code',
    client_id: 'app',
    client_secret: 's:1 +',
    redirect_uri: back,
    code_verifier: verifier,
    code,
    ...changes,
  });

test('the page offers everybody, somebody else, refusing and breaking, in one form without script', async () => {
  for (const url of [request(), githubRequest()]) {
    const response = await fetch(url);
    const page = await response.text();
    for (const person of Object.values(people)) {
      expect(page).toContain(`name="person" value="${person.key}"`);
      expect(page).toContain(person.name);
    }
    for (const field of ['person" value="someone', 'refuse', 'fault', 'name', 'email', 'subject']) {
      expect(page).toContain(`name="${field}"`);
    }
    expect(page.match(/<form/g)).toHaveLength(1);
    expect(page).not.toContain('<script');
    expect(page).not.toContain('undefined');
  }
});

test('a hint puts its person first, or is typed in already, and is never markup', async () => {
  const pageFor = async (hint: string) => (await fetch(request({ login_hint: hint }))).text();
  const grace = await pageFor('grace@example.com');
  expect(grace.indexOf('Grace Hopper')).toBeLessThan(grace.indexOf('Ada Lovelace'));
  const stranger = await pageFor('"><script>alert(1)</script>');
  expect(stranger).toContain('&quot;&gt;&lt;script&gt;');
  expect(stranger).not.toContain('<script');
});

test('a whole sign-in: state and iss come back, the ID token verifies, userinfo answers', async () => {
  const { location, status } = await post(request(), { person: 'ada' });
  expect(status).toBe(303);
  const answer = new URL(location).searchParams;
  expect([answer.get('state'), answer.get('iss')]).toEqual(['state-1', oidc.issuer]);
  const tokens: unknown = JSON.parse((await redeem(answer.get('code') ?? '')).text);
  const { id_token, access_token } = tokens as Record<string, string>;
  const keys = createRemoteJWKSet(new URL(`${oidc.url}/jwks`));
  const { payload } = await jwtVerify(id_token ?? '', keys, {
    issuer: oidc.issuer,
    audience: 'app',
  });
  expect(payload).toMatchObject({
    sub: people.ada.subject,
    nonce: 'nonce-1',
    email: 'ada@example.com',
    email_verified: true,
  });
  const headers = { authorization: `Bearer ${access_token}` };
  const userinfo: unknown = await (await fetch(`${oidc.url}/userinfo`, { headers })).json();
  expect(userinfo).toMatchObject({ sub: people.ada.subject, name: 'Ada Lovelace' });
});

test('somebody who is typed in has the same subject each time', async () => {
  const form = { person: 'someone', name: 'Eve', email: 'eve@example.com', subject: '' };
  const claims = async () => {
    const { text } = await redeem(await codeFor(form));
    const payload = text.split('"id_token":"')[1]?.split('.')[1] ?? '';
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  };
  expect(await claims()).toMatchObject({
    sub: 'typed-eve@example.com',
    name: 'Eve',
    email_verified: false,
  });
  expect((await claims())['sub']).toBe('typed-eve@example.com');
});

test('a code is for its client, its verifier, its address, a minute, and once', async () => {
  const refused = { status: 400, text: '{"error":"invalid_grant"}' };
  const code = await codeFor({ person: 'ada' });
  expect((await redeem(code)).status).toBe(200);
  expect(await redeem(code)).toMatchObject(refused);
  const wrong = { code_verifier: 'w'.repeat(43) };
  expect(await redeem(await codeFor({ person: 'ada' }), wrong)).toMatchObject(refused);
  const elsewhere = { redirect_uri: 'http://127.0.0.1:1/elsewhere' };
  expect(await redeem(await codeFor({ person: 'ada' }), elsewhere)).toMatchObject(refused);
  const late = await codeFor({ person: 'ada' });
  now += 61_000;
  expect(await redeem(late)).toMatchObject(refused);
});

test('a client may show its secret in the header or in the body, and must show it', async () => {
  const form = async () => ({
    grant_type: 'authorization_code',
    redirect_uri: back,
    code_verifier: verifier,
    code: await codeFor({ person: 'ada' }),
  });
  const basic = Buffer.from('app:s%3A1+%2B').toString('base64');
  const header = { authorization: `Basic ${basic}` };
  expect((await post(`${oidc.url}/token`, await form(), header)).status).toBe(200);
  expect((await post(`${oidc.url}/token`, { ...(await form()), client_id: 'app' })).status).toBe(
    401,
  );
});

test('requests that cannot be answered safely end on a page, others at the client', async () => {
  const unknown: Record<string, string>[] = [
    { client_id: 'nobody' },
    { redirect_uri: 'https://evil.example/' },
  ];
  for (const changes of unknown) {
    const response = await fetch(request(changes), {
      redirect: 'manual',
    });
    expect(response.status).toBe(400);
    await response.text();
  }
  for (const [changes, error] of [
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ scope: 'email' }, 'invalid_scope'],
    [{ prompt: 'none' }, 'login_required'],
  ] as const) {
    const response = await fetch(request(changes), { redirect: 'manual' });
    await response.text();
    const answer = new URL(response.headers.get('location') ?? '').searchParams;
    expect([answer.get('error'), answer.get('iss')]).toEqual([error, oidc.issuer]);
  }
});

test('the GitHub-like one answers as a form or as JSON, and errors with status 200', async () => {
  const token = `${github.url}/login/oauth/access_token`;
  const form = async () => ({
    client_id: 'app',
    client_secret: 's:1 +',
    code: await codeFor({ person: 'grace' }, githubRequest()),
  });
  const plain = await post(token, await form());
  expect(new URLSearchParams(plain.text).get('scope')).toBe('read:user,user:email');
  const json = await post(token, await form(), { accept: 'application/json' });
  const { access_token } = JSON.parse(json.text) as { access_token: string };
  const wrong = await post(token, { ...(await form()), code: 'x' }, { accept: 'application/json' });
  expect(wrong.status).toBe(200);
  expect(wrong.text).toContain('bad_verification_code');

  const ask = async (path: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${access_token}` };
    return (await fetch(github.url + path, { headers })).json();
  };
  expect(await ask('/user')).toMatchObject({ id: 1906, login: 'grace', email: null });
  expect(await ask('/user/emails')).toContainEqual({
    email: 'grace@example.com',
    primary: true,
    verified: true,
    visibility: 'private',
  });
});

test('they sign in anybody, so they run on loopback only, and under their own name', async () => {
  for (const issuer of [
    'https://id.example.com',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1',
  ]) {
    await expect(startUpstreamOidc({ port: 0, issuer, clients })).rejects.toThrow('loopback only');
  }
  const status = await new Promise((resolve, reject) => {
    get(`${oidc.url}/jwks`, { headers: { host: 'rebound.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
  expect(status).toBe(421);
});

test('two of them share nothing', async () => {
  const second = await startUpstreamOidc({ port: 0, clients });
  try {
    second.behave('token:error500');
    const { status } = await redeem(await codeFor({ person: 'ada' }));
    expect(status).toBe(200);
    const foreign = await codeFor({ person: 'ada' }, request().replace(oidc.url, second.url));
    expect((await redeem(foreign)).status).toBe(400);
  } finally {
    await second.close();
  }
});
