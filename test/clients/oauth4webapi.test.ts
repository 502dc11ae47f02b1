/** `oauth4webapi` with discovery, id, secret and addresses, as its examples go. */

import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressOf, goThrough } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { api, secretOf, startProtocolWorld } from '../protocol/kit.ts';

let world: World;
let server: oauth.AuthorizationServer;

/** http is for this test's machine alone. */
const insecure = { [oauth.allowInsecureRequests]: true };

beforeAll(async () => {
  world = await startProtocolWorld();
  const issuer = new URL(world.issuer);
  const response = await oauth.discoveryRequest(issuer, insecure);
  server = await oauth.processDiscoveryResponse(issuer, response);
});

afterAll(() => world.close());

const scope = 'openid profile email offline_access';

/** @param secret how the client authenticates */
async function story(client: oauth.Client, secret: oauth.ClientAuth): Promise<void> {
  const id = client.client_id;
  const [verifier, state, nonce] = [
    oauth.generateRandomCodeVerifier(),
    oauth.generateRandomState(),
    oauth.generateRandomNonce(),
  ];
  const url = new URL(server.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    client_id: id,
    redirect_uri: addressOf(id),
    response_type: 'code',
    scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString();
  const browser = world.browser();
  const address = await goThrough(browser, await browser.get(url.href));
  const callback = oauth.validateAuthResponse(server, client, address, state);

  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    secret,
    callback,
    addressOf(id),
    verifier,
    insecure,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(server, response, insecure);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  expect(claims?.sub).toBe('usr_ada');

  const info = await oauth.userInfoRequest(server, client, tokens.access_token, insecure);
  expect(await oauth.processUserInfoResponse(server, client, 'usr_ada', info)).toMatchObject({
    email: 'ada@example.com',
  });

  const refreshing = await oauth.refreshTokenGrantRequest(
    server,
    client,
    secret,
    tokens.refresh_token ?? '',
    { ...insecure, additionalParameters: { scope } },
  );
  const again = await oauth.processRefreshTokenResponse(server, client, refreshing);
  expect(again.refresh_token).toBeTruthy();

  // The strictest reader of RFC 9068 that there is.
  const request = new Request('https://api.example.com/', {
    headers: { authorization: `Bearer ${again.access_token}` },
  });
  const read = await oauth.validateJwtAccessToken(server, request, api, insecure);
  expect(read).toMatchObject({ sub: 'usr_ada', client_id: id, account: 'acc_acme' });
  await expect(
    oauth.validateJwtAccessToken(server, request, 'https://other.example.com', insecure),
  ).rejects.toThrow();

  const revoking = await oauth.revocationRequest(
    server,
    client,
    secret,
    again.refresh_token ?? '',
    insecure,
  );
  await oauth.processRevocationResponse(revoking);
  const refused = await oauth.refreshTokenGrantRequest(
    server,
    client,
    secret,
    again.refresh_token ?? '',
    insecure,
  );
  await expect(oauth.processRefreshTokenResponse(server, client, refused)).rejects.toMatchObject({
    error: 'invalid_grant',
  });

  const out = new URL(server.end_session_endpoint ?? '');
  out.searchParams.set('id_token_hint', tokens.id_token ?? '');
  const left = await browser.get(out.href);
  expect(left.status).toBe(200);
}

test('with the secret in the body', () =>
  story({ client_id: 'app' }, oauth.ClientSecretPost(secretOf('app'))));

test('with the secret in the header', () =>
  story({ client_id: 'other' }, oauth.ClientSecretBasic(secretOf('other'))));

test('as a public client', () => story({ client_id: 'spa' }, oauth.None()));

test('a service for itself', async () => {
  const client = { client_id: 'machine' };
  const secret = oauth.ClientSecretBasic(secretOf('machine'));
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    secret,
    { scope: 'read' },
    insecure,
  );
  const tokens = await oauth.processClientCredentialsResponse(server, client, response);
  const request = new Request('https://api.example.com/', {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  const claims = await oauth.validateJwtAccessToken(server, request, api, insecure);
  expect(claims).toMatchObject({ sub: 'machine', scope: 'read' });
});
