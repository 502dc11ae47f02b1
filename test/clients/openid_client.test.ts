/** `openid-client` with discovery, id, secret and addresses, and nothing else set. */

import * as client from 'openid-client';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressOf, goThrough } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { api, json, secretOf, startProtocolWorld } from '../protocol/kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

type Authentication = ((secret: string) => client.ClientAuth) | undefined;

/** http is for this test's machine alone; with https there is no fifth argument. */
const discover = (id: string, authentication?: Authentication) =>
  client.discovery(new URL(world.issuer), id, secretOf(id), authentication?.(secretOf(id)), {
    execute: [client.allowInsecureRequests],
  });

async function signIn(
  config: client.Configuration,
  id: string,
  parameters: Record<string, string> = {},
  browser = world.browser(),
) {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: addressOf(id),
    scope: 'openid profile email offline_access',
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  const callback = await goThrough(browser, await browser.get(url.href));
  const tokens = await client.authorizationCodeGrant(config, callback, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
    ...(parameters.max_age === undefined ? {} : { maxAge: Number(parameters.max_age) }),
  });
  return { tokens, browser };
}

const ways: [string, Authentication][] = [
  ['its default (the secret in the body)', undefined],
  ['ClientSecretPost', client.ClientSecretPost],
  ['ClientSecretBasic', client.ClientSecretBasic],
];

for (const [name, authentication] of ways) {
  describe(name, () => {
    test('signs in, refreshes, asks userinfo, and signs out', async () => {
      const config = await discover('app', authentication);
      const { tokens, browser } = await signIn(config, 'app');
      const claims = tokens.claims();
      expect(claims).toMatchObject({ sub: 'usr_ada', email: 'ada@example.com' });
      expect(json(tokens.access_token.split('.')[0])).toMatchObject({ alg: 'ES256' });
      expect(json(tokens.id_token?.split('.')[0])).toMatchObject({ alg: 'RS256' });

      const info = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '');
      expect(info).toMatchObject({ sub: 'usr_ada', name: 'Ada Lovelace', email_verified: true });

      const again = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
      expect(again.claims()?.sub).toBe('usr_ada');
      const repeated = await client.refreshTokenGrant(config, again.refresh_token ?? '', {
        scope: 'openid profile email offline_access',
      });
      expect(repeated.refresh_token).toBeTruthy();

      const keys = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri ?? ''));
      const { payload } = await jwtVerify(repeated.access_token, keys, {
        issuer: world.issuer,
        audience: api,
        typ: 'at+jwt',
        algorithms: ['ES256', 'RS256'],
      });
      expect(payload).toMatchObject({ sub: 'usr_ada', account: 'acc_acme' });

      const out = client.buildEndSessionUrl(config, {
        post_logout_redirect_uri: 'https://app.example.com/bye',
        id_token_hint: repeated.id_token ?? '',
        state: 'x',
      });
      expect((await browser.get(out.href)).url).toBe('https://app.example.com/bye?state=x');
      await expect(
        client.refreshTokenGrant(config, repeated.refresh_token ?? ''),
      ).rejects.toMatchObject({ error: 'invalid_grant' });
    });

    test('a client without a product gets a token for userinfo', async () => {
      const config = await discover('plain', authentication);
      const { tokens } = await signIn(config, 'plain');
      const info = await client.fetchUserInfo(config, tokens.access_token, 'usr_ada');
      expect(info.email).toBe('ada@example.com');
    });

    test('revokes, pushes its request, and acts for itself', async () => {
      const config = await discover('app', authentication);
      const { tokens } = await signIn(config, 'app');
      await client.tokenRevocation(config, tokens.refresh_token ?? '');
      await expect(
        client.refreshTokenGrant(config, tokens.refresh_token ?? ''),
      ).rejects.toMatchObject({ error: 'invalid_grant' });

      const pushed = await client.buildAuthorizationUrlWithPAR(config, {
        redirect_uri: addressOf('app'),
        scope: 'openid',
        state: 's',
      });
      const browser = world.browser();
      const callback = await goThrough(browser, await browser.get(pushed.href));
      const { access_token: token } = await client.authorizationCodeGrant(config, callback, {
        expectedState: 's',
      });
      expect(token).toBeTruthy();

      const machine = await discover('machine', authentication);
      const own = await client.clientCredentialsGrant(machine, { scope: 'read' });
      expect(own.access_token).toBeTruthy();
    });
  });
}

test('it may check the signature of the ID token, too', async () => {
  const config = await discover('app');
  client.enableNonRepudiationChecks(config);
  const { tokens } = await signIn(config, 'app', { max_age: '1000' });
  expect(tokens.claims()?.auth_time).toEqual(expect.any(Number));
  const again = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
  expect(again.claims()?.sub).toBe('usr_ada');
});

test('it needs neither state, nonce nor PKCE', async () => {
  const config = await discover('app');
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: addressOf('app'),
    scope: 'openid',
  });
  const browser = world.browser();
  const callback = await goThrough(browser, await browser.get(url.href));
  const tokens = await client.authorizationCodeGrant(config, callback);
  expect(tokens.claims()?.sub).toBe('usr_ada');
});

test('DPoP', async () => {
  const config = await discover('app');
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: addressOf('app'),
    scope: 'openid profile',
  });
  const browser = world.browser();
  const callback = await goThrough(browser, await browser.get(url.href));
  const tokens = await client.authorizationCodeGrant(config, callback, undefined, undefined, {
    DPoP,
  });
  expect(tokens.token_type).toBe('dpop');
  const info = await client.fetchUserInfo(config, tokens.access_token, 'usr_ada', { DPoP });
  expect(info.name).toBe('Ada Lovelace');
  const again = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, {
    DPoP,
  });
  expect(again.token_type).toBe('dpop');
});

test('an error comes back with its issuer, and is told', async () => {
  const config = await discover('app');
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: addressOf('app'),
    scope: 'openid',
    prompt: 'none',
    state: 's',
  });
  const browser = world.browser();
  const callback = await goThrough(browser, await browser.get(url.href));
  await expect(
    client.authorizationCodeGrant(config, callback, { expectedState: 's' }),
  ).rejects.toMatchObject({ error: 'login_required' });
});
