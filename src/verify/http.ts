/** Requests with a limit on their time and on the size of the answer, by what every runtime has. */

import { decode, readBytes } from './bytes.ts';

/** The part of `fetch` that this library uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface JsonRequest {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
  /** Default: 5 seconds. */
  timeoutMs?: number;
  /** Default: 256 KiB. */
  limitBytes?: number;
}

export interface JsonAnswer {
  status: number;
  /** Of a 200 only. */
  body: unknown;
}

/**
 * Redirects are not followed: keys and events come from where the configuration says, or not at all.
 * @throws when nothing came in time, or too much, or what came is not JSON
 */
export async function fetchJson(
  fetch: Fetch,
  url: string,
  request: JsonRequest = {},
): Promise<JsonAnswer> {
  const { timeoutMs = 5000, limitBytes = 262_144, signal, ...rest } = request;
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, {
    ...rest,
    headers: { accept: 'application/json', ...rest.headers },
    redirect: 'manual',
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    return { status: response.status, body: undefined };
  }
  const bytes = await readBytes(response.body, limitBytes);
  if (bytes === undefined) throw new Error(`more than ${limitBytes} bytes`);
  return { status: 200, body: JSON.parse(decode(bytes)) };
}

/** A JSON object, not a list and not null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
