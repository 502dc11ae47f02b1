/**
 * The bare library to compare with: oidc-provider with an adapter that is a Map, the same keys, the same
 * algorithms, rotation on. `POST /families` makes refresh tokens without a sign-in.
 */

import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import type { Adapter, AdapterPayload, Configuration } from 'oidc-provider';

const { BENCH_PORT = '', BENCH_KEYS = '', BENCH_SECRET = '' } = process.env;
const audience = 'https://api.example.com';

class MapAdapter implements Adapter {
  readonly #kept = new Map<string, AdapterPayload>();

  upsert(id: string, payload: AdapterPayload) {
    this.#kept.set(id, structuredClone(payload));
    return Promise.resolve();
  }

  find(id: string) {
    return Promise.resolve(structuredClone(this.#kept.get(id)));
  }

  findByUid = () => Promise.resolve(undefined);
  findByUserCode = () => Promise.resolve(undefined);

  consume(id: string) {
    const payload = this.#kept.get(id);
    if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    return Promise.resolve();
  }

  destroy(id: string) {
    this.#kept.delete(id);
    return Promise.resolve();
  }

  revokeByGrantId = () => Promise.resolve();
}

const adapters = new Map<string, MapAdapter>();
const configuration: Configuration = {
  adapter: (name: string) => {
    const adapter = adapters.get(name) ?? new MapAdapter();
    adapters.set(name, adapter);
    return adapter;
  },
  clients: [
    {
      client_id: 'app',
      client_secret: BENCH_SECRET,
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://app.example.com/callback'],
    },
  ],
  jwks: JSON.parse(BENCH_KEYS) as Configuration['jwks'],
  rotateRefreshToken: true,
  expiresWithSession: () => false,
  issueRefreshToken: () => true,
  routes: { token: '/oauth2/token' },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'openid',
        audience,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 900,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  ttl: { AccessToken: 900, IdToken: 3600, RefreshToken: 1_209_600, Grant: 1_209_600 },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
};

const provider = new Provider(`http://127.0.0.1:${BENCH_PORT}`, configuration);

async function makeFamily(): Promise<string> {
  const client = await provider.Client.find('app');
  const grant = new provider.Grant({ accountId: 'usr_bench', clientId: 'app' });
  grant.addOIDCScope('openid');
  grant.addResourceScope(audience, 'openid');
  const token = new provider.RefreshToken({
    accountId: 'usr_bench',
    client,
    grantId: await grant.save(),
    gty: 'authorization_code',
    scope: 'openid',
    resource: audience,
    sid: 'bench',
  } as never);
  return token.save();
}

provider.use(async (ctx, next) => {
  if (ctx.path === '/ready') ctx.body = 'ready';
  else if (ctx.path === '/families') ctx.body = { token: await makeFamily() };
  else await next();
});

const answer = provider.callback();
createServer((request, response) => void answer(request, response)).listen(
  Number(BENCH_PORT),
  '127.0.0.1',
);
process.on('SIGTERM', () => process.exit(0));
