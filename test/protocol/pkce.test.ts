/** Proof keys (RFC 7636), and the grants that are not there at all. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizationRequest, signInForCode } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { get, redeem, refresh, startProtocolWorld, toldBy, token } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

async function refusalOf(client: string, parameters: Record<string, string>) {
  const { url } = authorizationRequest(world.issuer, client, { prompt: 'none', ...parameters });
  const answer = await get(url);
  expect(answer.status).toBe(303);
  return toldBy(answer).error;
}

const without = { code_challenge: '', code_challenge_method: '' };

describe('T04 who has to prove the key', () => {
  for (const client of ['spa', 'cautious']) {
    test(`T04 ${client} must`, async () => {
      expect(await refusalOf(client, without)).toBe('invalid_request');
    });
    test(`T04 ${client} not by sending it as it is`, async () => {
      expect(await refusalOf(client, { code_challenge_method: 'plain' })).toBe('invalid_request');
      // Without a method RFC 7636 §4.3 means `plain`.
      expect(await refusalOf(client, { code_challenge_method: '' })).toBe('invalid_request');
    });
  }

  test('T04 a native app must', async () => {
    const redirect = { redirect_uri: 'http://127.0.0.1:5000/callback' };
    const { url } = authorizationRequest(world.issuer, 'desk', { ...redirect, ...without });
    const answer = await get(url);
    expect(answer.headers.get('location')).toContain('error=invalid_request');
  });

  test('T04 a confidential client need not, and may', async () => {
    const plain = await signInForCode(world.issuer, world.browser(), { parameters: without });
    expect((await redeem(world.issuer, plain, { code_verifier: '' })).status).toBe(200);
    const proven = await signInForCode(world.issuer, world.browser());
    expect((await redeem(world.issuer, proven)).status).toBe(200);
  });

  test('T04 a malformed challenge is refused', async () => {
    for (const challenge of ['short', 'x'.repeat(129), `${'x'.repeat(42)}!`]) {
      expect(await refusalOf('spa', { code_challenge: challenge })).toBe('invalid_request');
    }
  });
});

describe('T05 the key itself', () => {
  test('T05 a verifier for a code without a challenge is refused', async () => {
    const redemption = await signInForCode(world.issuer, world.browser(), { parameters: without });
    const answer = await redeem(world.issuer, redemption);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  for (const client of ['app', 'spa']) {
    test(`T05 ${client}: a missing or wrong verifier is refused, and burns nothing`, async () => {
      const redemption = await signInForCode(world.issuer, world.browser(), { client });
      for (const verifier of ['', 'x'.repeat(43), `${redemption.verifier}x`]) {
        const answer = await redeem(world.issuer, redemption, { code_verifier: verifier });
        expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      }
      expect((await redeem(world.issuer, redemption)).status).toBe(200);
    });
  }

  test('T05 a malformed verifier is refused', async () => {
    const redemption = await signInForCode(world.issuer, world.browser(), { client: 'spa' });
    for (const verifier of ['x', 'x'.repeat(129), `${'x'.repeat(42)}é`]) {
      const { status, body } = await redeem(world.issuer, redemption, { code_verifier: verifier });
      expect(status).toBe(400);
      expect(['invalid_request', 'invalid_grant']).toContain(body.error);
    }
  });
});

describe('T06 what OAuth 2.1 has left behind', () => {
  for (const type of [
    'token',
    'id_token',
    'code token',
    'code id_token',
    'id_token token',
    'none',
  ]) {
    test(`T06 response_type=${type}`, async () => {
      expect(await refusalOf('app', { response_type: type })).toBe('unsupported_response_type');
    });
  }

  test('T06 a missing response_type is an invalid request', async () => {
    expect(await refusalOf('app', { response_type: '' })).toBe('invalid_request');
  });

  for (const grant of [
    'password',
    'implicit',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    '__proto__',
  ]) {
    test(`T06 grant_type=${grant}`, async () => {
      const fields = { grant_type: grant, username: 'ada', password: 'x' };
      expect(await token(world.issuer, 'app', fields)).toMatchObject({
        status: 400,
        body: { error: 'unsupported_grant_type' },
      });
    });
  }

  test('T06 a missing grant_type is an invalid request', async () => {
    expect((await token(world.issuer, 'app', {})).body).toMatchObject({ error: 'invalid_request' });
  });

  test('T06 a grant that the client is not registered for is refused', async () => {
    const fields = { grant_type: 'client_credentials' };
    // RFC 6749 §5.2 would say `unauthorized_client`; the library says this.
    const refused = { status: 400, body: { error: 'invalid_request' } };
    expect(await token(world.issuer, 'app', fields)).toMatchObject(refused);
    expect(await refresh(world.issuer, 'machine', 'x')).toMatchObject(refused);
    const { url } = authorizationRequest(world.issuer, 'machine');
    const answer = await get(url);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });
});
