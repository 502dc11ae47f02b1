/** Requests that nobody should send: any, and those that are right but for one thing. */

import fc from 'fast-check';
import { asBrowser, asProgram } from './raw.ts';
import type { RawRequest } from './raw.ts';

export const paths = [
  '/',
  '/.well-known/openid-configuration',
  '/oauth2/jwks',
  '/oauth2/authorize',
  '/oauth2/authorize/resumed',
  '/oauth2/token',
  '/oauth2/par',
  '/oauth2/revoke',
  '/oauth2/introspect',
  '/oauth2/userinfo',
  '/oauth2/logout',
  '/oauth2/logout/confirm',
  '/oauth2/logout/success',
  '/interaction/uid',
  '/interaction/__proto__',
  '/integrations/oauth2/callback',
  '/signin',
  '/signin/upstream',
  '/signin/__proto__',
  '/signin/return',
  '/refresh',
  '/session/events',
  '/signout',
  '/health/live',
  '/health/ready',
  '/assets/style.css',
  '/assets/../../package.json',
  '/assets/%2e%2e%2f%2e%2e%2fpackage.json',
  '/unknown/%00/%ff',
  '//evil.example/',
];

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'FOO'];

const names = [
  ['client_id', 'client_secret', 'redirect_uri', 'response_type', 'response_mode', 'scope'],
  ['state', 'nonce', 'prompt', 'max_age', 'claims', 'resource', 'code_challenge'],
  ['code_challenge_method', 'login_hint', 'id_token_hint', 'request', 'request_uri'],
  ['provider', 'account', 'ui_locales', 'display', 'acr_values', 'dpop_jkt', 'registration'],
  ['code', 'code_verifier', 'grant_type', 'refresh_token', 'token', 'token_type_hint'],
  ['access_token', 'csrf', 'step', 'answer', 'other', 'leave', 'stay', 'filter', 'xsrf'],
  ['logout', 'return_to', 'post_logout_redirect_uri', 'iss', 'error', 'error_description'],
  ['product', 'client_assertion', 'client_assertion_type', 'audience', 'subject_token'],
  ['authorization_details', 'user_code', '__proto__', 'constructor', 'toString'],
  ['hasOwnProperty', 'a[]', 'a[b]', '', '%00', '%ff', '&'],
].flat();

const nasty = [
  ['', ' ', '0', '-1', '1e999', 'null', 'undefined', 'NaN', 'true', '[]', '{}'],
  ['[object Object]', '__proto__', 'constructor', 'toString', '{"__proto__":{"admin":true}}'],
  ['{"id_token":null}', '{"userinfo":{"__proto__":{"essential":true}}}'],
  ['{"id_token":{"sub":{"value":{}}}}', '"', '<script>alert(1)</script>'],
  ['"><img src=x onerror=alert(1)>', 'javascript:alert(1)', '%0d%0aX-Injected: yes'],
  ['\r\nX-Injected: yes', '\u0000', '%00', '%', '%f', '%ff', '%c0%ae', '\u202e', '\ud800'],
  ['ada\uff20example.com', '𝓪𝓭𝓪', 'I\u0307', '\ufeff', '\u2028', '🦊'.repeat(50)],
  ['https://evil.example/', '//evil.example', 'https://app.example.com@evil.example/'],
  ["' OR 1=1 --", '$where', '{"$gt":""}', '${7*7}', '{{7*7}}', '../../../etc/passwd'],
  ['file:///etc', 'a'.repeat(300), 'a'.repeat(5000), ' '.repeat(2000), 'openid '.repeat(300)],
  ['['.repeat(2000), 'app', 'spa', 'machine', 'tollgate-links', 'code', 'openid', 'none'],
  ['login', 'consent', 'S256', 'https://app.example.com/callback'],
  ['https://spa.example.com/callback', 'form_post', 'fragment', 'authorization_code'],
  ['refresh_token', 'client_credentials', 'https://api.example.com', 'query'],
  ['urn:ietf:params:oauth:request_uri:x', 'urn:ietf:params:oauth:grant-type:device_code'],
  ['tgr.a.b.c.1.d', 'tgc.grant.random', 'tga.grant.random', 'tgs.a.b.1.c', 'tgr.a.b.c.0.d'],
  ['eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.', 'eyJ.eyJ.x', '...', 'a.b.c.d.e', 'Bearer x'],
].flat();

