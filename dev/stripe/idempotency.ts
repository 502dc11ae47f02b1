/**
 * Idempotency keys as Stripe keeps them: the first answer is given again for 24 hours, errors and 500s
 * too, once the endpoint had begun its work. Answers to parameters that are wrong in themselves, to
 * conflicts and to limits are not kept.
 */

import { ApiError } from './errors.ts';
import { day } from './time.ts';

export interface Answer {
  status: number;
  body: string;
  requestId: string;
}

export interface Kept {
  key: string;
  /** What was asked with it. */
  fingerprint: string;
  /** Nothing while the work is being done. */
  answer: Answer | undefined;
  /** In seconds. */
  until: number;
}

export interface Keys {
  /**
   * @returns the answer that was given before; nothing for a new key, which is in use from now on
   * @throws {ApiError} where it was used for something else, or is in use
   */
  begin(key: string, fingerprint: string, at: number): Answer | undefined;
  /** Keeps the answer; without one the key is free again. */
  end(key: string, answer: Answer | undefined): void;
  all(): Kept[];
}

const maxKeys = 50_000;

export function idempotencyKeys(before: readonly Kept[] = []): Keys {
  const kept = new Map(before.map((one) => [one.key, one]));
  return {
    begin(key, fingerprint, at) {
      const before = kept.get(key);
      if (before !== undefined && before.until > at) {
        if (before.fingerprint !== fingerprint) throw mismatch(key);
        if (before.answer === undefined) throw inUse(key);
        return before.answer;
      }
      kept.delete(key);
      kept.set(key, { key, fingerprint, answer: undefined, until: at + day });
      const oldest = kept.keys().next();
      if (kept.size > maxKeys && oldest.done !== true) kept.delete(oldest.value);
      return undefined;
    },
    end(key, answer) {
      const mine = kept.get(key);
      if (answer === undefined) kept.delete(key);
      else if (mine !== undefined) mine.answer = answer;
    },
    all: () => [...kept.values()].filter((one) => one.answer !== undefined),
  };
}

function mismatch(key: string): ApiError {
  return new ApiError(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
  });
}

function inUse(key: string): ApiError {
  return new ApiError(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
  });
}
