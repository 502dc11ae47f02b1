import { describe, expect, test } from 'vitest';
import { complaints, goodInput, load, withClient, withProvider } from './world.ts';

const change = (keys: object) => ({ ...goodInput(), ...keys });

test('the configuration that the others are made from is good', async () => {
  expect(await complaints(goodInput())).toEqual([]);
});

describe('T79 the issuer', () => {
  test.each([
    'https://id.example.com',
    'https://id.example.com:8443',
    'http://localhost:4400',
    'http://127.0.0.1:4400',
    'http://[::1]:4400',
    'http://id.localhost:4400',
  ])('may be %s', async (issuer) => {
    expect(await complaints(change({ issuer }))).toEqual([]);
  });

  test.each([
    'http://id.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://10.0.0.1',
    'https://id.example.com/',
    'https://id.example.com/oidc',
    'https://id.example.com?x=1',
    'https://id.example.com#x',
    'https://user:word@id.example.com',
    'HTTPS://id.example.com',
    'https://ID.example.com',
    'ftp://id.example.com',
    'id.example.com',
    'https:id.example.com',
    '',
  ])('is refused: %s', async (issuer) => {
    expect(await complaints(change({ issuer }))).toHaveLength(1);
  });
});

describe('T79 secrets', () => {
  test.each([
    ['short', 'abc123'],
    ['to be changed', 'change-me-change-me-now-0123456789abcdef'],
    ['to be replaced', 'REPLACE_ME_f3b1c5a09d7e4862b0c91e5fd27a'],
    ['one character', 'a'.repeat(64)],
    ['few characters', 'abababbabaabbbabababaababababbbabaab'],
    ['repeated', '0123456789abcdef0123456789abcdef'],
    ['in a row', 'abcdefghijklmnopqrstuvwxyz0123456789'],
  ])('that are %s are refused, and not shown', async (_name, secret) => {
    const server = await complaints(change({ secrets: [secret] }));
    const client = await complaints(withClient({ secret }));
    expect(server).toEqual([expect.stringMatching(/^secrets\[0\]: It .*openssl rand -hex 32/)]);
    expect(client).toEqual([expect.stringMatching(/^clients\[0\]\.secret: It /)]);
    expect([...server, ...client].join()).not.toContain(secret);
  });

  test('that two share are refused', async () => {
    const secret = goodInput().secrets[0];
    expect(await complaints(change({ secrets: [secret, secret] }))).toEqual([
      expect.stringMatching(/^secrets\[1\]: It is the same secret as secrets\[0\]/),
    ]);
    expect(await complaints(withClient({ secret }))).toHaveLength(1);
    expect(await complaints(withProvider({ clientSecret: secret }))).toHaveLength(1);
  });

  test('of a wrong type are not shown', async () => {
    const problems = await complaints(
      change({ secrets: 'f3b1c5a09d7e4862', providers: [{ id: 'g', clientSecret: 987_654_321 }] }),
    );
    expect(problems.join()).not.toMatch(/f3b1|9876/);
  });

  test('of clients have no character that libraries spell in different ways', async () => {
    expect(await complaints(withClient({ secret: 'Q7+w/x2=Rk%9ZpTn4VbLs0YhJd8MfGe1' }))).toEqual([
      expect.stringContaining('spell in different ways'),
    ]);
  });
});

test('T79 a store that keeps nothing is for this machine only', async () => {
  const store = 'sqlite::memory:';
  expect(await complaints(change({ store }))).toEqual([expect.stringMatching(/^store: It keeps/)]);
  expect(await complaints(change({ store, issuer: 'http://localhost:4400' }))).toEqual([]);
});

