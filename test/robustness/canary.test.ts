/**
 * A day of the product, with all its records at the level of debugging: no secret of those that went
 * over the wires, and nothing of a person, is in them; and every record can be read and found.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { people } from '../../dev/people.ts';
import { startUpstreamGithub } from '../../dev/upstream/github.ts';
import type { UpstreamGithub } from '../../dev/upstream/github.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { UpstreamOidc } from '../../dev/upstream/oidc.ts';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser, Page } from '../../dev/walk.ts';
import { createLog } from '../../src/base/log.ts';
import { startServer } from '../kit/server.ts';
import type { RunningServer } from '../kit/server.ts';
import {
  authorizationRequest,
  clients,
  goThrough,
  redeem,
  refresh,
  revoke,
  seed,
  signIn,
  signInForCode,
  token,
} from '../kit/world.ts';
import { form, send } from './raw.ts';
import { secretsIn, startWire } from './wire.ts';
import type { Wire } from './wire.ts';

const app = 'http://127.0.0.1:1';
const upstreamSecret = 'a-secret-that-only-the-upstream-and-we-know';
const canary = 'canary-in-a-wrong-place';
let written = '';
let running: RunningServer;
let upstream: UpstreamOidc;
let hub: UpstreamGithub;
let wires: Record<'front' | 'upstream' | 'hub', Wire>;
let issuer = '';

beforeAll(async () => {
  wires = { front: await startWire(), upstream: await startWire(), hub: await startWire() };
  issuer = wires.front.url;
  const redirectUris = [`${issuer}/integrations/oauth2/callback`];
  const client = { id: 'tollgate', secret: upstreamSecret, redirectUris };
  upstream = await startUpstreamOidc({ port: 0, issuer: wires.upstream.url, clients: [client] });
  hub = await startUpstreamGithub({ port: 0, clients: [client] });
  wires.upstream.leadTo(upstream.url);
  wires.hub.leadTo(hub.url, new URL(hub.url).host);
  running = await startServer({
    log: createLog({
      level: 'debug',
      clock: Date.now,
      write: (line) => {
        written += line;
      },
    }),
    config: { issuer, ...configuration() },
  });
  wires.front.leadTo(running.issuer);
  await seed(running.server.directory, upstream.issuer);
  await running.server.dispatcher.drain();
});

afterAll(async () => {
  await running?.close();
  await Promise.all([upstream?.close(), hub?.close()]);
  await Promise.all(Object.values(wires).map((wire) => wire.close()));
});

function configuration() {
  const common = { clientId: 'tollgate', clientSecret: upstreamSecret };
  return {
    registration: 'open' as const,
    clients,
    signin: { success: `${app}/` },
    signout: { success: `${app}/bye` },
    providers: [
      { id: 'upstream', name: 'Example ID', issuer: upstream.issuer, trustEmail: true, ...common },
      {
        id: 'hub',
        preset: 'github' as const,
        ...common,
        issuer: wires.hub.url,
        authorizationEndpoint: `${wires.hub.url}/login/oauth/authorize`,
        tokenEndpoint: `${wires.hub.url}/login/oauth/access_token`,
        userinfoEndpoint: `${wires.hub.url}/user`,
        emailsEndpoint: `${wires.hub.url}/user/emails`,
      },
    ],
  };
}

const browse = (): Browser =>
  createBrowser({
    stopAt: (url) => url.origin === app || url.hostname.endsWith('.example.com'),
  });

/** Presses what there is of these, until the way leaves or nothing of it is there. */
async function press(browser: Browser, first: Page, wanted: string[]): Promise<Page> {
  let page = first;
  for (let step = 0; step < 6 && !page.stopped; step += 1) {
    const there = page.forms.flatMap(({ buttons }) => buttons);
    const button = wanted.find((one) =>
      there.some(({ name, value }) => `${name}=${value}` === one),
    );
    if (button === undefined) return page;
    page = await browser.submit(page, { button });
  }
  return page;
}

