/**
 * HTTP by hand, byte for byte: what well-behaved clients refuse to send (two hosts, broken lengths,
 * control characters, bodies that end too soon). One connection a request.
 */

import { connect } from 'node:net';

export interface RawRequest {
  method?: string;
  /** As it stands in the first line. */
  path?: string;
  /** In this order, as they are; a name may come twice. */
  headers?: readonly (readonly [string, string])[];
  /** Its length is declared unless a header says something about it. */
  body?: string | Buffer;
  /** Nothing more is sent after the body: the sending side is closed. */
  cut?: boolean;
}

export interface RawAnswer {
  /** 0 where the connection was closed without an answer. */
  status: number;
  /** Names in lower case. */
  headers: ReadonlyMap<string, readonly string[]>;
  text: string;
  /** The first value, or the empty text. */
  header(name: string): string;
}

const patienceMs = 8000;

/** @throws where there is no end of it */
export async function send(port: number, request: RawRequest): Promise<RawAnswer> {
  return parse(await exchange(port, bytesOf(port, request), request.cut === true));
}

export function bytesOf(port: number, request: RawRequest): Buffer {
  const { method = 'GET', path = '/', headers = [], body } = request;
  const has = (...names: string[]) =>
    headers.some(([name]) => names.includes(name.toLowerCase().trim()));
  const content = typeof body === 'string' ? Buffer.from(body) : body;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(has('host') ? [] : [`Host: 127.0.0.1:${port}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(content === undefined || has('content-length', 'transfer-encoding')
      ? []
      : [`Content-Length: ${content.length}`]),
    'Connection: close',
    '',
    '',
  ];
  // Header values are bytes: what is not ASCII goes out as UTF-8.
  return Buffer.concat([Buffer.from(lines.join('\r\n')), content ?? Buffer.alloc(0)]);
}

/** Sends the bytes, and answers all that is heard until the connection closes. */
export function exchange(port: number, bytes: Buffer, cut = false): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  const socket = connect(port, '127.0.0.1');
  const timer = setTimeout(() => {
    reject(new Error(`no end after ${patienceMs} ms: ${bytes.subarray(0, 200).toString()}`));
    socket.destroy();
  }, patienceMs);
  const end = () => {
    clearTimeout(timer);
    resolve(Buffer.concat(chunks));
  };
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', end).on('close', end);
  socket.on('connect', () => {
    if (cut) socket.end(bytes);
    else socket.write(bytes);
  });
  return promise;
}

function parse(bytes: Buffer): RawAnswer {
  const split = bytes.indexOf('\r\n\r\n');
  const head = bytes.subarray(0, Math.max(split, 0)).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head[0] ?? '')?.[1] ?? 0);
  const headers = new Map<string, string[]>();
  for (const line of head.slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const body = split < 0 ? Buffer.alloc(0) : bytes.subarray(split + 4);
  const chunked = headers.get('transfer-encoding')?.[0] === 'chunked';
  return {
    status,
    headers,
    text: (chunked ? unchunk(body) : body).toString(),
    header: (name) => headers.get(name)?.[0] ?? '',
  };
}

function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n', at);
    const length = Number.parseInt(bytes.subarray(at, end).toString(), 16);
    if (end < 0 || Number.isNaN(length) || length === 0) break;
    parts.push(bytes.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
  return Buffer.concat(parts);
}

/** A form, as browsers send it. */
export function form(
  fields: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
): Required<Pick<RawRequest, 'body' | 'headers'>> {
  const entries = Array.isArray(fields) ? fields : Object.entries(fields);
  return {
    headers: [['Content-Type', 'application/x-www-form-urlencoded']],
    body: new URLSearchParams(entries.map(([name, value]) => [name, value])).toString(),
  };
}

export const asBrowser = ['Accept', 'text/html,*/*;q=0.8'] as const;
export const asProgram = ['Accept', 'application/json'] as const;
