/** Access tokens as services see them: RFC 9068, RFC 8707, and what a verifier must refuse. */

import { createHmac, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import { ensureKeys, openKey } from '../../src/oidc/keys.ts';
import { testSecret } from '../kit/server.ts';
import { claimsOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import {
  api,
  appFor,
  billing,
  encode,
  json,
  refresh,
  serviceFor,
  signIn,
  startProtocolWorld,
  travel,
  userinfo,
} from './kit.ts';
import type { Tokens } from './kit.ts';

let world: World;
let tokens: Tokens;
let key: { kid: string; private: KeyObject };

beforeAll(async () => {
  world = await startProtocolWorld();
  tokens = await signIn(world.issuer, world.browser());
  const secrets = createSecrets([testSecret]);
  const [slot] = await ensureKeys({ store: world.store, secrets, clock: Date.now }, 'ES256');
  const jwk = openKey(secrets, slot!);
  key = { kid: jwk.kid ?? '', private: createPrivateKey({ key: jwk, format: 'jwk' }) };
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

/** A token with the true key, so that only what is changed can be why it is refused. */
function forge(
  header: Record<string, unknown>,
  claims: Record<string, unknown> = {},
  signer: KeyObject = key.private,
): string {
  const own = { alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header };
  const body = `${encode(own)}.${encode({ ...claimsOf(tokens.access_token), ...claims })}`;
  const signature = sign('sha256', Buffer.from(body), { key: signer, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}

const now = () => Math.floor(Date.now() / 1000);

describe('T17 what an access token says', () => {
  test('T17 type, algorithm, key and claims', async () => {
    const { payload, protectedHeader } = await serviceFor(world.issuer)(tokens.access_token);
    expect(Object.keys(protectedHeader).toSorted()).toEqual(['alg', 'kid', 'typ']);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(payload).toMatchObject({
      iss: world.issuer,
      aud: api,
      sub: 'usr_ada',
      client_id: 'app',
      account: 'acc_acme',
      roles: ['owner'],
      scope: 'openid profile email',
    });
    expect(typeof payload.jti).toBe('string');
    const { exp = 0, iat = 0 } = payload;
    expect(exp - iat).toBeLessThanOrEqual(900);
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: exp - iat });
  });

  test('T17 each has its own jti, and carries nothing of the person unasked', async () => {
    const { body } = await refresh(world.issuer, 'app', tokens.refresh_token);
    const before = claimsOf(tokens.access_token);
    const after = claimsOf(body.access_token);
    expect(after.jti).not.toBe(before.jti);
    for (const name of ['email', 'name', 'picture', 'nonce', 'at_hash']) {
      expect(after).not.toHaveProperty(name);
    }
  });
});

describe('T18 one kind of token in the place of the other', () => {
  test('T18 an ID token is no access token', async () => {
    await expect(serviceFor(world.issuer)(tokens.id_token)).rejects.toThrow();
    // Not even to a service that takes any audience, or the client's.
    await expect(serviceFor(world.issuer, 'app')(tokens.id_token)).rejects.toThrow(/typ/);
    expect((await userinfo(world.issuer, tokens.id_token)).status).toBe(401);
  });

  test('T18 an access token is no ID token', async () => {
    await expect(appFor(world.issuer, 'app')(tokens.id_token)).resolves.toBeDefined();
    await expect(appFor(world.issuer, 'app')(tokens.access_token)).rejects.toThrow();
    await expect(appFor(world.issuer, api)(tokens.access_token)).rejects.toThrow();
  });

  test('T58 a refresh token is neither', async () => {
    await expect(serviceFor(world.issuer)(tokens.refresh_token)).rejects.toThrow();
    expect((await userinfo(world.issuer, tokens.refresh_token)).status).toBe(401);
  });
});

describe('T19 what a service with the sample code refuses', () => {
  test('T19 nothing is wrong with the test: the same key and claims pass', async () => {
    await expect(serviceFor(world.issuer)(forge({}))).resolves.toBeDefined();
    expect((await userinfo(world.issuer, forge({}))).status).toBe(200);
  });

  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = foreign.publicKey.export({ format: 'jwk' });
  const forgeries: [string, () => string][] = [
    ['a key of its own under our kid', () => forge({}, {}, foreign.privateKey)],
    ['a key of its own in `jwk`', () => forge({ jwk }, {}, foreign.privateKey)],
    ['an unknown kid', () => forge({ kid: 'unknown' })],
    [
      'an unknown kid, and a key of its own',
      () => forge({ kid: 'x', jwk }, {}, foreign.privateKey),
    ],
    ['jku', () => forge({ jku: 'https://evil.example.net/jwks' }, {}, foreign.privateKey)],
    ['x5u', () => forge({ x5u: 'https://evil.example.net/x5u' }, {}, foreign.privateKey)],
    ['an extension that must be understood', () => forge({ crit: ['x'], x: 1 })],
    ['another type', () => forge({ typ: 'JWT' })],
    ['the type of a logout token', () => forge({ typ: 'logout+jwt' })],
    ['no type', () => forge({ typ: undefined })],
    ['another issuer', () => forge({}, { iss: 'https://evil.example.net' })],
    ['the issuer with a slash', () => forge({}, { iss: `${world.issuer}/` })],
    ['another audience', () => forge({}, { aud: billing })],
    ['the audience with a slash', () => forge({}, { aud: `${api}/` })],
    ['no audience', () => forge({}, { aud: undefined })],
    ['an end that is past', () => forge({}, { exp: now() - 1 })],
    ['no end', () => forge({}, { exp: undefined })],
    ['a beginning that is to come', () => forge({}, { nbf: now() + 60 })],
    ['no user', () => forge({}, { sub: undefined })],
    ['no account', () => forge({}, { account: undefined })],
  ];
  for (const [what, make] of forgeries) {
    test(`T19 ${what}`, async () => {
      await expect(serviceFor(world.issuer)(make())).rejects.toThrow();
    });
  }

  /** Neither may Tollgate itself take them. Audience and account are no business of userinfo's. */
  const ownBusiness = /audience|account|beginning/;
  for (const [what, make] of forgeries.filter(([name]) => !ownBusiness.test(name))) {
    test(`T19 userinfo refuses ${what}, too`, async () => {
      expect((await userinfo(world.issuer, make())).status).toBe(401);
    });
  }

  test('T19 a beginning that is to come is refused by userinfo, too', async () => {
    expect((await userinfo(world.issuer, forge({}, { nbf: now() + 60 }))).status).toBe(401);
  });

  test('T19 no signature', async () => {
    const [, payload] = tokens.access_token.split('.');
    for (const alg of ['none', 'None', 'NONE', '']) {
      const header = encode({ alg, typ: 'at+jwt', kid: key.kid });
      for (const signature of ['', tokens.access_token.split('.')[2]]) {
        const jwt = `${header}.${payload}.${signature}`;
        await expect(serviceFor(world.issuer)(jwt)).rejects.toThrow();
        expect((await userinfo(world.issuer, jwt)).status).toBe(401);
      }
    }
  });

  test('T19 HS256 with a public key as the secret', async () => {
    const { keys } = (await (await fetch(`${world.issuer}/oauth2/jwks`)).json()) as {
      keys: Record<string, string>[];
    };
    const [, payload] = tokens.access_token.split('.');
    for (const jwkOfOurs of keys) {
      const body = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: jwkOfOurs.kid })}.${payload}`;
      for (const secret of [JSON.stringify(jwkOfOurs), jwkOfOurs.n ?? jwkOfOurs.x ?? '']) {
        const mac = createHmac('sha256', secret).update(body).digest('base64url');
        await expect(serviceFor(world.issuer)(`${body}.${mac}`)).rejects.toThrow();
        expect((await userinfo(world.issuer, `${body}.${mac}`)).status).toBe(401);
      }
    }
  });

  test('T19 a changed claim, or a signature of another token', async () => {
    const [header, payload, signature] = tokens.access_token.split('.');
    const changed = encode({ ...json(payload), account: 'acc_globex' });
    const [, , other] = forge({}, { jti: randomUUID() }).split('.');
    for (const jwt of [
      `${header}.${changed}.${signature}`,
      `${header}.${payload}.${other}`,
      `${header}.${payload}.${'A'.repeat(86)}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${tokens.access_token}.x`,
    ]) {
      await expect(serviceFor(world.issuer)(jwt)).rejects.toThrow();
      expect((await userinfo(world.issuer, jwt)).status).toBe(401);
    }
  });

  test('T19 a true one that has expired', async () => {
    const service = serviceFor(world.issuer);
    await expect(service(tokens.access_token)).resolves.toBeDefined();
    travel(901);
    await expect(service(tokens.access_token)).rejects.toThrow(/exp/);
    expect((await userinfo(world.issuer, tokens.access_token)).status).toBe(401);
  });
});

describe('T22 a token is for one service', () => {
  test('T22 of one product at the service of the other', async () => {
    const other = await signIn(world.issuer, world.browser(), { client: 'billing' });
    expect(claimsOf(other.access_token).aud).toBe(billing);
    await expect(serviceFor(world.issuer, billing)(other.access_token)).resolves.toBeDefined();
    await expect(serviceFor(world.issuer)(other.access_token)).rejects.toThrow(/aud/);
    await expect(serviceFor(world.issuer, billing)(tokens.access_token)).rejects.toThrow(/aud/);
  });

  test('a client without a product gets a token that is for nobody but us', async () => {
    const plain = await signIn(world.issuer, world.browser(), { client: 'plain' });
    expect(plain.access_token.startsWith('tga.')).toBe(true);
    await expect(serviceFor(world.issuer)(plain.access_token)).rejects.toThrow();
    expect((await userinfo(world.issuer, plain.access_token)).status).toBe(200);
  });
});

test('T23 RS256, for whoever needs it', async () => {
  const other = await startProtocolWorld({ accessTokenAlg: 'RS256' });
  try {
    const { access_token: jwt, id_token: idToken } = await signIn(other.issuer, other.browser());
    expect(json(jwt.split('.')[0])).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
    await expect(serviceFor(other.issuer)(jwt)).resolves.toBeDefined();
    expect((await userinfo(other.issuer, jwt)).status).toBe(200);
    // One key signs both kinds then: the type alone tells them apart.
    await expect(serviceFor(other.issuer, 'app')(idToken)).rejects.toThrow(/typ/);
  } finally {
    await other.close();
  }
});

test('T36 the ID token is signed with RS256, as client libraries expect unasked', () => {
  const [header] = tokens.id_token.split('.');
  expect(json(header)).toMatchObject({ alg: 'RS256', kid: expect.any(String) as string });
});
