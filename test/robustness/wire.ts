/** A wire between two that speak HTTP, which keeps all that goes over it, and the secrets in that. */

import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Wire {
  url: string;
  /** Where it leads to; under this name the other end is asked. */
  leadTo(url: string, host?: string): void;
  /** Heads and bodies, both ways. */
  heard(): string;
  close(): Promise<void>;
}

export async function startWire(): Promise<Wire> {
  const parts: string[] = [];
  let target = { url: '', host: '' };
  const server = createServer((request, response) => {
    void pass(target, parts, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    leadTo: (to, host = new URL(url).host) => {
      target = { url: to, host };
    },
    heard: () => parts.join('\n'),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
}

async function pass(
  target: { url: string; host: string },
  parts: string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bytesOf(request);
  const { method = 'GET', url = '/', headers } = request;
  parts.push(`${method} ${url}`, linesOf(headers), body.toString());
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { hostname, port } = new URL(target.url);
  const { 'transfer-encoding': _chunked, ...kept } = headers;
  const onward = httpRequest(
    {
      method,
      hostname,
      port,
      path: url,
      agent: false,
      headers: {
        ...kept,
        host: target.host,
        ...(body.length > 0 ? { 'content-length': body.length } : {}),
      },
    },
    resolve,
  );
  onward.on('error', reject);
  onward.end(body);
  const answer = await promise;
  const text = await bytesOf(answer);
  parts.push(String(answer.statusCode), linesOf(answer.headers), text.toString());
  const { 'transfer-encoding': _again, 'content-length': _length, ...head } = answer.headers;
  response.writeHead(answer.statusCode ?? 502, head);
  response.end(text);
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function linesOf(headers: IncomingMessage['headers']): string {
  return Object.entries(headers)
    .flatMap(([name, value]) => [value ?? []].flat().map((one) => `${name}: ${one}`))
    .join('\n');
}

const parameters = [
  ...'code state nonce code_verifier code_challenge client_secret refresh_token'.split(' '),
  ...'access_token id_token token csrf xsrf login_hint login id_token_hint request_uri'.split(' '),
  ...'device_code client_assertion email'.split(' '),
].join('|');

/** The number of a conversation stands in addresses: alone it opens nothing. */
const openCookies = /^tollgate_(interaction|resume|last_provider)$/;

/** All that must not be kept anywhere, as it went over the wire, in the spellings that it may have. */
export function secretsIn(heard: string): Set<string> {
  const found = new Set<string>();
  const add = (value = '') => {
    const spelled = [value, value.replaceAll('+', ' ')].flatMap((one) => [one, decoded(one)]);
    // Of a token its proof is enough to be secret; the numbers of grant and session are none.
    const tails = spelled.flatMap((one) =>
      /^[\w-]+\.[\w.-]+$/.test(one) ? one.split('.').slice(one.startsWith('tg') ? -1 : 0) : [],
    );
    for (const one of [...spelled, ...tails.filter((tail) => tail.length > 30)]) {
      // A word of a standard (`"code":"login_required"`) is none.
      if (one.length >= 8 && !/^[a-z_]+$/.test(one)) found.add(one);
    }
  };
  for (const [, value] of heard.matchAll(
    new RegExp(String.raw`(?<![\w-])(?:${parameters})=([^&\s"'<>;]+)`, 'g'),
  )) {
    add(value);
  }
  for (const [, value] of heard.matchAll(new RegExp(`"(?:${parameters})":"([^"]+)"`, 'g'))) {
    add(value);
  }
  for (const [, value] of heard.matchAll(/name="(?:csrf|xsrf)" value="([^"]+)"/g)) add(value);
  for (const [, line = ''] of heard.matchAll(/^(?:set-)?cookie: (.*)$/gim)) {
    for (const pair of line.split(';')) {
      const [name = '', ...value] = pair.trim().split('=');
      if (name.startsWith('tollgate') && !openCookies.test(name)) add(value.join('='));
    }
  }
  for (const [, scheme = '', value = ''] of heard.matchAll(/^authorization: (\w+) (.*)$/gim)) {
    add(value);
    if (/basic/i.test(scheme)) add(Buffer.from(value, 'base64').toString().split(':')[1]);
  }
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
