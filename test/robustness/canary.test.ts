/**
 * A day of the product, with all its records at the level of debugging: no secret of those that went
 * over the wires, and nothing of a person, is in them; and every record can be read and found.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { people } from '../../dev/people.ts';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser, Page } from '../../dev/walk.ts';
import {
  authorizationRequest,
  clients,
  goThrough,
  redeem,
  refresh,
  revoke,
  signIn,
  signInForCode,
  token,
} from '../kit/world.ts';
import { form, send } from './raw.ts';
import { secretsIn } from './wire.ts';
import { startWiredWorld, upstreamSecret } from './wired.ts';
import type { WiredWorld } from './wired.ts';

const app = 'http://127.0.0.1:1';
const canary = 'canary-in-a-wrong-place';
let world: WiredWorld;
let issuer = '';

beforeAll(async () => {
  world = await startWiredWorld({
    registration: 'open',
    signin: { success: `${app}/` },
    signout: { success: `${app}/bye` },
  });
  issuer = world.issuer;
});

afterAll(() => world?.close());

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

async function byPartner(): Promise<void> {
  const tokens = await signIn(issuer, browse(), {
    client: 'partner',
    account: 'acc_initech',
  });
  expect(tokens.refresh_token).toMatch(/^tgr/);
  const { directory } = world.server;
  await directory.removeMember('acc_initech', 'usr_ada');
}

/** Late, so that it is no race any more: the last part, because the clock does not go back. */
async function reuse(): Promise<void> {
  const tokens = await signIn(issuer, browse(), { client: 'strict', person: 'grace' });
  const next = await refresh(issuer, 'strict', tokens.refresh_token);
  expect((await refresh(issuer, 'strict', next.body.refresh_token)).status).toBe(200);
  const redemption = await signInForCode(issuer, browse());
  expect((await redeem(issuer, redemption)).status).toBe(200);
  world.travel(120_000);
  expect((await refresh(issuer, 'strict', tokens.refresh_token)).status).toBe(400);
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
    world.upstream.behave(fault);
    const browser = browse();
    const { url } = authorizationRequest(issuer, 'app', { provider: 'upstream' });
    const page = await press(browser, await browser.get(url), ['person=ada']);
    expect([fault, page.status >= 400]).toEqual([fault, true]);
    // The back button, and somebody else's browser.
    const callback = page.history.find((hop) => hop.url.includes('/integrations/'))?.url ?? issuer;
    await browser.get(callback);
    await browse().get(callback);
  }
  world.upstream.behave();
  for (const fault of hubFaults) {
    world.hub.behave(fault);
    const browser = browse();
    const { url } = authorizationRequest(issuer, 'app', { provider: 'hub' });
    await press(browser, await browser.get(url), ['person=nora']);
  }
  world.hub.behave();
}

const parameters = [
  ...'client_id redirect_uri scope state prompt claims request_uri resource code'.split(' '),
  ...'id_token_hint response_type response_mode max_age login_hint acr_values csrf'.split(' '),
  ...'grant_type refresh_token code_verifier token client_secret return_to product'.split(' '),
  ...'account provider access_token post_logout_redirect_uri error iss'.split(' '),
];

const likely = 'state code scope login_hint redirect_uri return_to refresh_token'.split(' ');
const posted = ['/oauth2/token', '/oauth2/par', '/oauth2/revoke', '/refresh'];

/** Secrets where they do not belong. */
async function mistakes(): Promise<void> {
  const tokens = await signIn(issuer, browse());
  const misplaced = [tokens.refresh_token, tokens.access_token, tokens.id_token].map(String);
  const port = Number(new URL(issuer).port);
  const get = (path: string, headers: [string, string][] = []) => send(port, { path, headers });
  const { id = '', secret = '' } = clients.find((client) => client.id === 'app') ?? {};
  for (const value of [...misplaced, canary, 'linus@example.com']) {
    const text = encodeURIComponent(value);
    // One value everywhere, so that nothing is left out; the others where they are likely.
    const everywhere = value === canary;
    for (const name of everywhere ? parameters : likely) {
      const { url } = authorizationRequest(issuer, 'app', { prompt: 'none', [name]: value });
      await get(url.slice(issuer.length));
      for (const path of everywhere ? ['/signin', '/signout', '/oauth2/logout'] : ['/signin']) {
        await get(`${path}?${name}=${text}`);
      }
      for (const path of everywhere ? posted : ['/oauth2/token']) {
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

const effects = [
  ['user.registered ', 'user.signed_in ', 'user.disabled ', 'consent.given '],
  ['account.created ', 'member.added ', 'member.removed '],
  ['session.ended signed_out', 'session.ended user_disabled', 'grant.revoked code_reuse'],
  ['grant.revoked refresh_token_reuse', 'grant.revoked revocation_endpoint'],
  ['grant.revoked session_ended', 'grant.revoked member_removed'],
].flat();

describe('T78 the records of a day', () => {
  let secrets: Set<string>;
  let written = '';

  beforeAll(async () => {
    for (const part of [byOidc, byHub, byPartner, byLinks, failures, mistakes, reuse]) {
      await part().catch((cause: unknown) => {
        throw new Error(`the story ended at ${part.name}`, { cause });
      });
    }
    await world.server.directory.setUserStatus('usr_grace', 'disabled');
    await world.server.dispatcher.drain();
    secrets = secretsIn(world.heard());
    written = world.written();
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
    const facts = Object.values(people).flatMap(({ name, email, subject, github: { id, login } }) =>
      [
        [name, email, encodeURIComponent(email), subject],
        [`"${id}"`, `:${id},`, `"${login}"`],
      ].flat(),
    );
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

  test('and of what took effect there is an audit record, by ids alone', async () => {
    const kept: { type: string; data: Record<string, unknown> }[] = [];
    for (const user of ['usr_ada', 'usr_grace']) {
      for (const { document } of await world.store.find('audit', 'user', user)) {
        kept.push(document);
      }
    }
    for (const { document } of await world.store.find('audit', 'account', 'acc_initech')) {
      kept.push(document);
    }
    const types = new Set(kept.map(({ type, data }) => `${type} ${String(data['reason'] ?? '')}`));
    for (const expected of effects) expect(types).toContain(expected);
    const text = JSON.stringify(kept);
    const facts = Object.values(people).flatMap(({ name, email, subject }) => [
      name,
      email,
      subject,
    ]);
    expect([...secrets, ...facts].filter((fact) => text.includes(fact))).toEqual([]);
    // Nothing waits any more.
    expect(await world.store.pending(10)).toEqual([]);
  });
});
