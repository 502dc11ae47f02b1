/**
 * What both development upstreams stand on: a small HTTP server that serves loopback and nothing
 * else. They let anybody sign in as anybody, so they refuse to be reachable from elsewhere.
 */

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** The body of a form post, at most 64 KiB of it. */
  form(): Promise<URLSearchParams>;
}

export type Handler = (exchange: Exchange) => Promise<void> | void;

export interface Listening {
  url: string;
  close(): Promise<void>;
}

const maxBodyBytes = 64 * 1024;

/** @throws {Error} where the address is not this machine's own */
export function requireLoopback(address: string): void {
  const { hostname } = new URL(address);
  const loopback =
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname);
  if (!loopback) {
    throw new Error(
      `The development upstream signs in anybody as anybody: it runs on loopback only, not at ${hostname}.`,
    );
  }
}

/**
 * Listens on 127.0.0.1. `handlerFor` gets the server's own address, which is known only once it
 * listens on port 0.
 * @param hosts more host names (with port) that the server goes by, beside its own
 */
export async function listen(
  port: number,
  handlerFor: (url: string) => { handle: Handler; hosts: readonly string[] },
): Promise<Listening> {
  const open = new Set<ServerResponse>();
  let serve: { handle: Handler; hosts: readonly string[] } | undefined;
  const server = createServer((request, response) => {
    open.add(response);
    response.on('close', () => open.delete(response));
    // A page elsewhere whose name resolves to 127.0.0.1 (DNS rebinding) comes with its own name.
    if (serve === undefined || !serve.hosts.includes(request.headers.host ?? '')) {
      send(response, 421, 'text/plain', 'This server does not go by that name.\n');
      return;
    }
    void answer(serve.handle, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The server has no port.');
  const url = `http://127.0.0.1:${bound.port}`;
  serve = handlerFor(url);
  return {
    url,
    async close() {
      for (const response of open) response.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function answer(
  handle: Handler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://upstream.invalid');
    await handle({ request, response, url, form: () => readForm(request) });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (!response.headersSent) send(response, 500, 'text/plain', `${text}\n`);
    else response.destroy();
  }
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new Error('The form is too large.');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

export function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  });
  response.end(body);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
}

/** 303: what follows a form post is a GET. */
export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'cache-control': 'no-store' });
  response.end();
}

/** Sets `name`, and lets the oldest entry go where there are more than `limit`. */
export function remember<V>(map: Map<string, V>, name: string, value: V, limit = 1000): void {
  map.set(name, value);
  const oldest = map.keys().next();
  if (map.size > limit && oldest.done !== true) map.delete(oldest.value);
}

/** `Authorization: Bearer …` (or GitHub's older `token …`). */
export function bearer(request: IncomingMessage): string {
  return /^(?:bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}
