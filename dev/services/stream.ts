/**
 * A service that has a stream of security events (OpenID Shared Signals Framework, CAEP and RISC). It makes the stream
 * by itself when it starts, and then fetches what happened while it was not there: before `ready()` is through it
 * would take tokens that were revoked meanwhile.
 */

import { startService } from '../service.ts';
import type { Service, ServiceOptions } from '../service.ts';

export interface StreamOwner {
  issuer: string;
  /** A client of its own, with `ssf: true`. */
  clientId: string;
  clientSecret: string;
  /** Which Tollgate is told to show, so that nobody else is believed. */
  authorization: string;
}

export interface StreamServiceOptions extends StreamOwner, Omit<ServiceOptions, 'name' | 'about'> {
  issuer: string;
}

const push = 'urn:ietf:rfc:8935';

interface Stream {
  stream_id: string;
  delivery: { endpoint_url: string };
}

export async function startStreamService(options: StreamServiceOptions): Promise<Service> {
  const { clientId, clientSecret, authorization } = options;
  const name = 'Service with a stream';
  const about = 'It hears of everything that ends or changes access (Shared Signals, CAEP, RISC).';
  const service = await startService(
    { ...options, name, about },
    { clientId, clientSecret, stream: { authorization } },
  );
  try {
    await ensureStream(options, `${service.url}/events`);
    // After that, so that nothing falls between the two.
    await service.tollgate.ready();
    return service;
  } catch (error) {
    await service.close();
    throw error;
  }
}

/** Finds the stream of the last start, or makes it. */
export async function ensureStream(options: StreamOwner, url: string): Promise<void> {
  const { issuer, authorization } = options;
  const headers = {
    authorization: `Bearer ${await accessToken(options)}`,
    'content-type': 'application/json',
  };
  const address = `${issuer}/ssf/streams`;
  const streams = await answered<Stream[]>(fetch(address, { headers }));
  const delivery = { method: push, endpoint_url: url, authorization_header: authorization };
  const known = streams.find((stream) => stream.delivery.endpoint_url === url);
  const body = JSON.stringify(
    known === undefined ? { delivery } : { stream_id: known.stream_id, delivery },
  );
  await answered(fetch(address, { method: known === undefined ? 'POST' : 'PATCH', headers, body }));
}

async function accessToken({ issuer, clientId, clientSecret }: StreamOwner): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: 'ssf.read ssf.manage',
  });
  const answer = fetch(`${issuer}/oauth2/token`, { method: 'POST', body });
  return (await answered<{ access_token: string }>(answer)).access_token;
}

async function answered<T>(answer: Promise<Response>): Promise<T> {
  const response = await answer;
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${new URL(response.url).pathname}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}
