/** What the configuration accepts, the provider has to take as well: or a mistake shows at sign-in only. */

import { expect, test } from 'vitest';
import { startServer } from '../kit/server.ts';
import { clientSecret, complaints, withClient } from './world.ts';

const web = { redirectUris: ['https://app.example.com/callback'] };
const native = { applicationType: 'native', secret: undefined };
const service = { grantTypes: ['client_credentials'], redirectUris: [] };

const accepted: [string, object][] = [
  ['an app', web],
  ['an app on this machine', { redirectUris: ['http://localhost:3000/callback'] }],
  ['an app on a name of this machine', { redirectUris: ['http://app.localhost:3000/callback'] }],
  ['an app on an address of this machine', { redirectUris: ['http://127.0.0.1:3000/callback'] }],
  ['an app on IPv6 of this machine', { redirectUris: ['http://[::1]:3000/callback'] }],
  ['an app with a query', { redirectUris: ['https://app.example.com/callback?tenant=1'] }],
  ['an app without a secret', { ...web, secret: undefined, public: true }],
  ['an app with ES256', { ...web, idTokenAlg: 'ES256' }],
  ['an app that takes logouts', { ...web, backchannelLogoutUri: 'https://app.example.com/out' }],
  ['one here that does', { ...web, backchannelLogoutUri: 'http://localhost:3000/out' }],
  ['an app that begins sign-ins', { ...web, initiateLoginUri: 'https://app.example.com/in' }],
  ['an app that is signed out of', { ...web, postLogoutRedirectUris: ['https://example.com/'] }],
  ['one here that is', { ...web, postLogoutRedirectUris: ['http://localhost:3000/'] }],
  ['a native app on loopback', { ...native, redirectUris: ['http://127.0.0.1/callback'] }],
  ['a native app on IPv6', { ...native, redirectUris: ['http://[::1]/callback'] }],
  ['a native app by name', { ...native, redirectUris: ['http://localhost/callback'] }],
  ['a native app with a scheme', { ...native, redirectUris: ['com.example.app:/callback'] }],
  ['a native app with an address', { ...native, redirectUris: ['https://app.example.com/native'] }],
  [
    'a native app that is signed out of',
    { ...native, ...web, postLogoutRedirectUris: ['com.example.app:/bye', 'http://127.0.0.1/'] },
  ],
  ['a service', service],
  [
    'a service that also signs in',
    { ...web, grantTypes: ['authorization_code', 'client_credentials'] },
  ],
  ['an app without refresh tokens', { ...web, grantTypes: ['authorization_code'] }],
];

test.each(accepted)('%s is taken by the provider too', async (_name, keys) => {
  const input = withClient(keys) as { clients: never };
  expect(await complaints(input)).toEqual([]);
  const server = await startServer({ config: { clients: input.clients } });
  try {
    const query = new URLSearchParams({
      client_id: 'app',
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    });
    const { redirectUris, grantTypes } = keys as typeof web & { grantTypes?: string[] };
    const asked = grantTypes?.includes('authorization_code') ?? true;
    if (asked) {
      query.set('redirect_uri', redirectUris[0] ?? '');
      const answer = await fetch(`${server.issuer}/oauth2/authorize?${query.toString()}`, {
        redirect: 'manual',
      });
      expect(answer.headers.get('location') ?? (await answer.text())).toMatch(/\/interaction\//);
    } else {
      const answer = await fetch(`${server.issuer}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`app:${clientSecret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      expect({ status: answer.status, body: await answer.text() }).toMatchObject({ status: 200 });
    }
  } finally {
    await server.close();
  }
});
