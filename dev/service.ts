/**
 * A service as its developer writes it: it checks access tokens against the keys of Tollgate, and
 * asks nobody while it does so. `check` is all there is to it; the rest is a small web server.
 */

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';

export interface ServiceOptions {
  port: number;
  /** Of Tollgate. */
  issuer: string;
  /** The audience of the product, as it is configured at Tollgate. */
  audience: string;
  /** Origins of browser apps that may call this service. */
  origins: readonly string[];
}

export function startService(options: ServiceOptions): Promise<Listening> {
  const { port, issuer, audience, origins } = options;
  const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`));

  async function check(token: string): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: ['ES256', 'RS256'],
      requiredClaims: ['exp', 'sub', 'account'],
    });
    return payload;
  }

  async function me(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
    // RFC 6750 §3: who brings no token is told what is wanted, and nothing more.
    if (token === undefined) return refuse(response, 401, 'Bearer realm="api"');
    try {
      send(response, 200, await check(token));
    } catch (error) {
      // The keys could not be fetched: nothing is known of the token.
      const code = error instanceof errors.JOSEError ? error.code : 'ERR_JOSE_GENERIC';
      if (['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT'].includes(code)) return refuse(response, 503);
      const reason = error instanceof errors.JWTExpired ? 'it has expired' : 'it is not valid here';
      const challenge = `Bearer realm="api", error="invalid_token", error_description="${reason}"`;
      refuse(response, 401, challenge);
    }
  }

  /** Browser apps are on other origins than their service (CORS). */
  function allowOrigin(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers;
    response.setHeader('vary', 'origin');
    if (origin === undefined || !origins.includes(origin)) return;
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-headers', 'authorization');
    response.setHeader('access-control-expose-headers', 'www-authenticate');
  }

  const server = createServer((request, response) => {
    allowOrigin(request, response);
    if (request.method === 'OPTIONS') response.writeHead(204).end();
    else if (request.method === 'GET' && request.url === '/api/me') void me(request, response);
    else send(response, 404, { error: 'not_found' });
  });
  return listen(server, port);
}

function refuse(response: ServerResponse, status: number, challenge?: string): void {
  if (challenge !== undefined) response.setHeader('www-authenticate', challenge);
  send(response, status, { error: status === 401 ? 'token_required' : 'unavailable' });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
