/**
 * An issuer on loopback, with keys that the test turns, and a clock that it holds. It signs whatever it
 * is asked to, right or wrong, by `jose`; it is asked over HTTP.
 */

import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { verifier } from '../../src/verify/index.ts';
import type { ReceivedEvent, Verifier, VerifierOptions, Warning } from '../../src/verify/index.ts';
import { listen } from '../base/listen.ts';

export const audience = 'https://api.example.com';
export const clientId = 'service';
export const clientSecret = 's.e-c_r3t';
export const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
export const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
export const ssf = 'https://schemas.openid.net/secevent/ssf/event-type/';
export const backchannel = 'http://schemas.openid.net/event/backchannel-logout';

export interface Clock {
  ms: number;
  readonly now: () => number;
  readonly seconds: () => number;
  advance(seconds: number): void;
}

export function clockAt(ms = Date.UTC(2027, 0, 1)): Clock {
  const clock: Clock = {
    ms,
    now: () => clock.ms,
    seconds: () => Math.floor(clock.ms / 1000),
    advance(seconds) {
      clock.ms += seconds * 1000;
    },
  };
  return clock;
}

export interface SigningKey {
  kid: string;
  alg: string;
  privateKey: CryptoKey;
  jwk: JWK;
}

export async function makeKey(alg: 'ES256' | 'RS256', kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Route = (asked: Asked) => { status?: number; body?: unknown } | 'hang up';

export interface TestIssuer {
  issuer: string;
  es: SigningKey;
  rs: SigningKey;
  /** What the JWKS has. */
  published: JWK[];
  asked: Asked[];
  /** By path; what is not there is a 404. */
  routes: Record<string, Route>;
  /** How often a path was asked for. */
  times(path: string): number;
  close(): Promise<void>;
}

// Two key pairs for all issuers of a file: RSA keys take long to make.
const shared = Promise.all([makeKey('ES256', 'es-1'), makeKey('RS256', 'rs-1')]);

export async function openIssuer(): Promise<TestIssuer> {
  const [es, rs] = await shared;
  const world = {
    es,
    rs,
    published: [es.jwk, rs.jwk],
    asked: [],
    routes: {},
  } as unknown as TestIssuer;
  const server = await listen((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
      const { method = '', headers } = request;
      const asked: Asked = { method, path: pathname, query: searchParams, headers, body };
      world.asked.push(asked);
      const answer = world.routes[pathname]?.(asked) ?? { status: 404 };
      if (answer === 'hang up') return request.socket.destroy();
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
      response.end(
        typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}),
      );
    })();
  });
  const issuer = `http://localhost:${server.port}`;
  world.issuer = issuer;
  world.close = () => server.close();
  world.times = (path) => world.asked.filter((one) => one.path === path).length;
  world.routes['/.well-known/openid-configuration'] = () => ({
    body: { issuer, jwks_uri: `${issuer}/keys`, token_endpoint: `${issuer}/token` },
  });
  world.routes['/keys'] = () => ({ body: { keys: world.published } });
  return world;
}

export interface SignOptions {
  key?: SigningKey;
  header?: Record<string, unknown>;
}

/** `undefined` takes a claim away. */
export async function sign(
  { es }: Pick<TestIssuer, 'es'>,
  claims: Record<string, unknown>,
  { key = es, header = {} }: SignOptions = {},
): Promise<string> {
  const payload = JSON.parse(JSON.stringify(claims)) as Record<string, unknown>;
  const protectedHeader = JSON.parse(
    JSON.stringify({ alg: key.alg, kid: key.kid, ...header }, (_name, value: unknown) =>
      value === null ? undefined : value,
    ),
  ) as { alg: string };
  return new SignJWT(payload).setProtectedHeader(protectedHeader).sign(key.privateKey);
}

let made = 0;
export const newId = () => `id_${(made += 1)}`;

/** What Tollgate puts into an access token. */
export function accessClaims(world: TestIssuer, clock: Clock, claims: object = {}) {
  const iat = clock.seconds();
  return {
    iss: world.issuer,
    aud: audience,
    sub: 'usr_ada',
    client_id: 'web',
    iat,
    exp: iat + 900,
    jti: newId(),
    scope: 'openid profile',
    sid: 'sid_1',
    account: 'acc_acme',
    roles: ['owner'],
    entitlements: ['export'],
    subscription_status: 'active',
    plan: 'team',
    ...claims,
  };
}

