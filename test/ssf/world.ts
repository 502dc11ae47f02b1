/** Tollgate with services that have streams, one that has none, a receiver that is pushed to, and things that happen. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyResult } from 'jose';
import { expect } from 'vitest';
import { clients, startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import type { ConfigChanges } from '../kit/server.ts';

export const push = 'urn:ietf:rfc:8935';
export const poll = 'urn:ietf:rfc:8936';
const schemas = 'https://schemas.openid.net/secevent';
export const types = {
  sessionRevoked: `${schemas}/caep/event-type/session-revoked`,
  credentialChange: `${schemas}/caep/event-type/credential-change`,
  tokenClaimsChange: `${schemas}/caep/event-type/token-claims-change`,
  deviceComplianceChange: `${schemas}/caep/event-type/device-compliance-change`,
  accountDisabled: `${schemas}/risc/event-type/account-disabled`,
  accountEnabled: `${schemas}/risc/event-type/account-enabled`,
  verification: `${schemas}/ssf/event-type/verification`,
  streamUpdated: `${schemas}/ssf/event-type/stream-updated`,
};

const secretOf = (id: string) => `a-client-secret-of-tests-for-the-${id}`;
const service = (id: string, more: object = {}) => ({
  id,
  name: `The ${id}`,
  secret: secretOf(id),
  grantTypes: ['client_credentials' as const],
  ...more,
});

export interface SsfWorld extends World {
  /** Moves the server's clock, not that of the library. */
  step(seconds: number): void;
  token(client?: string, scope?: string): Promise<string>;
  api(client?: string, scope?: string): Api;
}

export interface ApiAnswer {
  status: number;
  headers: Headers;
  text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- what a test reads of an answer
  body: any;
}

/** The endpoints, as one client with one token. */
export interface Api {
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<ApiAnswer>;
  create(wish?: object): Promise<ApiAnswer>;
  status(id: string, status: string): Promise<ApiAnswer>;
  poll(id: string, body?: object): Promise<ApiAnswer>;
  /** Polls until something is there. */
  fetched(id: string, count?: number): Promise<Record<string, string>>;
}

export async function startSsfWorld(changes: ConfigChanges = {}): Promise<SsfWorld> {
  let ahead = 0;
  const world = await startWorld({
    clock: () => Date.now() + ahead,
    config: {
      clients: [
        ...clients,
        service('receiver', { ssf: true }),
        service('rival', { ssf: true }),
        service('both', { ssf: true, product: 'api' }),
      ],
      products: [{ id: 'api', name: 'API', audience: 'https://api.example.com', scopes: ['read'] }],
      ...changes,
    },
  });
  const token = async (client = 'receiver', scope = 'ssf.read ssf.manage') => {
    const answer = await askToken(world.issuer, client, { scope });
    expect(answer.status).toBe(200);
    return String(answer.body.access_token);
  };
  return {
    ...world,
    step(seconds) {
      ahead += seconds * 1000;
    },
    token,
    api: (client, scope) => apiOf(world.issuer, () => token(client, scope)),
    async close() {
      await world.close();
      const failed = world.log.lines.filter(({ fields }) => Number(fields.status) >= 500);
      if (failed.length > 0) throw new Error(`it failed: ${JSON.stringify(failed)}`);
    },
  };
}

export async function read(answer: Promise<Response>): Promise<ApiAnswer> {
  const response = await answer;
  const { status, headers } = response;
  const text = await response.text();
  const isJson = /^application\/([\w-]+\+)?json/.test(headers.get('content-type') ?? '');
  return { status, headers, text, body: isJson ? JSON.parse(text) : undefined };
}

export function askToken(
  issuer: string,
  client: string,
  fields: Record<string, string>,
): Promise<ApiAnswer> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client,
    client_secret: secretOf(client),
    ...fields,
  });
  return read(fetch(`${issuer}/oauth2/token`, { method: 'POST', body }));
}

export function apiOf(issuer: string, token: () => Promise<string>): Api {
  let known: Promise<string> | undefined;
  const api: Api = {
    async call(method, path, body, headers = {}) {
      known ??= token();
      const init = {
        method,
        headers: {
          authorization: `Bearer ${await known}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      };
      return read(fetch(`${issuer}${path}`, init));
    },
    create: (wish = {}) => api.call('POST', '/ssf/streams', wish),
    status: (id, status) => api.call('POST', '/ssf/status', { stream_id: id, status }),
    poll: (id, body = { returnImmediately: true }) => api.call('POST', `/ssf/poll/${id}`, body),
    async fetched(id, count = 1) {
      for (let attempt = 0; attempt < 200; attempt += 1) {
        const { status, body } = await api.poll(id);
        expect(status).toBe(200);
        if (Object.keys(body.sets).length >= count) return body.sets as Record<string, string>;
        await delay(25);
      }
      throw new Error('nothing came');
    },
  };
  return api;
}

/** As a receiver would: with nothing but what the metadata says. */
export async function verifySet(
  issuer: string,
  set: string,
  audience = 'receiver',
): Promise<JWTVerifyResult> {
  const metadata = await read(fetch(`${issuer}/.well-known/ssf-configuration`));
  const keys = createRemoteJWKSet(new URL(metadata.body.jwks_uri));
  return jwtVerify(set, keys, {
    issuer,
    audience,
    typ: 'secevent+jwt',
    algorithms: ['RS256'],
  });
}

export interface Told {
  type: string;
  claims: JWTPayload & { sub_id?: unknown; txn?: unknown };
  payload: Record<string, unknown>;
}

export function toldBy(set = ''): Told {
  const claims = decodeJwt(set);
  const [[type, payload] = ['', {}]] = Object.entries(claims.events as Record<string, object>);
  return { type, claims, payload: payload as Record<string, unknown> };
}

export const toldByAll = (sets: Record<string, string>): Told[] => Object.values(sets).map(toldBy);

export interface Pushed {
  body: string;
  headers: IncomingMessage['headers'];
}

export interface PushReceiver {
  url: string;
  pushed: Pushed[];
  answer: number;
  /** Waits until so many have come. */
  until(count: number): Promise<Pushed[]>;
  close(): Promise<void>;
}

export async function startPushReceiver(): Promise<PushReceiver> {
  const pushed: Pushed[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      pushed.push({ body: Buffer.concat(chunks).toString(), headers: request.headers });
      response.statusCode = receiver.answer;
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: PushReceiver = {
    url: `http://127.0.0.1:${port}/events`,
    pushed,
    answer: 202,
    async until(count) {
      for (let attempt = 0; attempt < 400; attempt += 1) {
        if (pushed.length >= count) return pushed;
        await delay(25);
      }
      throw new Error(`${pushed.length} came, not ${count}`);
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
  return receiver;
}

/** Long enough for what must not come. */
export const aWhile = () => delay(400);
