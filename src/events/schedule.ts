/**
 * When a delivery that failed is tried again. The first eight attempts fall into the life of an access token; the
 * rest are for receivers that are down for hours or days. Jitter, so that what failed together does not come back
 * together.
 */

const minute = 60 * 1000;
const hour = 60 * minute;
export const day = 24 * hour;

/** Before the first attempt, the second, … in seconds. */
const delays = [0, 1, 3, 10, 30, 60, 120, 300, 900, 3600, 10_800, 36_000, 86_400, 86_400];

/** No delivery waits longer than this, however it is put off: more than the schedule with all its jitter. */
export const longestLifeMs = 4 * day;
const longestRetryAfterMs = hour;

/** @returns milliseconds after `attempts` that failed; `undefined` when it is to be given up */
export function delayAfter(attempts: number, random: () => number): number | undefined {
  const seconds = delays[attempts];
  return seconds === undefined ? undefined : seconds * 1000 * (0.5 + random());
}

/**
 * For what waits for its receiver, not for its time: somebody will come for it, and if nobody does it is looked at
 * again after this. In growing steps, so that a receiver which is dead for days costs few writes.
 */
export function netAfter(ageMs: number, random: () => number): number {
  return Math.min(6 * hour, Math.max(10 * minute, ageMs)) * (0.75 + random() / 2);
}

/** `Retry-After` (RFC 9110 §10.2.3) in milliseconds, within bounds: a receiver must not put off for ever. */
export function retryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const milliseconds = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  if (Number.isNaN(milliseconds)) return undefined;
  return Math.min(longestRetryAfterMs, Math.max(0, milliseconds));
}
