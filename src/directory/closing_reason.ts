/** Why an account is closed: one of Stripe's words, so that it can be told there and counted here, and a text of one's own. */

import { Problem } from '../base/errors.ts';
import type { ClosingReason } from '../storage/documents.ts';

/** As in `cancellation_details.feedback`. */
export const feedbackWords = [
  'too_expensive',
  'missing_features',
  'switched_service',
  'unused',
  'customer_service',
  'too_complex',
  'low_quality',
  'other',
] as const;

export type Feedback = (typeof feedbackWords)[number];

const longestReason = 1000;

/** Control characters but line breaks, broken surrogates, and what turns the writing direction. */
const unprintable =
  /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu;

/** @throws {Problem} `feedback_invalid`, `reason_invalid` (400) */
export function requireReason(said: { feedback?: unknown; reason?: unknown }): ClosingReason {
  const feedback = feedbackOf(said.feedback);
  const reason = textOf(said.reason);
  return {
    ...(feedback === undefined ? {} : { feedback }),
    ...(reason === undefined ? {} : { reason }),
  };
}

export function isFeedback(word: unknown): word is Feedback {
  return feedbackWords.some((known) => known === word);
}

function feedbackOf(value: unknown): Feedback | undefined {
  if (value === undefined || value === '' || isFeedback(value)) return value || undefined;
  throw new Problem('feedback_invalid', 400, `A reason is one of: ${feedbackWords.join(', ')}.`, {
    details: { field: 'feedback' },
  });
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  // Cut off before normalising: one character can become eighteen.
  const isShort = typeof value === 'string' && value.length <= longestReason * 4;
  const text = isShort
    ? value.replace(/\r\n?/g, '\n').normalize('NFC').replace(unprintable, '').trim()
    : undefined;
  if (text !== undefined && Array.from(text).length <= longestReason) return text || undefined;
  throw new Problem('reason_invalid', 400, `A reason has at most ${longestReason} characters.`, {
    details: { field: 'reason' },
  });
}
