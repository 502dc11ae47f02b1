/** Spans of time as people write them: `1h`, `13d`, `2w`, `1m`, `1y`. */

const hour = 3_600_000;
const units: Readonly<Record<string, number>> = { h: hour, d: 24 * hour, w: 7 * 24 * hour };

/** @returns the moment so much later, in ms; undefined where it is no span, or more than five years */
export function later(now: number, span: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,4})([hdwmy])$/.exec(span) ?? [];
  const count = Number(digits);
  const then =
    unit === 'm' || unit === 'y' ? months(now, unit === 'm' ? count : 12 * count) : undefined;
  const at = then ?? now + count * (units[unit] ?? Number.NaN);
  return count > 0 && at - now <= 5 * 366 * 24 * hour ? at : undefined;
}

/** The same day of a later month; its last day where it has no such day. */
function months(now: number, count: number): number {
  const date = new Date(now);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + count);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}
