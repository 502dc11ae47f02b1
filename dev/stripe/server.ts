/** The API over HTTP: who asks, what for, and whether it was answered before. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault, PageHandler, RecordedCall } from './contract.ts';
import { ApiError, invalid } from './errors.ts';
import { errorOf } from './faults.ts';
import type { Faults } from './faults.ts';
import type { Answer } from './idempotency.ts';
import type { Given, Route } from './api/route.ts';
import { readForm } from './parameters.ts';
import { apiVersion, newId, nowMs } from './state.ts';
import type { State } from './state.ts';

const maxBodyBytes = 256 * 1024;
const maxCalls = 10_000;
const maxKeyLength = 255;

export interface Server {
  state: State;
  routes: readonly Route[];
  secretKey: string;
  faults: Faults;
  calls: RecordedCall[];
  pages: PageHandler | undefined;
  /** Does what fell due up to now. */
  catchUp(): void;
  /** Something may have changed: it is to be kept. */
  changed(): void;
}

interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  recorded: RecordedCall;
  requestId: string;
  given: Given;
  route: Route;
  ids: readonly string[];
}

export async function handle(
  server: Server,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://stripe.invalid');
  if (/^\/(c|p)\/|^\/dashboard/.test(url.pathname)) {
    server.catchUp();
    const answered = (await server.pages?.(request, response)) ?? false;
    server.changed();
    if (!answered) sendJson(response, 404, {}, errorText(new ApiError(404, noSuchPage)));
    return;
  }
  const requestId = newId(server.state, 'req', 14);
  const recorded = record(server, request, url.pathname);
  try {
    const { given, parameters } = await readParameters(request, url);
    recorded.parameters = parameters;
    authenticate(server, request);
    checkVersion(request);
    const found = find(server.routes, recorded.method, url.pathname);
    if (found === undefined) throw unrecognized(recorded.method, url.pathname);
    await answer(server, { request, response, recorded, requestId, given, ...found });
  } catch (error) {
    const problem = problemOf(error);
    send(response, recorded, { status: problem.status, body: errorText(problem), requestId }, {});
  }
}

const noSuchPage = { type: 'invalid_request_error', message: 'There is no such page.' } as const;

/** Faults, idempotency, work, answer. */
async function answer(server: Server, call: Call): Promise<void> {
  const { recorded, request, response } = call;
  const fault = server.faults.next(recorded.method, recorded.path);
  if (fault?.kind === 'silence') return;
  if (fault?.kind === 'cut_before') {
    request.socket.destroy();
    return;
  }
  const key = recorded.method === 'POST' ? recorded.idempotencyKey : undefined;
  if (key !== undefined && key.length > maxKeyLength) {
    throw invalid(`Idempotency keys may have up to ${maxKeyLength} characters.`);
  }
  const work = call.route.prepare(call.given);
  const fingerprint = `${recorded.path} ${JSON.stringify(recorded.parameters)}`;
  const at = Math.floor(nowMs(server.state) / 1000);
  const before = key === undefined ? undefined : server.state.keys.begin(key, fingerprint, at);
  if (before !== undefined && fault?.kind === 'cut_after') {
    request.socket.destroy();
    return;
  }
  if (before !== undefined) {
    send(response, recorded, before, {
      'idempotent-replayed': 'true',
      'original-request': before.requestId,
    });
    return;
  }
  if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms));
  const given = perform(server, call, work, fault);
  if (key !== undefined) server.state.keys.end(key, isKept(given.status) ? given : undefined);
  server.changed();
  if (fault?.kind === 'cut_after') {
    request.socket.destroy();
    return;
  }
  send(response, recorded, given, {});
}

function perform(
  server: Server,
  call: Call,
  work: ReturnType<Route['prepare']>,
  fault: Fault | undefined,
): Answer {
  const { requestId, recorded, ids } = call;
  const { state } = server;
  try {
    if (fault?.kind === 'status') throw errorOf(fault.status);
    server.catchUp();
    state.request = { id: requestId, idempotency_key: recorded.idempotencyKey ?? null };
    const object = work(state, ids);
    if (fault?.kind === 'error_after') throw errorOf(500);
    return { status: 200, body: JSON.stringify(object, null, 2), requestId };
  } catch (error) {
    const problem = problemOf(error);
    return { status: problem.status, body: errorText(problem), requestId };
  } finally {
    state.request = null;
  }
}

