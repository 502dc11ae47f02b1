/**
 * Fetches events instead of having them pushed (RFC 8936): for a service that nobody can reach. One
 * request waits for the next events and acknowledges those of before; what was not acknowledged comes again.
 */

import type { Access } from './access.ts';
import { VerifyError } from './errors.ts';
import { fetchJson } from './http.ts';
import type { Inbox } from './inbox.ts';
import { readSets } from './recent.ts';
import type { Settings } from './settings.ts';
import type { Silence } from './silence.ts';

export interface PollOptions {
  /** The stream's `endpoint_url`. */
  url: string;
  /** Ends it. What was applied is acknowledged first. */
  signal: AbortSignal;
  /** Instead of a token for `clientId` and `clientSecret`. */
  authorization?: string;
}

export interface PollParts {
  settings: Settings;
  inbox: Inbox;
  silence: Silence;
  access: Access;
  /** Until the time is over, or the signal is given. Never rejects. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0 to 1. */
  random: () => number;
}

interface Report {
  ack: string[];
  setErrs: Record<string, { err: string; description: string }>;
}

const maximumEvents = 100;
/** The issuer holds a request for as long as it likes; this is longer. */
const holdMs = 120_000;
const limitBytes = 8_388_608;
/** An issuer that does not hold requests is asked this often. */
const idleMs = 1000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/** Resolves when the signal is given, and never rejects: failures are warnings, and tried again. */
export async function poll(parts: PollParts, options: PollOptions): Promise<void> {
  const { settings, silence, wait, random } = parts;
  const { signal } = options;
  let report: Report = emptyReport();
  let failures = 0;
  while (!signal.aborted) {
    const started = settings.now();
    try {
      const { sets, more } = await ask(parts, options, report);
      silence.heard();
      report = emptyReport();
      await apply(parts.inbox, sets, report);
      failures = 0;
      const rest = idleMs - (settings.now() - started);
      if (sets.length === 0 && !more && rest > 0) await wait(rest, signal);
    } catch (cause) {
      if (signal.aborted) break;
      // Once for each time that it fails, however often it is tried.
      if (failures === 0) settings.warn('poll_failed', 'Events cannot be fetched.', cause);
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10));
      failures += 1;
      // Jitter, so that services which failed together do not come back together.
      await wait(pauseMs * (0.5 + random() / 2), signal);
    }
  }
  if (report.ack.length > 0) await goodbye(parts, options, report);
}

function emptyReport(): Report {
  return { ack: [], setErrs: {} };
}

async function ask(parts: PollParts, options: PollOptions, report: Report) {
  const { settings, access } = parts;
  const { url, signal } = options;
  const { status, body } = await fetchJson(settings.fetch, url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: options.authorization ?? (await access.authorization(signal)),
    },
    body: JSON.stringify({ maxEvents: maximumEvents, returnImmediately: false, ...report }),
    signal,
    timeoutMs: holdMs,
    limitBytes,
  });
  if (status === 401) access.forget();
  if (status !== 200) throw new Error(`the poll endpoint answered ${status}`);
  return readSets(body);
}

/**
 * Those that are wrong are reported (RFC 8936 §2.2), and will not come again. Where the matter is on this
 * side, the rest is left for the next time.
 * @throws {VerifyError} `deny_unavailable`, `keys_unavailable`, `event_failed`
 */
async function apply(
  inbox: Inbox,
  sets: readonly (readonly [jti: string, set: string])[],
  report: Report,
): Promise<void> {
  for (const [jti, set] of sets) {
    try {
      await inbox.acceptSet(set, jti);
      report.ack.push(jti);
    } catch (error) {
      if (!(error instanceof VerifyError) || error.code !== 'event_invalid') throw error;
      const said = { err: error.reason ?? 'invalid_request', description: error.message };
      // Not an assignment: a jti may be `__proto__`.
      Object.defineProperty(report.setErrs, jti, { value: said, enumerable: true });
    }
  }
}

/** Acknowledges the last ones and asks for none. It does not matter when it fails: they come again. */
async function goodbye(parts: PollParts, options: PollOptions, report: Report): Promise<void> {
  const signal = AbortSignal.timeout(2000);
  try {
    await fetchJson(parts.settings.fetch, options.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: options.authorization ?? (await parts.access.authorization(signal)),
      },
      body: JSON.stringify({ maxEvents: 0, returnImmediately: true, ...report }),
      signal,
    });
  } catch {
    // Nobody waits for it.
  }
}

/** @returns when the time is over or the signal is given */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