const cookieNames = [
  ['tollgate', 'tollgate_session', 'tollgate_csrf', 'tollgate_browser'],
  ['tollgate_interaction', 'tollgate_resume', 'tollgate_interaction.sig'],
  ['tollgate_resume.sig', 'tollgate_last_provider', 'tollgate_signin_abcdefgh'],
  ['tollgate_signin_', '__Host-tollgate', '__proto__', 'constructor'],
].flat();

const headerNames = [
  ['Origin', 'DPoP', 'Accept', 'Accept-Language', 'Accept-Encoding', 'Referer', 'Forwarded'],
  ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Request-Id'],
  ['Sec-Fetch-Site', 'Sec-Fetch-Mode', 'Sec-Fetch-Dest', 'Content-Encoding', 'If-None-Match'],
  ['Range', 'X-HTTP-Method-Override', 'Access-Control-Request-Method', 'X-Original-URL'],
  ['Via', 'If-Modified-Since', 'Purpose'],
].flat();

const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...nasty) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
);
const name = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...names) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);
export const pairs = fc.array(fc.tuple(name, value), { maxLength: 8 });

const encode = (text: string) => encodeURIComponent(text.toWellFormed());
/** Mostly as it should be written, sometimes as it is. */
const written = fc
  .tuple(pairs, fc.nat(5))
  .map(([list, raw]) =>
    list
      .map(([left, right]) => `${encode(left)}=${raw === 0 ? plain(right) : encode(right)}`)
      .join('&'),
  );
const plain = (text: string) => text.replace(/[^!-~]/g, '');
/** A header line holds bytes, no line ends. */
const line = (text: string) => text.toWellFormed().replace(/[\r\n\0]/g, '');

const body = fc.oneof(
  { weight: 6, arbitrary: written.map((text) => ['application/x-www-form-urlencoded', text]) },
  { weight: 1, arbitrary: fc.json().map((text) => ['application/json', text]) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom(
        'text/plain',
        'multipart/form-data; boundary=x',
        'multipart/form-data',
        'application/x-www-form-urlencoded; charset=utf-16',
        'application/x-www-form-urlencoded;',
        'application/xml',
        'nonsense',
        '',
      ),
      written,
    ),
  },
);

const cookies = fc
  .array(fc.tuple(fc.constantFrom(...cookieNames), value), { maxLength: 5 })
  .map((list) => list.map(([key, text]) => `${key}=${line(text).replaceAll(';', '')}`).join('; '));

const header = fc.oneof(
  fc.tuple(
    fc.constant('Authorization'),
    fc.oneof(
      value.map(line),
      value.map((text) => `Bearer ${line(text)}`),
      value.map((text) => `DPoP ${line(text)}`),
      value.map((text) => `Basic ${line(text)}`),
      fc.tuple(value, value).map((two) => `Basic ${Buffer.from(two.join(':')).toString('base64')}`),
    ),
  ),
  fc.tuple(fc.constant('Cookie'), cookies),
  fc.tuple(
    fc.constantFrom(...headerNames),
    fc.oneof(value.map(line), fc.constantFrom('null', 'gzip', 'navigate', 'same-origin', '*/*')),
  ),
);

export const anyRequest: fc.Arbitrary<RawRequest> = fc
  .record({
    method: fc.oneof(fc.constantFrom('GET', 'POST'), fc.constantFrom(...methods)),
    path: fc.constantFrom(...paths),
    query: fc.option(written, { nil: '' }),
    headers: fc.array(header, { maxLength: 4 }),
    accept: fc.constantFrom(asBrowser, asProgram, undefined),
    body: fc.option(body, { nil: undefined }),
  })
  .map(({ method, path, query, headers, accept, body: content }) => ({
    method,
    path: query === '' ? path : `${path}?${query}`,
    headers: [
      ...headers,
      ...(accept === undefined ? [] : [accept]),
      ...(content === undefined || content[0] === ''
        ? []
        : [['Content-Type', content[0] ?? ''] as const]),
    ],
    ...(content === undefined ? {} : { body: content[1] ?? '' }),
  }));

// --- requests that are right but for one thing ---

