/**
 * What the configuration wants at Stripe, held against what is there. One way through it for looking and for making, so
 * that what `tollgate stripe check` misses is what `tollgate stripe push` makes, and nothing else. What exists is never
 * changed, but that plans are added to a portal of our own. Each thing is looked for before it is made, so a run that was cut off is simply run again.
 */

import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Config, StripeConfig } from '../../config.ts';
import type { Stripe, StripeClient } from '../stripe.ts';

export type SellingConfig = Config & { stripe: StripeConfig };

export interface Finding {
  /** Such as `price api/team month`. */
  what: string;
  state: 'good' | 'missing' | 'different' | 'made';
  /** Its id at Stripe, where it is there. */
  id?: string;
  /** What is wrong, in a sentence. */
  says?: string;
  /** What to do about it. */
  remedy?: string;
}

/** What is wrong, and what to do about it. */
export type Complaint = readonly [says: string, remedy: string];

export interface Survey {
  stripe: StripeClient;
  config: SellingConfig;
  clock: Clock;
  /** Whether what is missing is made. */
  makes: boolean;
  findings: Finding[];
}

export interface Wanted<T extends { id: string }> {
  what: string;
  found: T | undefined;
  complain?: (found: T) => Complaint[];
  /** What is said where it is missing, if not that. */
  absent?: string;
  /** A string says why it cannot be made. */
  make: Making<T> | string;
}

export interface Making<T> {
  /** For the log: `prices.create`. */
  call: string;
  /** All that it is made of: the same again is the same request. */
  parameters: unknown;
  create: (api: Stripe, options: Stripe.RequestOptions) => Promise<T>;
}

/** Lists are read so far: nobody has as many. */
export const mostRead = 1000;
export const pageSize = 100;

/** @returns what is there now; nothing where it was missing and nothing is made */
export async function settle<T extends { id: string }>(
  survey: Survey,
  { what, found, complain, make, absent = 'Stripe does not have it.' }: Wanted<T>,
): Promise<T | undefined> {
  const { findings, stripe, makes } = survey;
  if (found !== undefined) {
    const complaints = complain?.(found) ?? [];
    for (const [says, remedy] of complaints) {
      findings.push({ what, state: 'different', id: found.id, says, remedy });
    }
    if (complaints.length === 0) findings.push({ what, state: 'good', id: found.id });
    return found;
  }
  if (typeof make === 'string') {
    findings.push({ what, state: 'missing', says: absent, remedy: make });
    return undefined;
  }
  if (!makes) {
    const remedy = '`tollgate stripe push --yes` makes it.';
    findings.push({ what, state: 'missing', says: absent, remedy });
    return undefined;
  }
  const idempotencyKey = keyOf(survey.clock(), what, make.parameters);
  const made = await stripe.call(make.call, (api) => make.create(api, { idempotencyKey }));
  findings.push({ what, state: 'made', id: made.id });
  return made;
}

const keyLastsMs = 60_000;

/**
 * Two that push at once make one thing. Not for longer: Stripe would go on answering with what somebody has deleted
 * since, or with a failure of its own.
 */
function keyOf(now: number, what: string, parameters: unknown): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([what, parameters]))
    .digest('hex');
  return `tollgate:push:${digest.slice(0, 32)}:${Math.floor(now / keyLastsMs)}`;
}

export function quoted(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}