describe('T03 addresses to redirect to', () => {
  test.each([
    ['web', 'https://app.example.com/callback?tenant=1'],
    ['web', 'http://localhost:3000/callback'],
    ['web', 'http://127.0.0.1:3000/callback'],
    ['native', 'http://127.0.0.1/callback'],
    ['native', 'http://[::1]/callback'],
    ['native', 'com.example.app:/callback'],
    ['native', 'https://app.example.com/claimed'],
  ])('of a %s app may be %s', async (applicationType, uri) => {
    const input = withClient({ applicationType, redirectUris: [uri] });
    expect(await complaints(input)).toEqual([]);
  });

  test.each([
    ['web', 'http://app.example.com/callback'],
    ['web', 'javascript:alert(1)'],
    ['web', 'javascript://app.example.com/%0aalert(1)'],
    ['web', 'data:text/html,x'],
    ['web', 'com.example.app:/callback'],
    ['web', 'https://app.example.com/callback#x'],
    ['web', 'https://app.example.com/#'],
    ['web', 'https://*.example.com/callback'],
    ['web', 'https://app.example.com/*'],
    ['web', 'https://user@app.example.com/'],
    ['web', 'https://app.example.com\\@evil.example/'],
    ['web', 'https://app.example.com/a b'],
    ['web', '//app.example.com/callback'],
    ['web', '/callback'],
    ['native', 'myapp:/callback'],
    ['native', 'javascript:alert(1)'],
    ['native', 'http://app.example.com/callback'],
    ['native', 'http://app.localhost/callback'],
    ['native', 'http://127.1.2.3/callback'],
    ['native', 'com.example.app:/callback#x'],
  ])('of a %s app are not %s', async (applicationType, uri) => {
    for (const key of ['redirectUris', 'postLogoutRedirectUris']) {
      const addresses = { redirectUris: ['https://app.example.com/'], [key]: [uri] };
      const problems = await complaints(withClient({ applicationType, ...addresses }));
      expect(problems).toEqual([expect.stringContaining(`clients[0].${key}[0]`)]);
    }
  });

  test.each(['backchannelLogoutUri', 'initiateLoginUri'])('nor is %s', async (key) => {
    expect(await complaints(withClient({ [key]: 'http://app.example.com/' }))).toHaveLength(1);
    expect(await complaints(withClient({ [key]: 'javascript:alert(1)' }))).toHaveLength(1);
  });
});

test('where an app begins sign-ins is https, unless the issuer is on this machine too', async () => {
  const client = withClient({ initiateLoginUri: 'http://localhost:3000/in' });
  expect(await complaints({ ...client, issuer: 'http://localhost:3001' })).toEqual([]);
  const problems = await complaints(client);
  expect(problems).toEqual([expect.stringMatching(/^clients\[0\]\.initiateLoginUri: .*https/)]);
});

describe('clients', () => {
  test('whose secret was forgotten do not become public ones', async () => {
    expect(await complaints(withClient({ secret: undefined }))).toEqual([
      'clients[0].secret: It is missing. Set TOLLGATE_CLIENT_APP_SECRET. For an app that cannot keep one: `public: true`.',
    ]);
    expect(await complaints(withClient({ secret: undefined, public: true }))).toEqual([]);
    expect(await complaints(withClient({ public: true }))).toHaveLength(1);
    const native = { applicationType: 'native', redirectUris: ['http://127.0.0.1/'] };
    expect(await complaints(withClient({ secret: undefined, ...native }))).toEqual([]);
  });

  test('that act for themselves have a secret, and need no address', async () => {
    const service = { grantTypes: ['client_credentials'], redirectUris: [] };
    expect(await complaints(withClient(service))).toEqual([]);
    const without = { ...service, secret: undefined, public: true };
    expect(await complaints(withClient(without))).toEqual([
      expect.stringContaining('client_credentials needs one'),
    ]);
  });

  test.each([
    ['an id of the link endpoints', { id: 'tollgate-links' }, 'id'],
    ['an id with a colon', { id: 'a:b' }, 'id'],
    ['a product that does not exist', { product: 'pro' }, 'product'],
    ['nowhere to send the answer', { redirectUris: [] }, 'redirectUris'],
    ['refresh tokens alone', { grantTypes: ['refresh_token'] }, 'grantTypes'],
    ['a grant that there is not', { grantTypes: ['password'] }, 'grantTypes[0]'],
    ['a long grace', { refreshGraceSeconds: 61 }, 'refreshGraceSeconds'],
  ])('with %s are refused', async (_name, keys, at) => {
    expect(await complaints(withClient(keys))).toEqual([
      expect.stringMatching(new RegExp(`^clients\\[0\\]\\.${at.replace(/[[\]]/g, '\\$&')}: `)),
    ]);
  });
});