const pkce = { code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' };
const asked = (client: string) => ({
  client_id: client,
  response_type: 'code',
  redirect_uri: `https://${client}.example.com/callback`,
  scope: 'openid email',
  state: 'a-state',
  nonce: 'a-nonce',
  ...pkce,
});
const machine = {
  client_id: 'machine',
  client_secret: 'a-client-secret-of-tests-for-the-machine',
};
const app = { client_id: 'app', client_secret: 'a-client-secret-of-tests-for-the-app' };

/** Path, method and parameters. */
const right: [string, string, Record<string, string>][] = [
  ['/oauth2/authorize', 'GET', asked('spa')],
  ['/oauth2/authorize', 'GET', { ...asked('app'), prompt: 'none' }],
  ['/oauth2/authorize', 'GET', { ...asked('app'), claims: '{"id_token":{"acr":null}}' }],
  ['/oauth2/authorize', 'GET', { ...asked('app'), response_mode: 'form_post', max_age: '10' }],
  ['/oauth2/par', 'POST', { ...asked('app'), ...app }],
  ['/oauth2/par', 'POST', asked('spa')],
  ['/oauth2/token', 'POST', { ...machine, grant_type: 'client_credentials' }],
  [
    '/oauth2/token',
    'POST',
    { ...app, grant_type: 'refresh_token', refresh_token: 'tgr.v.g.f.1.m', scope: 'openid' },
  ],
  [
    '/oauth2/token',
    'POST',
    {
      ...app,
      grant_type: 'authorization_code',
      code: 'tgc.grant.random',
      redirect_uri: 'https://app.example.com/callback',
      code_verifier: 'v'.repeat(43),
      resource: 'https://api.example.com',
    },
  ],
  ['/oauth2/revoke', 'POST', { ...app, token: 'tgr.v.g.f.1.m', token_type_hint: 'refresh_token' }],
  ['/oauth2/introspect', 'POST', { ...app, token: 'tga.grant.random' }],
  [
    '/oauth2/logout',
    'GET',
    { client_id: 'app', post_logout_redirect_uri: 'https://app.example.com/bye' },
  ],
  ['/oauth2/logout', 'POST', { client_id: 'app', state: 'a-state' }],
  ['/oauth2/logout/confirm', 'POST', { xsrf: 'x', logout: 'yes' }],
  ['/integrations/oauth2/callback', 'GET', { state: 's'.repeat(43), code: 'a-code' }],
  ['/integrations/oauth2/callback', 'POST', { state: 's'.repeat(43), error: 'access_denied' }],
  [
    '/signin',
    'GET',
    { return_to: 'https://app.example.com/a', product: 'api', account: 'acc_acme' },
  ],
  ['/signin/upstream', 'GET', { login_hint: 'ada@example.com' }],
  ['/signin/return', 'GET', { state: 's'.repeat(22), code: 'tgc.grant.random' }],
  ['/refresh', 'POST', { product: 'api' }],
  ['/signout', 'POST', { return_to: 'https://app.example.com/bye' }],
];

/** One parameter is another, missing, there twice, or one too many. */
export const nearlyRight: fc.Arbitrary<RawRequest> = fc
  .record({
    base: fc.constantFrom(...right),
    which: fc.nat(20),
    how: fc.constantFrom('replace', 'replace', 'replace', 'omit', 'repeat', 'add', 'array'),
    extra: fc.tuple(name, value),
    headers: fc.array(header, { maxLength: 1 }),
    accept: fc.constantFrom(asBrowser, asProgram),
  })
  .map(({ base: [path, method, parameters], which, how, extra, headers, accept }) => {
    const list = Object.entries(parameters);
    const at = which % list.length;
    const [key = '', present = ''] = list[at] ?? [];
    if (how === 'replace') list[at] = [key, extra[1]];
    if (how === 'omit') list.splice(at, 1);
    if (how === 'repeat') list.push([key, extra[1]]);
    if (how === 'array') list[at] = [`${key}[]`, present];
    if (how === 'add') list.push(extra);
    const text = list.map(([left, right]) => `${encode(left)}=${encode(right)}`).join('&');
    return method === 'GET'
      ? { method, path: `${path}?${text}`, headers: [...headers, accept] }
      : {
          method,
          path,
          headers: [
            ...headers,
            accept,
            ['Content-Type', 'application/x-www-form-urlencoded'] as const,
          ],
          body: text,
        };
  });
