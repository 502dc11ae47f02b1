/**
 * One address for all events, in whichever encoding Tollgate is told to send them: a logout token
 * (OpenID Connect Back-Channel Logout 1.0 §2.5), a SET by push (RFC 8935), a webhook (Standard Webhooks).
 * Each is answered as its standard says. What cannot be decided now (no keys, no store) is a 503:
 * the sender tries again.
 */

import { decode, readBytes } from './bytes.ts';
import { VerifyError } from './errors.ts';
import type { Inbox } from './inbox.ts';
import { readLogout } from './logout.ts';
import { within } from './runtime.ts';
import type { Settings } from './settings.ts';
import { readWebhook } from './webhook.ts';

/** Of the body, as long as it may be and may take. */
const limitBytes = 65_536;
const limitMs = 10_000;

type Encoding = 'logout' | 'set' | 'webhook';

export interface ReceiveParts {
  settings: Settings;
  inbox: Inbox;
}

/** Never rejects. */
export async function receive(parts: ReceiveParts, request: Request): Promise<Response> {
  if (request.method !== 'POST') return plain(405, 'method_not_allowed', { allow: 'POST' });
  const encoding = encodingOf(parts.settings, request.headers);
  if (encoding === undefined) return plain(415, 'unsupported_media_type');
  const length = Number(request.headers.get('content-length') ?? 0);
  if (length > limitBytes) return plain(413, 'too_large');
  let body: Uint8Array<ArrayBuffer> | undefined;
  try {
    body = await within(limitMs, readBytes(request.body, limitBytes));
  } catch {
    return plain(400, 'body_unreadable');
  }
  if (body === undefined) return plain(413, 'too_large');
  try {
    return await handlers[encoding](parts, request.headers, body);
  } catch (error) {
    const problem =
      error instanceof VerifyError ? error : new VerifyError('event_failed', { cause: error });
    // The sender hears it, and gives up at some time: the receiver's operator should hear it too.
    if (problem.status < 500) parts.settings.warn('event_refused', problem.message);
    return problem.status < 500 ? refusals[encoding](problem) : problem.response();
  }
}

/** What is not configured is not there. */
function encodingOf(settings: Settings, headers: Headers): Encoding | undefined {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') {
    return settings.clientIds.length > 0 ? 'logout' : undefined;
  }
  if (type === 'application/secevent+jwt') return settings.takesPush ? 'set' : undefined;
  if (type === 'application/json') return settings.webhookKeys.length > 0 ? 'webhook' : undefined;
  return undefined;
}

type Handler = (
  parts: ReceiveParts,
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
) => Promise<Response>;

const handlers: Record<Encoding, Handler> = {
  async logout({ settings, inbox }, _headers, body) {
    await inbox.accept(await readLogout(settings, text(body)));
    return empty(200);
  },
  async set({ settings, inbox }, headers, body) {
    await authorize(settings.authorizations, headers.get('authorization') ?? '');
    await inbox.acceptSet(text(body));
    return empty(202);
  },
  async webhook({ settings, inbox }, headers, body) {
    await inbox.accept(await readWebhook(settings, headers, body));
    return empty(204);
  },
};

const refusals: Record<Encoding, (problem: VerifyError) => Response> = {
  // Back-Channel Logout 1.0 §2.8.
  logout: ({ message }) => json(400, { error: 'invalid_request', error_description: message }),
  // RFC 8935 §2.3: 400 for all of them.
  set: ({ message, reason = 'invalid_request' }) =>
    json(400, { err: reason, description: message }, { 'content-language': 'en' }),
  webhook: ({ status, code, message }) => json(status, { error: { code, message } }),
};

/** RFC 8935 §3: the header that the sender was told to send, compared in constant time. */
async function authorize(expected: readonly string[], given: string): Promise<void> {
  if (expected.length === 0) return;
  const digest = await sha256(given);
  const digests = await Promise.all(expected.map(sha256));
  const right = digests.map((known) => {
    let difference = 0;
    for (const [index, byte] of known.entries()) difference |= byte ^ (digest[index] ?? 0);
    return difference === 0;
  });
  if (!right.includes(true)) {
    throw new VerifyError('event_unauthenticated', { reason: 'authentication_failed' });
  }
}

async function sha256(value: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(value)));
}

function text(body: Uint8Array): string {
  try {
    return decode(body);
  } catch {
    throw new VerifyError('event_invalid', { reason: 'invalid_request' });
  }
}

function empty(status: number): Response {
  return new Response(null, { status, headers: { 'cache-control': 'no-store' } });
}

function plain(status: number, code: string, headers: Record<string, string> = {}): Response {
  return json(status, { error: { code, message: code.replaceAll('_', ' ') } }, headers);
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  });
}
