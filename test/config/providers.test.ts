/** What the configuration says of a provider, the federation says too. */

import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { resolveProvider } from '../../src/federation/presets.ts';
import { goodInput } from './world.ts';

const endpoints = {
  authorizationEndpoint: 'https://git.example.com/authorize',
  tokenEndpoint: 'https://git.example.com/token',
  userinfoEndpoint: 'https://git.example.com/user',
};

test.each([
  { preset: 'google' },
  { preset: 'google', hostedDomains: ['example.com', 'example.org'] },
  { preset: 'github' },
  { preset: 'github', ...endpoints, emailsEndpoint: 'https://git.example.com/emails' },
  { issuer: 'https://login.example.com/realm' },
  { issuer: 'https://login.example.com', pkce: false, scopes: ['email'] },
  { issuer: 'http://localhost:4500' },
  { issuer: 'http://login.localhost:4500' },
  { issuer: 'http://127.0.0.1:4500' },
  { issuer: 'http://[::1]:4500' },
  { type: 'oauth2', ...endpoints, subjectField: 'id' },
])('a provider that is accepted can be used: %j', async (keys) => {
  const provider = { id: 'p', clientId: 'c', clientSecret: 'GOCSPX-1', ...keys };
  const outgoing = { allowPrivate: ['127.0.0.0/8', '::1'] };
  const input = { ...goodInput(), providers: [provider], outgoing };
  const readFile = () => Promise.resolve(JSON.stringify(input));
  const config = await loadConfig({ file: 'tollgate.config.json', env: {}, readFile });
  const [found] = config.providers;
  expect(found && resolveProvider(found)).toMatchObject({ id: 'p', clientId: 'c' });
});
