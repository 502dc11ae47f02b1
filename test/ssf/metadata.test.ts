/** What the transmitter says of itself: module `openid-ssf-transmitter-metadata`. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { poll, push, read, startSsfWorld } from './world.ts';
import type { ApiAnswer, SsfWorld } from './world.ts';

let world: SsfWorld;
let answer: ApiAnswer;

beforeAll(async () => {
  world = await startSsfWorld();
  answer = await read(fetch(`${world.issuer}/.well-known/ssf-configuration`));
});

afterAll(() => world.close());

test('T60 transmitter-metadata: it is JSON, may be cached, and its issuer is the address', () => {
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
  expect(answer.body.issuer).toBe(world.issuer);
});

test('T60 transmitter-metadata: all that CAEP interoperability wants is there', () => {
  const { issuer } = world;
  expect(answer.body).toEqual({
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}/oauth2/jwks`,
    delivery_methods_supported: [push, poll],
    configuration_endpoint: `${issuer}/ssf/streams`,
    status_endpoint: `${issuer}/ssf/status`,
    verification_endpoint: `${issuer}/ssf/verify`,
    add_subject_endpoint: `${issuer}/ssf/subjects/add`,
    remove_subject_endpoint: `${issuer}/ssf/subjects/remove`,
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
    default_subjects: 'ALL',
  });
});

test('transmitter-metadata: no list in it is empty', () => {
  for (const value of Object.values(answer.body)) {
    if (Array.isArray(value)) expect(value.length).toBeGreaterThan(0);
  }
});

test('T62 transmitter-metadata: its keys are public, and one is RS256 of 2048 bits', async () => {
  const { body } = await read(fetch(answer.body.jwks_uri));
  const keys = body.keys as Record<string, string>[];
  for (const key of keys) {
    expect(key.kid).toBeTruthy();
    expect(key).not.toHaveProperty('d');
  }
  const rsa = keys.find(({ alg }) => alg === 'RS256');
  expect(Buffer.from(rsa?.n ?? '', 'base64url').length).toBeGreaterThanOrEqual(256);
});

test('every endpoint that it names is there, and says what it takes', async () => {
  for (const [name, address] of Object.entries<unknown>(answer.body)) {
    if (!name.endsWith('_endpoint')) continue;
    const wrong = await read(fetch(String(address), { method: 'OPTIONS' }));
    expect([200, 204, 405]).toContain(wrong.status);
    const unauthorized = await read(fetch(String(address), { method: 'POST', body: '{}' }));
    expect(unauthorized.status).toBe(401);
  }
});
