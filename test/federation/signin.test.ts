import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { people } from '../../dev/people.ts';
import { answerAt, callback, goThrough, problemFrom, signIn, startWorld } from './world.ts';
import type { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.ahead = 0;
  world.oidc.behave();
  world.github.behave();
});

test('a person signs in with OpenID Connect', async () => {
  const { identity, interaction } = await signIn(world.federation, 'example');
  expect(interaction).toBe('interaction-1');
  expect(identity).toEqual({
    provider: 'example',
    issuer: world.oidc.issuer,
    subject: people.ada.subject,
    email: 'ada@example.com',
    emailVerified: true,
    name: 'Ada Lovelace',
    locale: 'en-GB',
    authenticatedAt: expect.any(Number),
    amr: ['pwd', 'otp'],
    acr: 'urn:example:two-factors',
  });
  expect(Math.abs((identity.authenticatedAt ?? 0) - Date.now())).toBeLessThan(60_000);
});

test('F13 a person signs in with GitHub, known by number', async () => {
  const { identity } = await signIn(world.federation, 'hub');
  expect(identity).toEqual({
    provider: 'hub',
    issuer: world.github.url,
    subject: '1815',
    email: 'ada@example.com',
    emailVerified: true,
    name: 'Ada Lovelace',
  });
});

test('the providers are listed with what a page needs', () => {
  expect(world.federation.providers).toEqual([
    { id: 'example', name: 'example', icon: 'oidc' },
    { id: 'other', name: 'other', icon: 'oidc' },
    { id: 'hub', name: 'GitHub', icon: 'github' },
  ]);
});

test('F6 the request carries a state, a nonce and a PKCE challenge, and none of them twice', async () => {
  const begin = async (provider: string) => {
    const options = {
      interaction: 'i',
      browser: 'b',
      loginHint: 'ada@example.com',
      prompt: 'login',
    };
    return new URL((await world.federation.start(provider, options)).url).searchParams;
  };
  const first = await begin('example');
  expect(Object.fromEntries(first)).toEqual({
    client_id: 'tollgate',
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid profile email',
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
    login_hint: 'ada@example.com',
    prompt: 'login',
  });
  const second = await begin('example');
  for (const name of ['state', 'nonce', 'code_challenge']) {
    expect(second.get(name)).not.toBe(first.get(name));
  }
  const hub = await begin('hub');
  expect(hub.get('login')).toBe('ada@example.com');
  expect(hub.get('code_challenge_method')).toBe('S256');
  expect(hub.has('nonce')).toBe(false);
});

test('nothing of a sign-in under way can be read from the store', async () => {
  const query = await goThrough(world.federation, 'example');
  const dump = JSON.stringify(await world.store.due('transaction', Number.MAX_SAFE_INTEGER, 100));
  expect(dump).toContain('interaction-1');
  expect(dump).not.toContain(query.get('state'));
  expect(dump).not.toContain('browser-1');
  expect(dump).not.toContain('verifier');
});

test('a prompt or a hint that nobody means is not passed on', async () => {
  const options = { interaction: 'i', browser: 'b', loginHint: 'x'.repeat(400), prompt: 'none' };
  const { url } = await world.federation.start('example', options);
  expect(new URL(url).searchParams.has('prompt')).toBe(false);
  expect(new URL(url).searchParams.has('login_hint')).toBe(false);
});

test('F1 the word that an address is verified counts only as `true`, from a trusted provider', async () => {
  const verified = async (provider: string, fault: string) => {
    const { identity } = await signIn(world.federation, provider, { person: 'ada', fault });
    return [identity.email, identity.emailVerified];
  };
  expect(await verified('example', '')).toEqual(['ada@example.com', true]);
  expect(await verified('example', 'unverified_email')).toEqual(['ada@example.com', false]);
  expect(await verified('example', 'string_verified')).toEqual(['ada@example.com', false]);
  expect(await verified('example', 'no_email')).toEqual([undefined, undefined]);
  expect(await verified('other', '')).toEqual(['ada@example.com', false]);
});

test('F2 the same subject of two issuers is two identities', async () => {
  const here = await signIn(world.federation, 'example');
  const there = await signIn(world.federation, 'other');
  expect(here.identity.subject).toBe(there.identity.subject);
  expect(here.identity.issuer).not.toBe(there.identity.issuer);
});

test('name and address are fetched from userinfo where the ID token has none', async () => {
  const { identity } = await signIn(world.federation, 'example', {
    person: 'grace',
    fault: 'userinfo_only',
  });
  expect(identity).toMatchObject({ name: 'Grace Hopper', email: 'grace@example.com' });
});

test('T72 what a stranger typed as name and address is cleaned or left out', async () => {
  const typed = (name: string, email: string) =>
    signIn(world.federation, 'example', { person: 'someone', name, email, subject: 'typed-1' });
  const cleaned = (await typed(' Eve\u202e\u0000 <b>\r\n', 'eve＠example.com')).identity;
  expect(cleaned.name).toBe('Eve <b>');
  expect(cleaned.email).toBeUndefined();
  expect((await typed('x', 'a@example.com,b@example.com')).identity.email).toBeUndefined();
  expect((await typed('', '')).identity.name).toBeUndefined();
});

test('somebody who refuses is told so, and can go on with the same interaction', async () => {
  const before = world.oidc.requests('/token');
  const query = await goThrough(world.federation, 'example', { refuse: 'yes' });
  const problem = await problemFrom(world.federation.finish(query, 'browser-1'));
  expect(problem).toMatchObject({ code: 'signin_cancelled', status: 400 });
  expect(problem.details).toEqual({ interaction: 'interaction-1', provider: 'example' });
  expect(world.oidc.requests('/token')).toBe(before);
});

test('an unknown provider is not begun', async () => {
  const begin = world.federation.start('nobody', { interaction: 'i', browser: 'b' });
  expect(await problemFrom(begin)).toMatchObject({ code: 'provider_unknown', status: 404 });
});

test('sign-ins of two people in one browser do not touch each other', async () => {
  const start = (interaction: string) =>
    world.federation.start('example', { interaction, browser: 'browser-1' });
  const [one, two] = await Promise.all([start('one'), start('two')]);
  const grace = await answerAt(two.url, { person: 'grace' });
  const ada = await answerAt(one.url, { person: 'ada' });
  const [first, second] = await Promise.all([
    world.federation.finish(ada, 'browser-1'),
    world.federation.finish(grace, 'browser-1'),
  ]);
  expect([first.interaction, first.identity.name]).toEqual(['one', 'Ada Lovelace']);
  expect([second.interaction, second.identity.name]).toEqual(['two', 'Grace Hopper']);
});