describe('providers', () => {
  const bare = { preset: undefined };
  const endpoints = {
    authorizationEndpoint: 'https://git.example.com/authorize',
    tokenEndpoint: 'https://git.example.com/token',
    userinfoEndpoint: 'https://git.example.com/user',
  };

  test.each([
    ['an issuer', { ...bare, issuer: 'https://login.example.com/realm' }],
    ['endpoints', { ...bare, type: 'oauth2', ...endpoints }],
    ['a preset', { preset: 'github' }],
    ['a preset with servers of its own', { preset: 'github', ...endpoints }],
  ])('are complete with %s', async (_name, keys) => {
    expect(await complaints(withProvider(keys))).toEqual([]);
  });

  test.each([
    ['nothing', bare, 'issuer'],
    ['one endpoint', { preset: 'github', tokenEndpoint: 'https://x.example/' }, undefined],
    ['oauth2 alone', { ...bare, type: 'oauth2' }, undefined],
    ['endpoints without the type', { ...bare, ...endpoints }, undefined],
    ['no secret', { clientSecret: undefined }, 'clientSecret'],
    ['another type than the preset', { type: 'oauth2' }, 'type'],
    ['hosted domains of GitHub', { preset: 'github', hostedDomains: ['x.com'] }, 'hostedDomains'],
    ['no hosted domain', { hostedDomains: [] }, 'hostedDomains'],
    ['an insecure issuer', { ...bare, issuer: 'http://login.example.com' }, 'issuer'],
  ])('with %s are refused', async (_name, keys, at) => {
    const key = at === undefined ? 'providers[0]: ' : `providers[0].${at}: `;
    expect(await complaints(withProvider(keys))).toEqual([expect.stringContaining(key)]);
  });

  test('on this machine need leave to be reached', async () => {
    const local = withProvider({ ...bare, issuer: 'http://localhost:4500' });
    expect(await complaints(local)).toEqual([
      expect.stringMatching(/^outgoing\.allowPrivate: providers\[0\] is on this machine/),
    ]);
    const outgoing = { allowPrivate: ['127.0.0.0/8'] };
    expect(await complaints({ ...local, outgoing })).toEqual([]);
  });

  test('there is at least one, each id once', async () => {
    expect(await complaints(change({ providers: [] }))).toEqual([
      expect.stringMatching(/^providers: There is none/),
    ]);
    const [google] = goodInput().providers;
    const other = { ...google, id: 'Google', clientSecret: 'another' };
    expect(await complaints(change({ providers: [google, other] }))).toEqual([
      'providers[1].id: providers[0] has the same id.',
    ]);
  });
});

test('products have audiences that are absolute URIs, each once', async () => {
  const product = { id: 'pro', name: 'Pro', audience: 'https://api.example.com' };
  const other = { ...product, id: 'other' };
  expect(await complaints(change({ products: [product] }))).toEqual([]);
  expect(await complaints(change({ products: [{ ...product, audience: 'urn:pro' }] }))).toEqual([]);
  expect(await complaints(change({ products: [product, other] }))).toHaveLength(1);
  for (const audience of ['api', '/api', 'https://api.example.com#x', 'https://*.example.com']) {
    expect(await complaints(change({ products: [{ ...product, audience }] }))).toHaveLength(1);
  }
});

test.each([
  ['returnOrigins', ['https://app.example.com/'], 'Write https://app.example.com'],
  ['returnOrigins', ['https://app.example.com/x'], 'Write https://app.example.com'],
  ['returnOrigins', ['null'], 'no address'],
  ['returnOrigins', ['*'], 'no address'],
  ['trustedProxies', ['0.0.0.0/0'], 'large part'],
  ['trustedProxies', ['::/0'], 'large part'],
  ['trustedProxies', ['0.0.0.0/1'], 'large part'],
  ['trustedProxies', ['10.0.0.1/8'], 'no range'],
  ['trustedProxies', ['loadbalancer'], 'no range'],
  ['outgoing', { allowPrivate: ['0.0.0.0/0'] }, 'large part'],
  ['brand', { accent: 'red' }, '#4f46e5'],
  ['brand', { logo: 'javascript:alert(1)' }, 'no picture'],
  ['brand', { logo: 'https://www.example.com/logo.png' }, 'no picture'],
  ['brand', { logo: '//www.example.com/logo.png' }, 'no picture'],
  ['brand', { logo: 'data:text/html,x' }, 'no picture'],
  ['brand', { logo: `data:image/png;base64,${'A'.repeat(70_000)}` }, 'At most'],
  ['brand', { support: 'call us' }, 'neither'],
  ['lifetimes', { accessToken: 901 }, 'at most 900'],
  ['lifetimes', { accessToken: 59 }, 'at least 60'],
  ['lifetimes', { code: 0.5 }, 'code'],
  ['lifetimes', { refreshIdle: 99 * 86_400 }, 'refreshAbsolute'],
  ['limits', { perAddressPerMinute: 0 }, 'at least 10'],
  ['port', 65_536, 'at most 65535'],
  ['signin', { success: 'javascript:alert(1)' }, 'signin.success'],
])('%s: %j is refused', async (key, value, told) => {
  expect(await complaints(change({ [key]: value }))).toEqual([expect.stringContaining(told)]);
});