/** Conflicts, limits and an overload come before the work: asked again, it is done. */
function isKept(status: number): boolean {
  return ![401, 403, 409, 429, 503].includes(status);
}

function record(server: Server, request: IncomingMessage, path: string): RecordedCall {
  const recorded: RecordedCall = {
    method: request.method ?? 'GET',
    path,
    idempotencyKey: headerOf(request, 'idempotency-key'),
    apiVersion: headerOf(request, 'stripe-version'),
    parameters: {},
    status: 0,
  };
  server.calls.push(recorded);
  if (server.calls.length > maxCalls) server.calls.shift();
  return recorded;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

async function readParameters(
  request: IncomingMessage,
  url: URL,
): Promise<{ given: Given; parameters: Record<string, unknown> }> {
  const body = await readBody(request);
  if (url.pathname.startsWith('/v2/')) {
    const query = readForm(url.searchParams);
    const given = body === '' ? query : { ...query, ...readJson(body) };
    return { given, parameters: given };
  }
  const given = readForm([...url.searchParams, ...new URLSearchParams(body)]);
  return { given, parameters: given };
}

function readJson(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw invalid('The request body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('The request body is not a JSON object.');
  }
  return { ...value };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) {
      throw new ApiError(413, { type: 'invalid_request_error', message: 'Request too large.' });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function authenticate(server: Server, request: IncomingMessage): void {
  const header = request.headers.authorization ?? '';
  const basic = /^Basic (.+)$/i.exec(header)?.[1];
  const key =
    basic === undefined
      ? (/^Bearer (.+)$/i.exec(header)?.[1] ?? '')
      : (Buffer.from(basic, 'base64').toString('utf8').split(':')[0] ?? '');
  if (key === server.secretKey) return;
  throw new ApiError(401, {
    type: 'invalid_request_error',
    message:
      key === ''
        ? "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        : `Invalid API Key provided: ${key.slice(0, 8)}${'*'.repeat(8)}${key.slice(-4)}`,
  });
}

function checkVersion(request: IncomingMessage): void {
  const version = headerOf(request, 'stripe-version');
  if (version !== undefined && version !== apiVersion) {
    throw invalid(`This simulator answers as ${apiVersion} only, not as ${version.slice(0, 40)}.`);
  }
}

function find(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; ids: string[] } | undefined {
  const segments = decoded(path);
  if (segments === undefined) return undefined;
  for (const route of routes) {
    if (route.method !== method || route.path.length !== segments.length) continue;
    const ids: string[] = [];
    const matched = route.path.every((wanted, index) => {
      const segment = segments[index] ?? '';
      if (!wanted.startsWith(':')) return wanted === segment;
      ids.push(segment);
      return segment !== '';
    });
    if (matched) return { route, ids };
  }
  return undefined;
}

function decoded(path: string): string[] | undefined {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function unrecognized(method: string, path: string): ApiError {
  return new ApiError(404, {
    type: 'invalid_request_error',
    message: `Unrecognized request URL (${method}: ${path}). This simulator of Stripe does not have it.`,
  });
}

function problemOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  // A defect of the simulator: what it was is for whoever reads the answer.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new ApiError(500, { type: 'api_error', message: `The simulator failed: ${text}` });
}

function errorText(problem: ApiError): string {
  return JSON.stringify({ error: problem.body }, null, 2);
}

function send(
  response: ServerResponse,
  recorded: RecordedCall,
  given: Answer,
  headers: Record<string, string>,
): void {
  recorded.status = given.status;
  sendJson(
    response,
    given.status,
    {
      'request-id': given.requestId,
      'stripe-version': apiVersion,
      ...(recorded.idempotencyKey === undefined
        ? {}
        : { 'idempotency-key': recorded.idempotencyKey }),
      ...(given.status === 429 || given.status === 503 ? { 'stripe-should-retry': 'true' } : {}),
      ...headers,
    },
    given.body,
  );
}

function sendJson(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string,
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-cache, no-store',
    ...headers,
  });
  response.end(body);
}
