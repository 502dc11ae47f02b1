import { expect, test } from 'vitest';
import { providerSchema } from '../../src/config.ts';
import { resolveProvider } from '../../src/federation/presets.ts';

const resolve = (input: object) =>
  resolveProvider(providerSchema.parse({ clientId: 'c', ...input }));

test('a preset needs nothing but its credentials', () => {
  expect(resolve({ id: 'google', preset: 'google' })).toMatchObject({
    name: 'Google',
    type: 'oidc',
    issuer: 'https://accounts.google.com',
    issuerSpellings: ['https://accounts.google.com', 'accounts.google.com'],
    scopes: ['openid', 'email', 'profile'],
    parameters: {},
  });
  expect(resolve({ id: 'github', preset: 'github' })).toMatchObject({
    name: 'GitHub',
    type: 'oauth2',
    issuer: 'https://github.com',
    responseIssuers: ['https://github.com', 'https://github.com/login/oauth'],
    endpoints: { userinfo: 'https://api.github.com/user' },
  });
});

test('F2 a GitHub of one’s own is an issuer of its own', () => {
  const own = resolve({
    id: 'ghes',
    preset: 'github',
    authorizationEndpoint: 'https://git.example.com/login/oauth/authorize',
    tokenEndpoint: 'https://git.example.com/login/oauth/access_token',
    userinfoEndpoint: 'https://git.example.com/api/v3/user',
  });
  expect(own.issuer).toBe('https://git.example.com');
  expect(own.endpoints?.emails).toBeUndefined();
});

test('F16 several hosted domains are asked for as any', () => {
  const google = { id: 'google', preset: 'google' };
  const parameters = (hostedDomains: string[]) => resolve({ ...google, hostedDomains }).parameters;
  expect(parameters(['example.com'])).toEqual({ hd: 'example.com' });
  expect(parameters(['example.com', 'example.org'])).toEqual({ hd: '*' });
});

test('what cannot be kept or would be unsafe is refused at the start', () => {
  const refuse = (input: object) => () => resolve({ id: 'x', ...input });
  expect(refuse({})).toThrow('issuer has to be set');
  expect(refuse({ issuer: 'http://id.example.com' })).toThrow('https://');
  expect(refuse({ issuer: 'http://127.0.0.1.example.com' })).toThrow('https://');
  expect(refuse({ type: 'oauth2' })).toThrow('set together');
  expect(refuse({ preset: 'github', tokenEndpoint: 'https://evil.example/token' })).toThrow(
    'set together',
  );
  expect(refuse({ preset: 'github', hostedDomains: ['example.com'] })).toThrow('OpenID Connect');
  expect(refuse({ preset: 'google', hostedDomains: [] })).toThrow('nobody');
});

test('an OpenID Connect provider is always asked for an ID token', () => {
  expect(resolve({ id: 'x', issuer: 'https://x.example', scopes: ['email'] }).scopes).toEqual([
    'openid',
    'email',
  ]);
});