test.each([
  ['trustedProxies', ['10.0.0.0/8', '192.0.2.7', 'fd00::/8']],
  ['outgoing', { allowPrivate: ['127.0.0.0/8', '::1'] }],
  ['brand', { accent: '#00FFaa', support: 'help@example.com' }],
  ['brand', { logo: '/brand/logo.svg' }],
  ['brand', { logo: 'data:image/png;base64,iVBORw0KGgo=' }],
  ['brand', { support: 'https://example.com/help' }],
  ['defaultProvider', 'google'],
  ['store', 'sqlite:/var/lib/tollgate/tollgate.db'],
])('%s: %j is accepted', async (key, value) => {
  expect(await complaints(change({ [key]: value }))).toEqual([]);
});

describe('stores', () => {
  const store = (address: string, more: object = {}) =>
    complaints({ ...goodInput(), store: address, ...more });

  test('are a file, or MongoDB as its own connection strings name it', async () => {
    for (const address of [
      'sqlite:./data/tollgate.db',
      'sqlite::memory:',
      'mongodb://db.example.com/tollgate',
      'mongodb://user:p%40ss@one:27017,two:27018/tollgate?replicaSet=rs0&authSource=admin',
      'mongodb+srv://user:pass@cluster.example.net/',
      'mongodb://[::1]:27017',
    ]) {
      const ephemeral = address === 'sqlite::memory:';
      expect(await store(address, ephemeral ? { issuer: 'http://localhost:4400' } : {})).toEqual(
        [],
      );
    }
  });

  test('for what is hot are Redis, Sentinel or a cluster', async () => {
    for (const hot of [
      'redis://localhost:6379',
      'rediss://user:pass@cache.example.com:6380/1?wait=1',
      'redis+sentinel://one:26379,two:26379/main',
      'rediss+cluster://one:7000,two:7001',
    ]) {
      expect(await store('sqlite:./x.db', { hot })).toEqual([]);
    }
  });

  test('that are none are said to be so, without what is secret in them', async () => {
    const cases: [address: string, says: RegExp][] = [
      [
        'postgres://me:hidden-word@db/tollgate',
        /"postgres:\/\/db\/tollgate" is no store\. Write sqlite:/,
      ],
      ['redis://:hidden-word@cache:6379', /Redis keeps only what is hot\. Set it as `hot`/],
      ['mongodb://me:hidden-word@/tollgate', /names no host/],
      ['mongodb://me:hidden/word@db/tollgate', /Write these as %2F/],
      ['mongodb://me:hidden?word@db/tollgate', /Write these as %2F/],
      ['hidden-word', /is no store/],
    ];
    for (const [address, says] of cases) {
      const [complaint = '', ...others] = await store(address);
      expect(complaint).toMatch(says);
      expect(others).toEqual([]);
      if (address !== 'hidden-word') expect(complaint).not.toMatch(/hidden|word@/);
    }
    expect(await store('sqlite:./x.db', { hot: 'mongodb://me:hidden-word@db' })).toEqual([
      expect.stringMatching(/^hot: "mongodb:\/\/db" is no store for what is hot\./),
    ]);
  });

  test('come from the environment too, where passwords belong', async () => {
    const config = await load(goodInput(), {
      TOLLGATE_STORE: 'mongodb://me:word@db/tollgate',
      TOLLGATE_HOT: ' redis://:word@cache:6379\n',
    });
    expect(config).toMatchObject({
      store: 'mongodb://me:word@db/tollgate',
      hot: 'redis://:word@cache:6379',
    });
  });
});

test('a client with streams gets its tokens by client_credentials, for an audience of their own', async () => {
  const service = { ssf: true, grantTypes: ['client_credentials'], redirectUris: [] };
  expect(await complaints(withClient(service))).toEqual([]);
  expect(await complaints(withClient({ ssf: true }))).toEqual([
    expect.stringMatching(/^clients\[0\]\.ssf: .*client_credentials/),
  ]);
  const issuer = 'https://id.example.com';
  const product = { id: 'pro', name: 'Pro', audience: `${issuer}/ssf` };
  expect(await complaints(change({ issuer, products: [product] }))).toEqual([
    expect.stringMatching(/^products\[0\]\.audience: /),
  ]);
  expect(await complaints(change({ ssf: { heartbeat: 1 } }))).toHaveLength(1);
});
