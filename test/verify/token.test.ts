import { createHmac } from 'node:crypto';
import { base64url, exportJWK, exportSPKI, importJWK, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { verifier, VerifyError } from '../../src/verify/index.ts';
import {
  accessClaims,
  accessToken,
  audience,
  clientId,
  clockAt,
  logoutToken,
  makeKey,
  openIssuer,
  openService,
  outcome,
  securityEvent,
  sign,
  webhookSecret,
} from './world.ts';
import type { Clock, Service, TestIssuer } from './world.ts';

let world: TestIssuer;
let clock: Clock;
let service: Service;

beforeAll(async () => {
  world = await openIssuer();
});
afterAll(() => world.close());
beforeEach(() => {
  clock = clockAt();
  service = openService(world, clock);
});

const check = (token: string) => outcome(service.tollgate.check(token));
const good = (claims: object = {}) => accessToken(world, clock, claims);

describe('an access token', () => {
  test('says who the user is, for which account, and what the plan is', async () => {
    const claims = await service.tollgate.check(await good());
    expect(claims).toMatchObject({
      sub: 'usr_ada',
      account: 'acc_acme',
      roles: ['owner'],
      plan: 'team',
    });
  });

  test('is taken with ES256 and with RS256 (T23), and with the whole media type', async () => {
    expect(await check(await accessToken(world, clock, {}, { key: world.rs }))).toBe('good');
    const header = { typ: 'application/AT+JWT' };
    expect(await check(await accessToken(world, clock, {}, { header }))).toBe('good');
  });

  test('is taken from a request, from headers of the web and of Node', async () => {
    const authorization = `bearer ${await good()}`;
    const { tollgate } = service;
    const request = new Request('https://api.example.com/', { headers: { authorization } });
    expect(await outcome(tollgate.check(request))).toBe('good');
    expect(await outcome(tollgate.check(new Headers({ authorization })))).toBe('good');
    expect(await outcome(tollgate.check({ authorization }))).toBe('good');
    expect(
      await outcome(tollgate.check({ method: 'GET', url: '/', headers: { authorization } })),
    ).toBe('good');
  });

  test('is missing without a header of its scheme, and never looked for in the address (T15)', async () => {
    const { tollgate } = service;
    const token = await good();
    const address = `https://api.example.com/?access_token=${token}`;
    expect(await outcome(tollgate.check(new Request(address)))).toBe('token_missing');
    expect(await outcome(tollgate.check({}))).toBe('token_missing');
    expect(await outcome(tollgate.check(''))).toBe('token_missing');
    expect(await outcome(tollgate.check({ authorization: 'Basic YTpi' }))).toBe('token_missing');
    // A header whose name is `headers` makes no request of it.
    expect(await outcome(tollgate.check({ headers: 'x' }))).toBe('token_missing');
  });

  test('is refused when the header is not one token', async () => {
    const token = await good();
    const { tollgate } = service;
    for (const value of [
      'Bearer',
      'Bearer ',
      `Bearer ${token} ${token}`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer "${token}"`,
    ]) {
      expect(await outcome(tollgate.check({ authorization: value })), value).toBe('token_invalid');
    }
    const twice = { authorization: [`Bearer ${token}`, `Bearer ${token}`] };
    expect(await outcome(tollgate.check(twice))).toBe('token_invalid');
  });
});

describe('T17: form and life', () => {
  test('every claim of RFC 9068 §2.2 is required, as what it is', async () => {
    for (const name of ['iss', 'aud', 'exp', 'iat', 'sub', 'client_id', 'jti']) {
      expect(await check(await good({ [name]: undefined })), name).toBe('token_invalid');
      expect(await check(await good({ [name]: null })), name).toBe('token_invalid');
      expect(await check(await good({ [name]: '' })), name).toBe('token_invalid');
      expect(await check(await good({ [name]: { a: 1 } })), name).toBe('token_invalid');
    }
  });

  test('claims of ours are what the type says, or absent', async () => {
    for (const claims of [
      { roles: 'owner' },
      { roles: [1] },
      { entitlements: { export: true } },
      { account: null },
      { account: 7 },
      { sid: 7 },
      { period_end: '2027' },
      { cnf: 'x' },
    ]) {
      expect(await check(await good(claims)), JSON.stringify(claims)).toBe('token_invalid');
    }
  });

  test('it may live for 900 seconds and no longer', async () => {
    const iat = clock.seconds();
    expect(await check(await good({ exp: iat + 900 }))).toBe('good');
    expect(await check(await good({ exp: iat + 901 }))).toBe('token_invalid');
    expect(await check(await good({ iat: iat - 600, exp: iat + 400 }))).toBe('token_invalid');
  });

  test('the type must be at+jwt', async () => {
    for (const typ of [null, '', 'JWT', 'jwt', 'at', 'at+jwt2', 'secevent+jwt', 'text/at+jwt', 7]) {
      const token = await accessToken(world, clock, {}, { header: { typ } });
      expect(await check(token), String(typ)).toBe('token_invalid');
    }
  });
});

describe('T18: other tokens of the same issuer are no access tokens', () => {
  test('an ID token, a logout token, a security event token', async () => {
    const id = { ...accessClaims(world, clock), aud: clientId };
    expect(await check(await sign(world, id, { header: { typ: 'JWT' } }))).toBe('token_invalid');
    const named = { ...accessClaims(world, clock) };
    expect(await check(await sign(world, named, { header: { typ: 'JWT' } }))).toBe('token_invalid');
    expect(await check(await logoutToken(world, clock, accessClaims(world, clock)))).toBe(
      'token_invalid',
    );
    expect(await check(await securityEvent(world, clock, accessClaims(world, clock)))).toBe(
      'token_invalid',
    );
  });
});

describe('T19: forged tokens', () => {
  test('alg none', async () => {
    const claims = accessClaims(world, clock);
    const encode = (value: object) => base64url.encode(JSON.stringify(value));
    for (const alg of ['none', 'None', 'NONE', '']) {
      const header = { alg, typ: 'at+jwt', kid: 'es-1' };
      expect(await check(`${encode(header)}.${encode(claims)}.`), alg).toBe('token_invalid');
      expect(await check(`${encode(header)}.${encode(claims)}.AAAA`), alg).toBe('token_invalid');
    }
    expect(await check(new UnsecuredJWT(claims).encode())).toBe('token_invalid');
  });

  test('HS256 with the public key as the secret', async () => {
    const key = (await importJWK(world.rs.jwk, 'RS256', { extractable: true })) as CryptoKey;
    const secrets = [await exportSPKI(key), JSON.stringify(await exportJWK(key)), ''];
    const encode = (value: object) => base64url.encode(JSON.stringify(value));
    for (const secret of secrets) {
      const header = { alg: 'HS256', typ: 'at+jwt', kid: 'rs-1' };
      const signed = `${encode(header)}.${encode(accessClaims(world, clock))}`;
      const mac = createHmac('sha256', secret).update(signed).digest('base64url');
      expect(await check(`${signed}.${mac}`)).toBe('token_invalid');
    }
  });

  test('an algorithm that the key is not of, and one that is not taken', async () => {
    const token = await accessToken(world, clock, {}, { header: { kid: 'rs-1' } });
    expect(await check(token)).toBe('token_invalid');
    const [, payload, signature] = (await good()).split('.');
    for (const alg of ['PS256', 'ES384', 'EdDSA', 'RS512']) {
      const header = base64url.encode(JSON.stringify({ alg, typ: 'at+jwt', kid: 'es-1' }));
      expect(await check(`${header}.${payload}.${signature}`), alg).toBe('token_invalid');
    }
  });

  test('a key of somebody else, under a kid that is known and one that is not', async () => {
    const foreign = await makeKey('ES256', 'es-1');
    expect(await check(await accessToken(world, clock, {}, { key: foreign }))).toBe(
      'token_invalid',
    );
    const unknown = await makeKey('ES256', 'other');
    expect(await check(await accessToken(world, clock, {}, { key: unknown }))).toBe(
      'token_invalid',
    );
    const none = await accessToken(world, clock, {}, { header: { kid: null } });
    expect(await check(none)).toBe('token_invalid');
  });

  test('a key that the token brings along: jku, jwk, x5u, x5c', async () => {
    const foreign = await makeKey('ES256', 'theirs');
    world.routes['/theirs'] = () => ({ body: { keys: [foreign.jwk] } });
    for (const header of [
      { jku: `${world.issuer}/theirs` },
      { jwk: foreign.jwk },
      { x5u: `${world.issuer}/theirs` },
      { x5c: ['AAAA'] },
    ]) {
      const token = await accessToken(world, clock, {}, { key: foreign, header });
      expect(await check(token)).toBe('token_invalid');
      // And also where the signature is right: nothing of ours says so.
      expect(await check(await accessToken(world, clock, {}, { header }))).toBe('token_invalid');
    }
    expect(world.times('/theirs')).toBe(0);
  });

  test('an extension that must be understood', async () => {
    const header = { crit: ['exp'], exp: 1 };
    const [, payload, signature] = (await good()).split('.');
    const encoded = base64url.encode(
      JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'es-1', ...header }),
    );
    expect(await check(`${encoded}.${payload}.${signature}`)).toBe('token_invalid');
  });

  test('each part changed, cut or left out', async () => {
    const token = await good();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const other = base64url.encode(JSON.stringify(accessClaims(world, clock, { sub: 'usr_eve' })));
    for (const forged of [
      `${header}.${other}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature.slice(0, -4)}`,
      `${header}.${payload}.${base64url.encode(new Uint8Array(64))}`,
      `.${payload}.${signature}`,
      `${token}.${signature}`,
      `${token}.`,
      token.slice(1),
      '..',
      'a',
      'ä.ö.ü',
      `${header}.${base64url.encode('[]')}.${signature}`,
      `${header}.${base64url.encode('{')}.${signature}`,
      'x'.repeat(1_000_000),
      `${header}.${'A'.repeat(20_000)}.${signature}`,
    ]) {
      expect(await check(forged), forged.slice(0, 40)).toBe('token_invalid');
    }
  });

  test('T22: another issuer or audience, and what only looks like it', async () => {
    for (const iss of [
      `${world.issuer}/`,
      `${world.issuer}.example.com`,
      world.issuer.replace('localhost', 'LOCALHOST'),
      world.issuer.slice(0, -1),
      'https://id.example.com',
      [world.issuer],
    ]) {
      expect(await check(await good({ iss })), String(iss)).toBe('token_invalid');
    }
    for (const aud of [
      `${audience}/`,
      `${audience}.evil.example`,
      'https://api.example.co',
      audience.toUpperCase(),
      `x ${audience}`,
      [],
      [`${audience}/`],
      [[audience]],
      { [audience]: true },
    ]) {
      expect(await check(await good({ aud })), JSON.stringify(aud)).toBe('token_invalid');
    }
    expect(await check(await good({ aud: ['https://other.example', audience] }))).toBe('good');
  });

  test('expired, not yet, and from the future', async () => {
    const iat = clock.seconds();
    const old = await good({ iat: iat - 900, exp: iat });
    // With the tolerance of five seconds.
    expect(await check(old)).toBe('good');
    clock.advance(4);
    expect(await check(old)).toBe('good');
    clock.advance(1);
    expect(await check(old)).toBe('token_expired');
    expect(await check(await good({ nbf: clock.seconds() + 6 }))).toBe('token_invalid');
    expect(await check(await good({ nbf: clock.seconds() + 5 }))).toBe('good');
    // T76: clocks differ. Half a minute is nobody's fault.
    const ahead = clock.seconds() + 30;
    expect(await check(await good({ iat: ahead, exp: ahead + 900 }))).toBe('good');
    const far = clock.seconds() + 61;
    expect(await check(await good({ iat: far, exp: far + 900 }))).toBe('token_invalid');
  });

  test('an expired one whose signature is wrong is not told that it has expired', async () => {
    const iat = clock.seconds() - 5000;
    const [header, payload] = (await good({ iat, exp: iat + 900 })).split('.');
    const signature = base64url.encode(new Uint8Array(64).fill(1));
    expect(await check(`${header}.${payload}.${signature}`)).toBe('token_invalid');
  });
});

describe('what a route wants beside', () => {
  test('scopes, all of them', async () => {
    const { tollgate } = service;
    const token = await good();
    expect(await outcome(tollgate.check(token, { scope: 'openid' }))).toBe('good');
    expect(await outcome(tollgate.check(token, { scope: 'profile openid' }))).toBe('good');
    expect(await outcome(tollgate.check(token, { scope: ['openid', 'email'] }))).toBe(
      'insufficient_scope',
    );
    expect(await outcome(tollgate.check(token, { scope: 'open' }))).toBe('insufficient_scope');
    const bare = await good({ scope: undefined });
    expect(await outcome(tollgate.check(bare, { scope: 'openid' }))).toBe('insufficient_scope');
  });

  test('a feature, a subscription', async () => {
    const { tollgate } = service;
    const token = await good();
    expect(await outcome(tollgate.check(token, { feature: 'export', subscription: true }))).toBe(
      'good',
    );
    expect(await outcome(tollgate.check(token, { feature: 'import' }))).toBe('insufficient_plan');
    const unpaid = await good({ subscription_status: 'unpaid' });
    expect(await outcome(tollgate.check(unpaid, { subscription: true }))).toBe('insufficient_plan');
    expect(await outcome(tollgate.check(unpaid))).toBe('good');
    const statuses = ['unpaid'];
    expect(await outcome(tollgate.check(unpaid, { subscription: { statuses } }))).toBe('good');
  });
});

describe('the options', () => {
  const options = { issuer: 'https://id.example.com', audience };

  test('what is wrong with them is said at once, and no secret with it', () => {
    const whsec = 'whsec_c2hvcnQ=';
    for (const wrong of [
      { issuer: '' },
      { issuer: [] },
      { issuer: 'id.example.com' },
      { issuer: 'http://id.example.com' },
      { issuer: 'http://localhost.example.com' },
      { issuer: 'https://id.example.com?a=b' },
      { audience: '' },
      { audience: [''] },
      { toleranceSeconds: 61 },
      { toleranceSeconds: -1 },
      { toleranceSeconds: NaN },
      { dpop: { origin: 'http://api.example.com' } },
      { webhook: { secrets: [] } },
      { webhook: { secrets: [whsec] } },
      { webhook: { secrets: [Buffer.alloc(32).toString('base64')] } },
      {
        issuer: ['https://a.example', 'https://b.example'],
        webhook: { secrets: [webhookSecret] },
      },
      { webhook: { secrets: [webhookSecret], issuer: 'https://other.example' } },
      { clientId: '' },
    ]) {
      const open = () => verifier({ ...options, ...wrong });
      expect(open, JSON.stringify(wrong)).toThrow(TypeError);
      expect(open).not.toThrow('c2hvcnQ');
    }
  });

  test('plain http is for this machine', () => {
    for (const issuer of ['http://localhost:4400', 'http://127.0.0.1:1', 'http://[::1]:1']) {
      expect(() => verifier({ ...options, issuer })).not.toThrow();
    }
  });

  test('errors are of one class', async () => {
    await expect(service.tollgate.check('x')).rejects.toBeInstanceOf(VerifyError);
  });
});
