import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { OidcFault } from '../../dev/upstream/faults.ts';
import { people } from '../../dev/people.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import { callback, goThrough, problemFrom, signIn, startWorld } from './world.ts';
import type { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.ahead = 0;
  world.oidc.behave();
});

const refused: OidcFault[] = [
  'wrong_nonce',
  'no_nonce',
  'wrong_issuer',
  'bare_issuer',
  'wrong_audience',
  'more_audiences',
  'wrong_party',
  'wrong_signature',
  'wrong_key_id',
  'alg_none',
  'alg_hs256',
  'alg_confused',
  'no_issued_at',
  'no_expiry',
  'expired',
  'future',
  'no_subject',
  'empty_subject',
  'wrong_token_hash',
  'no_id_token',
  'userinfo_subject',
  'invalid_grant',
  'token_error_200',
  'no_iss',
  'wrong_iss',
];

for (const fault of refused) {
  test(`F12 an upstream that has the fault ${fault} signs in nobody`, async () => {
    const query = await goThrough(world.federation, 'example', { person: 'ada', fault });
    const problem = await problemFrom(world.federation.finish(query, 'browser-1'));
    expect(problem).toMatchObject({
      code: 'upstream_error',
      status: 502,
      details: { interaction: 'interaction-1', provider: 'example' },
    });
    expect(problem.message).toContain('did not confirm who you are');
    // Used up: the same answer is not judged twice.
    const again = await problemFrom(world.federation.finish(query, 'browser-1'));
    expect(again).toMatchObject({ code: 'signin_already_used' });
  });
}

test('F12 a token that names no key is checked with the only key', async () => {
  const { identity } = await signIn(world.federation, 'example', {
    person: 'ada',
    fault: 'no_key_id',
  });
  expect(identity.subject).toBe(people.ada.subject);
});

test('F11 F12 keys that rotate between two sign-ins, or during one, disturb nobody', async () => {
  await signIn(world.federation, 'example');
  await world.oidc.rotateKeys();
  await signIn(world.federation, 'example');
  await signIn(world.federation, 'example', { person: 'grace', fault: 'keys_rotated' });
  await signIn(world.federation, 'example');
});

test('F12 the keys are fetched when they are needed, not at each sign-in', async () => {
  await signIn(world.federation, 'example');
  const before = [
    world.oidc.requests('/jwks'),
    world.oidc.requests('/.well-known/openid-configuration'),
  ];
  await signIn(world.federation, 'example');
  await signIn(world.federation, 'example', { person: 'grace' });
  expect(world.oidc.requests('/jwks')).toBe(before[0]);
  expect(world.oidc.requests('/.well-known/openid-configuration')).toBe(before[1]);
});

test('T76 a clock that is a little off is borne, one that is far off is not', async () => {
  const clocks = { upstream: 0 };
  const upstream = await startUpstreamOidc({
    port: 0,
    clients: [{ id: 'tollgate', secret: 'x', redirectUris: [callback] }],
    clock: () => Date.now() + clocks.upstream,
  });
  try {
    const provider = {
      id: 'off',
      issuer: upstream.issuer,
      clientId: 'tollgate',
      clientSecret: 'x',
    };
    const federation = world.again([provider]);
    for (const ms of [30_000, -330_000]) {
      clocks.upstream = ms;
      await signIn(federation, 'off');
    }
    for (const ms of [120_000, -420_000]) {
      clocks.upstream = ms;
      const problem = await problemFrom(signIn(federation, 'off'));
      expect(problem).toMatchObject({ code: 'upstream_error' });
    }
  } finally {
    await upstream.close();
  }
});

test('F16 Google names itself with and without https://, and is one issuer', async () => {
  const google = { ...world.providers.example, id: 'google', preset: 'google' as const };
  const federation = world.again([google]);
  const full = await signIn(federation, 'google');
  const bare = await signIn(federation, 'google', { person: 'ada', fault: 'bare_issuer' });
  expect(bare.identity).toEqual({
    ...full.identity,
    authenticatedAt: expect.any(Number),
  });
  expect(bare.identity.issuer).toBe(world.oidc.issuer);
  const foreign = signIn(federation, 'google', { person: 'ada', fault: 'wrong_issuer' });
  expect(await problemFrom(foreign)).toMatchObject({ code: 'upstream_error' });
  const unsigned = signIn(federation, 'google', { person: 'ada', fault: 'wrong_signature' });
  expect(await problemFrom(unsigned)).toMatchObject({ code: 'upstream_error' });
});

test('F16 a hosted domain is demanded of the token, whatever the request said', async () => {
  const work = { ...people.ada, key: 'work', claims: { hd: 'Example.com' } };
  const elsewhere = { ...people.ada, key: 'elsewhere', claims: { hd: 'example.com.evil.tld' } };
  const listed = { ...people.ada, key: 'listed', claims: { hd: ['example.com'] } };
  const upstream = await startUpstreamOidc({
    port: 0,
    people: [work, elsewhere, listed, people.grace],
    clients: [{ id: 'tollgate', secret: 'x', redirectUris: [callback] }],
  });
  try {
    const federation = world.again([
      {
        id: 'google',
        preset: 'google',
        issuer: upstream.issuer,
        clientId: 'tollgate',
        clientSecret: 'x',
        hostedDomains: ['example.com'],
      },
    ]);
    const { url } = await federation.start('google', { interaction: 'i', browser: 'b' });
    expect(new URL(url).searchParams.get('hd')).toBe('example.com');
    await signIn(federation, 'google', { person: 'work' });
    for (const person of ['elsewhere', 'listed', 'grace']) {
      const problem = await problemFrom(signIn(federation, 'google', { person }));
      expect(problem).toMatchObject({ code: 'domain_not_allowed', status: 403 });
      expect(problem.details).toEqual({ interaction: 'interaction-1', provider: 'google' });
    }
  } finally {
    await upstream.close();
  }
});
