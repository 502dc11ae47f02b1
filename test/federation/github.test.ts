import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { GithubFault } from '../../dev/upstream/faults.ts';
import { goThrough, problemFrom, signIn, startWorld } from './world.ts';
import type { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => world.github.behave());

const withFault = (fault: GithubFault) => signIn(world.federation, 'hub', { person: 'ada', fault });

const withoutEmail: GithubFault[] = [
  'unverified_email',
  'no_email_scope',
  'emails_forbidden',
  'emails_missing',
  'emails:error500',
  'emails:garbage',
];

for (const fault of withoutEmail) {
  test(`F13 with the fault ${fault} the person signs in by number, without an address`, async () => {
    const { identity } = await withFault(fault);
    expect(identity.subject).toBe('1815');
    expect(identity).not.toHaveProperty('email');
    expect(identity).not.toHaveProperty('emailVerified');
  });
}

test('F13 the public address is not looked at, only the primary and verified one', async () => {
  const { identity } = await withFault('public_alias');
  expect(identity.email).toBe('ada@example.com');
});

test('F13 a login name that changes hands changes nothing', async () => {
  const { identity } = await withFault('renamed');
  expect([identity.issuer, identity.subject]).toEqual([world.github.url, '1815']);
});

for (const fault of ['no_id', 'text_id', 'bad_verification_code'] as const) {
  test(`F13 with the fault ${fault} nobody is signed in`, async () => {
    expect(await problemFrom(withFault(fault))).toMatchObject({ code: 'upstream_error' });
  });
}

test('F13 a wrong secret is answered with status 200, and is a failure all the same', async () => {
  const federation = world.again([{ ...world.providers.hub, clientSecret: 'wrong' }]);
  const query = await goThrough(federation, 'hub');
  const problem = await problemFrom(federation.finish(query, 'browser-1'));
  expect(problem).toMatchObject({ code: 'upstream_error', status: 502 });
});

test('a code is bound to its PKCE verifier', async () => {
  const [mine, stolen] = await Promise.all([
    goThrough(world.federation, 'hub'),
    goThrough(world.federation, 'hub', { person: 'grace' }),
  ]);
  mine.set('code', stolen.get('code') ?? '');
  const problem = await problemFrom(world.federation.finish(mine, 'browser-1'));
  expect(problem).toMatchObject({ code: 'upstream_error' });
});

test('any OAuth 2.0 provider will do, with a subject from the field that is configured', async () => {
  const { userinfoEndpoint, authorizationEndpoint, tokenEndpoint } = world.github.endpoints;
  const generic = {
    id: 'generic',
    type: 'oauth2' as const,
    clientId: 'tollgate',
    clientSecret: 'upstream-secret.1',
    tokenEndpointAuthMethod: 'client_secret_post' as const,
    authorizationEndpoint,
    tokenEndpoint,
    userinfoEndpoint,
  };
  const { identity } = await signIn(
    world.again([{ ...generic, subjectField: 'id', pkce: false }]),
    'generic',
  );
  expect(identity).toEqual({
    provider: 'generic',
    issuer: world.github.url,
    subject: '1815',
    name: 'Ada Lovelace',
  });
  // Where the field is not there, there is nobody: never a guess.
  const problem = await problemFrom(signIn(world.again([generic]), 'generic'));
  expect(problem).toMatchObject({ code: 'upstream_error' });
});
