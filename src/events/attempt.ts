/** One attempt: what goes over the wire, and what came of it. Of the answer only the status counts. */

import { clearTimeout, setTimeout } from 'node:timers';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { DeliveryDocument, NoticeDocument } from '../storage/documents.ts';
import type { Last } from './deliveries.ts';
import type { Encoded, Receiver } from './receivers.ts';
import { retryAfter } from './schedule.ts';

/** The guarded fetch, as far as it is needed here. */
export type DeliveryFetch = (
  url: string,
  init: {
    method: 'POST';
    body: string;
    headers: Record<string, string>;
    redirect: 'manual';
    signal: AbortSignal;
    timeoutMs: number;
    maxBytes: number;
    discardBody: true;
  },
) => Promise<Response>;

export interface AttemptOptions {
  fetch: DeliveryFetch;
  clock: Clock;
  timeoutMs: number;
  /** Ends the request: its time is over, or the process stops. */
  signal: AbortSignal;
  /** Which of the two it was. */
  stops(): boolean;
}

export interface Sending {
  id: string;
  receiver: Receiver;
  notice: NoticeDocument;
  delivery: DeliveryDocument;
  /** Whether the claim is still one to begin a request with: making tokens may take a while. */
  mayBegin(): boolean;
}

/** `stopped` and `late`: nothing was sent, or nobody knows. `unencodable`: not the receiver's fault. */
export interface Outcome {
  kind: 'delivered' | 'refused' | 'gone' | 'later' | 'unencodable' | 'stopped' | 'late';
  last: Last;
  retryAfterMs?: number | undefined;
  error?: unknown;
}

/** Of the answer's body so much is read, and thrown away, so that the connection can be used again. */
const mostAnswerBytes = 4096;

export async function attempt(options: AttemptOptions, sending: Sending): Promise<Outcome> {
  const { clock, timeoutMs, signal, stops, fetch } = options;
  const { receiver, mayBegin } = sending;
  const startedAt = performance.now();
  const last = (rest: Partial<Last>): Last => ({
    at: clock(),
    milliseconds: Math.round(performance.now() - startedAt),
    ...rest,
  });
  let encoded: Encoded;
  try {
    encoded = await encodedWithin(timeoutMs, sending);
  } catch (error) {
    return { kind: 'unencodable', last: last({ problem: 'unencodable' }), error };
  }
  if (!mayBegin()) return { kind: 'late', last: last({ problem: 'late' }) };
  try {
    const response = await fetch(receiver.url ?? '', {
      method: 'POST',
      ...encoded,
      redirect: 'manual',
      signal,
      timeoutMs,
      maxBytes: mostAnswerBytes,
      discardBody: true,
    });
    return judged(receiver, response, last({ status: response.status }), clock());
  } catch (error) {
    if (stops()) return { kind: 'stopped', last: last({ problem: 'stopped' }) };
    return { kind: 'later', last: last({ problem: problemOf(error) }), error };
  }
}

function judged(receiver: Receiver, response: Response, last: Last, now: number): Outcome {
  const { status, headers } = response;
  // Nobody is told to send it elsewhere: the address is the one that an operator checked.
  const isRedirect = status >= 300 && status < 400;
  const kind = isRedirect ? 'later' : receiver.judge(status);
  if (kind !== 'later') return { kind, last };
  const throttles = status === 429 || status === 503;
  const retryAfterMs = throttles ? retryAfter(headers.get('retry-after'), now) : undefined;
  return { kind, last: { ...last, problem: `answered_${status}` }, retryAfterMs };
}

/** A stable word: what the other side sent is not repeated. */
function problemOf(error: unknown): string {
  if (error instanceof Problem) return error.code;
  return error instanceof Error && error.name === 'TimeoutError'
    ? 'outgoing_timeout'
    : 'outgoing_failed';
}

async function encodedWithin(ms: number, sending: Sending): Promise<Encoded> {
  const { id, receiver, notice, delivery } = sending;
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not encoded within ${ms} ms`)), ms);
  try {
    return await Promise.race([receiver.encode(id, notice, delivery), over]);
  } finally {
    clearTimeout(timer);
  }
}
