/** Time as Stripe counts it: in seconds, and in calendar months that begin on the day of an anchor. */

export const minute = 60;
export const hour = 60 * minute;
export const day = 24 * hour;

export interface Interval {
  interval: string;
  interval_count: number;
}

/**
 * The moment `count` intervals after the anchor. Months keep the anchor's day: from 31 January it is
 * 28 February, and then 31 March.
 */
export function after(anchor: number, every: Interval, count: number): number {
  const steps = every.interval_count * count;
  switch (every.interval) {
    case 'day':
      return anchor + steps * day;
    case 'week':
      return anchor + steps * 7 * day;
    case 'year':
      return monthsAfter(anchor, steps * 12);
    default:
      return monthsAfter(anchor, steps);
  }
}

/** The first of the anchor's moments that is later than `at`, before or after the anchor itself. */
export function nextAfter(anchor: number, every: Interval, at: number): number {
  const length = after(0, every, 1);
  let count = Math.floor((at - anchor) / length) - 1;
  while (after(anchor, every, count) <= at) count += 1;
  return after(anchor, every, count);
}

function monthsAfter(anchor: number, months: number): number {
  const from = new Date(anchor * 1000);
  const last = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months + 1, 0));
  return (
    Date.UTC(
      last.getUTCFullYear(),
      last.getUTCMonth(),
      Math.min(from.getUTCDate(), last.getUTCDate()),
      from.getUTCHours(),
      from.getUTCMinutes(),
      from.getUTCSeconds(),
    ) / 1000
  );
}