async function byOidc(): Promise<void> {
  const tokens = await signIn(issuer, browse(), { account: 'acc_globex' });
  const again = await refresh(issuer, 'app', tokens.refresh_token);
  expect(again.status).toBe(200);
  const next = again.body.refresh_token;
  await fetch(`${issuer}/oauth2/userinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  await token(issuer, 'app', { token: next ?? '' }, '/oauth2/introspect');
  await revoke(issuer, 'app', next);
  expect((await refresh(issuer, 'app', next)).status).toBe(400);
}

async function byHub(): Promise<void> {
  const browser = browse();
  const request = authorizationRequest(issuer, 'app', {
    provider: 'hub',
    login_hint: 'nora@example.com',
  });
  const end = await press(browser, await browser.get(request.url), ['person=nora']);
  const code = new URL(end.url).searchParams.get('code') ?? '';
  expect((await redeem(issuer, { ...request, code })).status).toBe(200);
}

async function reuse(): Promise<void> {
  const tokens = await signIn(issuer, browse(), { client: 'strict', person: 'grace' });
  const next = await refresh(issuer, 'strict', tokens.refresh_token);
  const third = await refresh(issuer, 'strict', next.body.refresh_token);
  expect(third.status).toBe(200);
  expect((await refresh(issuer, 'strict', tokens.refresh_token)).status).toBe(400);
  const redemption = await signInForCode(issuer, browse());
  await redeem(issuer, redemption);
  expect((await redeem(issuer, redemption)).status).toBe(400);
}

async function byLinks(): Promise<void> {
  const browser = browse();
  const first = await browser.get(`${issuer}/signin?login_hint=ada@example.com&account=acc_acme`);
  await goThrough(browser, first);
  const answer = await browser.fetch(`${issuer}/refresh`, { origin: app, method: 'POST' });
  expect(answer.status).toBe(200);
  expect((await browser.get(`${issuer}/signout`)).url).toBe(`${app}/bye`);
  await browser.fetch(`${issuer}/refresh`, { origin: app, method: 'POST' });
}

const oidcFaults = [
  ...(['token:error500', 'token:html', 'token:garbage', 'jwks:error500', 'error_text'] as const),
  ...(['wrong_nonce', 'alg_none', 'wrong_issuer', 'wrong_iss', 'invalid_grant'] as const),
  ...(['userinfo_subject', 'expired', 'empty_subject', 'no_id_token'] as const),
];
const hubFaults = [
  ...(['user:error500', 'emails:garbage', 'token:html', 'bad_verification_code'] as const),
  ...(['error_text', 'no_id', 'emails_forbidden'] as const),
];

async function failures(): Promise<void> {
  for (const fault of oidcFaults) {
    upstream.behave(fault);
    const browser = browse();
    const { url } = authorizationRequest(issuer, 'app', { provider: 'upstream' });
    const page = await press(browser, await browser.get(url), ['person=ada']);
    expect([fault, page.status >= 400]).toEqual([fault, true]);
    // The back button, and somebody else's browser.
    const callback = page.history.find((hop) => hop.url.includes('/integrations/'))?.url ?? issuer;
    await browser.get(callback);
    await browse().get(callback);
  }
  upstream.behave();
  for (const fault of hubFaults) {
    hub.behave(fault);
    const browser = browse();
    const { url } = authorizationRequest(issuer, 'app', { provider: 'hub' });
    await press(browser, await browser.get(url), ['person=nora']);
  }
  hub.behave();
}

const parameters = [
  ...'client_id redirect_uri scope state prompt claims request_uri resource code'.split(' '),
  ...'id_token_hint response_type response_mode max_age login_hint acr_values csrf'.split(' '),
  ...'grant_type refresh_token code_verifier token client_secret return_to product'.split(' '),
  ...'account provider access_token post_logout_redirect_uri error iss'.split(' '),
];

/** Secrets where they do not belong. */
async function mistakes(): Promise<void> {
  const tokens = await signIn(issuer, browse());
  const misplaced = [tokens.refresh_token, tokens.access_token, tokens.id_token].map(String);
  const port = Number(new URL(issuer).port);
  const get = (path: string, headers: [string, string][] = []) => send(port, { path, headers });
  const { id = '', secret = '' } = clients.find((client) => client.id === 'app') ?? {};
  for (const value of [...misplaced, canary, 'linus@example.com']) {
    const text = encodeURIComponent(value);
    for (const name of parameters) {
      const { url } = authorizationRequest(issuer, 'app', { prompt: 'none', [name]: value });
      await get(url.slice(issuer.length));
      for (const path of ['/signin', '/signout', '/oauth2/logout', '/signin/return']) {
        await get(`${path}?${name}=${text}`);
      }
      for (const path of ['/oauth2/token', '/oauth2/par', '/oauth2/revoke', '/refresh']) {
        const known = { client_id: id, client_secret: secret, grant_type: 'refresh_token' };
        await send(port, { method: 'POST', path, ...form({ ...known, [name]: value }) });
      }
    }
    const cookie = `tollgate=${text}; tollgate_session=${text}; tollgate_interaction=${text}`;
    await get('/oauth2/userinfo', [['Authorization', `Bearer ${value}`]]);
    await get('/oauth2/userinfo', [['DPoP', value]]);
    await send(port, { method: 'POST', path: '/refresh', headers: [['Cookie', cookie]] });
    for (const name of ['Cookie', 'Referer', 'X-Forwarded-For', 'Origin', 'X-Request-Id']) {
      await get(`/interaction/none?x=${text}`, [[name, name === 'Cookie' ? cookie : value]]);
    }
    if (value !== canary) await get(`/signin/${value}`);
  }
}

describe('T78 the records of a day', () => {
  let secrets: Set<string>;

  beforeAll(async () => {
    for (const part of [byOidc, byHub, reuse, byLinks, failures, mistakes]) {
      await part().catch((cause: unknown) => {
        throw new Error(`the story ended at ${part.name}`, { cause });
      });
    }
    await running.server.directory.setUserStatus('usr_grace', 'disabled');
    await running.server.dispatcher.drain();
    secrets = secretsIn(
      Object.values(wires)
        .map((wire) => wire.heard())
        .join('\n'),
    );
  });

  const lines = () => written.trimEnd().split('\n');
  const linesWith = (word: string) => lines().filter((line) => line.includes(word));

  test('hold none of the secrets that went over the wires', () => {
    // Or nothing would be looked for.
    expect(secrets.size).toBeGreaterThan(200);
    for (const known of [upstreamSecret, canary, 'ada@example.com', 'linus@example.com']) {
      expect(secrets.has(known)).toBe(true);
    }
    const told = [...secrets].filter((secret) => written.includes(secret));
    expect(told.flatMap((secret) => linesWith(secret).slice(0, 1))).toEqual([]);
  });

  test('hold nothing of the people', () => {
    const facts = Object.values(people).flatMap(({ name, email, subject, github }) => [
      ...[name, email, encodeURIComponent(email), subject],
      ...[`"${github.id}"`, `:${github.id},`, `"${github.login}"`],
    ]);
    expect(facts.flatMap((fact) => linesWith(fact).slice(0, 1))).toEqual([]);
  });

  test('can be read, each with its time, level and request', () => {
    expect(lines().length).toBeGreaterThan(500);
    const strange = lines().filter((line) => {
      const { time, level, message, request_id: id } = JSON.parse(line) as Record<string, string>;
      const known = /^(debug|info|warn|error)$/.test(level ?? '') && message !== '';
      return Number.isNaN(Date.parse(time ?? '')) || !known || !/^req_[\w-]{22}$/.test(id ?? '');
    });
    expect(strange).toEqual([]);
  });

  test('of refusals the reason is said, and nothing failed', () => {
    const records = lines().map((line) => JSON.parse(line) as Record<string, string>);
    expect(records.filter(({ status }) => Number(status) === 500)).toEqual([]);
    const wrong = records.filter(({ level, status }) => level === 'error' && Number(status) < 500);
    expect(wrong).toEqual([]);
  });
});
