/** What other languages' libraries send by default, where it differs: `clients` of the world, by hand. */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { addressOf, authorizationRequest, claimsOf, signInForCode } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import {
  basic,
  get,
  post,
  read,
  redeem,
  refresh,
  secretOf,
  signIn,
  silently,
  startProtocolWorld,
  travel,
} from '../protocol/kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

const tokenUrl = () => `${world.issuer}/oauth2/token`;

test('the secret raw in the header, and form-encoded as RFC 6749 §2.3.1 wants', async () => {
  const encoded = encodeURIComponent(secretOf('app'));
  for (const secret of [secretOf('app'), encoded]) {
    const { code, verifier } = await signInForCode(world.issuer, world.browser());
    const fields = {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: addressOf('app'),
    };
    expect((await post(tokenUrl(), fields, basic('app', secret))).status).toBe(200);
  }
});

test('the code in the header, the refresh in the body, as Auth.js does', async () => {
  const { code, verifier } = await signInForCode(world.issuer, world.browser());
  const { body } = await post(
    tokenUrl(),
    {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: addressOf('app'),
    },
    basic('app'),
  );
  expect((await refresh(world.issuer, 'app', body.refresh_token)).status).toBe(200);
});

test('client_id beside the header, as some do', async () => {
  const { code, verifier } = await signInForCode(world.issuer, world.browser());
  const fields = {
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    redirect_uri: addressOf('app'),
    client_id: 'app',
  };
  expect((await post(tokenUrl(), fields, basic('app'))).status).toBe(200);
});

test('the code or the refresh token sent twice on an error, as Go does: nothing dies', async () => {
  const redemption = await signInForCode(world.issuer, world.browser());
  const fields = {
    grant_type: 'authorization_code',
    code: redemption.code,
    redirect_uri: addressOf('app'),
  };
  const first = await post(tokenUrl(), fields, basic('app', 'x'.repeat(40)));
  expect(first.status).toBe(401);
  const second = await redeem(world.issuer, redemption);
  expect(second.status).toBe(200);
  const third = await redeem(world.issuer, redemption);
  expect(third.status).toBe(400);
  const again = await refresh(world.issuer, 'app', second.body.refresh_token);
  expect(again.status).toBe(200);
  expect((await refresh(world.issuer, 'app', second.body.refresh_token)).status).toBe(200);
});

test('a refresh token comes unasked, and the ID token has the person in it', async () => {
  for (const client of ['app', 'plain']) {
    const tokens = await signIn(world.issuer, world.browser(), { client });
    expect(tokens.refresh_token).toBeTruthy();
    expect(claimsOf(tokens.id_token)).toMatchObject({
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      email_verified: true,
    });
    // One audience: some libraries accept no list.
    expect(claimsOf(tokens.id_token).aud).toBe(client);
  }
});

describe('what the certification of the basic profile asks for', () => {
  const bare = {
    code_challenge: '',
    code_challenge_method: '',
    nonce: '',
  };

  test('no PKCE, no nonce, the secret in the header', async () => {
    const redemption = await signInForCode(world.issuer, world.browser(), {
      client: 'plain',
      parameters: bare,
    });
    const fields = {
      grant_type: 'authorization_code',
      code: redemption.code,
      redirect_uri: addressOf('plain'),
    };
    const { status, body } = await post(tokenUrl(), fields, basic('plain'));
    expect(status).toBe(200);
    expect(claimsOf(body.id_token)).not.toHaveProperty('nonce');
  });

  test('the order of parameters and of scopes does not matter', async () => {
    const { url, ...request } = authorizationRequest(world.issuer, 'plain', {
      scope: 'email profile openid',
    });
    const reversed = new URL(url);
    reversed.search = new URLSearchParams([...new URL(url).searchParams].toReversed()).toString();
    const browser = world.browser();
    await signIn(world.issuer, browser, { client: 'plain' });
    const page = await browser.get(reversed.href);
    const code = new URL(page.url).searchParams.get('code') ?? '';
    expect((await redeem(world.issuer, { ...request, url, code })).status).toBe(200);
  });

  test('scopes that we have nothing for are no error', async () => {
    const scope = 'openid profile email address phone offline_access';
    const tokens = await signIn(world.issuer, world.browser(), {
      client: 'plain',
      parameters: { scope },
    });
    const info = await get(`${world.issuer}/oauth2/userinfo`, {
      authorization: `Bearer ${tokens.access_token}`,
    });
    expect(info.body).toMatchObject({ sub: 'usr_ada', email_verified: true });
  });

  test('acr_values: acr is told where it is known, and nothing breaks where it is not', async () => {
    const tokens = await signIn(world.issuer, world.browser(), {
      client: 'plain',
      parameters: { acr_values: '1 2' },
    });
    expect(claimsOf(tokens.id_token).sub).toBe('usr_ada');
  });

  test('a code used twice, 30 s apart: the first access token is dead', async () => {
    const redemption = await signInForCode(world.issuer, world.browser(), { client: 'plain' });
    const { body } = await redeem(world.issuer, redemption);
    travel(30);
    const second = await redeem(world.issuer, redemption);
    expect(second).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const info = await get(`${world.issuer}/oauth2/userinfo`, {
      authorization: `Bearer ${body.access_token}`,
    });
    expect(info.status).toBe(401);
  });

  test('the same request by POST', async () => {
    const url = new URL(authorizationRequest(world.issuer, 'plain').url);
    const browser = world.browser();
    await signIn(world.issuer, browser, { client: 'plain' });
    const fields = Object.fromEntries(url.searchParams);
    const page = await browser.post(`${world.issuer}/oauth2/authorize`, fields);
    expect(page.stopped).toBe(true);
    expect(new URL(page.url).searchParams.get('code')).not.toBeNull();
  });

  test('T14 T15 by POST, too, nothing is taken twice, in another form, or with a secret', async () => {
    const url = `${world.issuer}/oauth2/authorize`;
    const fields = [...new URL(authorizationRequest(world.issuer, 'plain').url).searchParams];
    const answers = [
      await post(url, [...fields, ['state', 'x']]),
      await post(url, [...fields, ['padding', 'x'.repeat(20_000)]]),
      await read(fetch(url, { method: 'POST', body: '{}' })),
      await read(fetch(url, { method: 'POST' })),
    ];
    for (const { status, headers } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(headers.get('location')).toBeNull();
    }
    const page = await world
      .browser()
      .post(url, { ...Object.fromEntries(fields), client_secret: secretOf('plain') });
    expect(page.status).toBe(400);
  });

  test('a request object that we do not take is told', async () => {
    const { parameters } = await silently(world.issuer, world.browser(), 'plain', {
      request: 'e30.e30.',
    });
    expect(parameters.get('error')).toBe('request_not_supported');
  });
});