export function accessToken(
  world: TestIssuer,
  clock: Clock,
  claims: object = {},
  { header, ...options }: SignOptions = {},
): Promise<string> {
  const typ = { typ: 'at+jwt', ...header };
  return sign(world, accessClaims(world, clock, claims), { ...options, header: typ });
}

export function logoutToken(
  world: TestIssuer,
  clock: Clock,
  claims: object = {},
  { header, ...options }: SignOptions = {},
): Promise<string> {
  const iat = clock.seconds();
  const all = {
    iss: world.issuer,
    aud: clientId,
    iat,
    exp: iat + 120,
    jti: newId(),
    events: { [backchannel]: {} },
    ...claims,
  };
  return sign(world, all, { ...options, header: { typ: 'logout+jwt', ...header } });
}

/** RS256 by default, as the interoperability profile of SSF wants it (T62). */
export function securityEvent(
  world: TestIssuer,
  clock: Clock,
  claims: object,
  { header, ...options }: SignOptions = {},
): Promise<string> {
  const all = {
    iss: world.issuer,
    aud: audience,
    iat: clock.seconds(),
    jti: newId(),
    txn: newId(),
    ...claims,
  };
  const typ = { typ: 'secevent+jwt', ...header };
  return sign(world, all, { key: world.rs, ...options, header: typ });
}

export const user = (world: TestIssuer, sub: string) => ({
  format: 'iss_sub',
  iss: world.issuer,
  sub,
});
export const opaque = (id: string) => ({ format: 'opaque', id });

export interface Service {
  tollgate: Verifier;
  events: ReceivedEvent[];
  warnings: Warning[];
  /** What `onEvent` does beside noting. */
  onEvent: { run: (event: ReceivedEvent) => unknown };
}

/** A service that takes everything. */
export function openService(
  world: TestIssuer,
  clock: Clock,
  options: Partial<VerifierOptions> = {},
): Service {
  const events: ReceivedEvent[] = [];
  const warnings: Warning[] = [];
  const onEvent: Service['onEvent'] = { run: () => undefined };
  const tollgate = verifier({
    issuer: world.issuer,
    audience,
    clientId,
    clientSecret,
    stream: {},
    webhook: { secrets: [webhookSecret] },
    now: clock.now,
    onWarning: (warning) => warnings.push(warning),
    onEvent: (event) => {
      events.push(event);
      return onEvent.run(event);
    },
    ...options,
  });
  return { tollgate, events, warnings, onEvent };
}

const address = 'https://api.example.com/events';

export function logoutRequest(token: string): Request {
  return new Request(address, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: token }),
  });
}

export function pushRequest(token: string, headers: Record<string, string> = {}): Request {
  return new Request(address, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json', ...headers },
    body: token,
  });
}

export interface WebhookOptions {
  id?: string;
  secrets?: readonly string[];
  /** Seconds. */
  timestamp?: number;
  headers?: Record<string, string>;
  /** What is sent instead of what was signed. */
  body?: string;
}

/** Signed by `node:crypto`, where the receiver has Web Crypto. */
export function webhookRequest(
  clock: Clock,
  type: string,
  data: object,
  options: WebhookOptions = {},
): Request {
  const timestamp = new Date(clock.ms).toISOString();
  const signed = JSON.stringify({ type, timestamp, version: 1, data });
  return rawWebhook(clock, signed, options);
}

export function rawWebhook(clock: Clock, signed: string, options: WebhookOptions = {}): Request {
  const { id = newId(), secrets = [webhookSecret], timestamp = clock.seconds() } = options;
  const signatures = secrets.map((secret) => {
    const mac = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'));
    return `v1,${mac.update(`${id}.${timestamp}.${signed}`).digest('base64')}`;
  });
  return new Request(address, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signatures.join(' '),
      ...options.headers,
    },
    body: options.body ?? signed,
  });
}

/** The code by which it was refused, or `good`. */
export async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'good';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
