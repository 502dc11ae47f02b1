/** Requests that fail because a test, or a person, wants them to. */

import { ApiError } from './errors.ts';
import type { Fault, FaultRule } from './contract.ts';

export interface Faults {
  add(rule: FaultRule): void;
  clear(): void;
  /** What happens to this request; it counts. */
  next(method: string, path: string): Fault | undefined;
}

export function faults(): Faults {
  let rules: { rule: FaultRule; skip: number; left: number }[] = [];
  return {
    add(rule) {
      rules.push({ rule, skip: rule.after ?? 0, left: rule.times ?? 1 });
    },
    clear() {
      rules = [];
    },
    next(method, path) {
      for (const one of rules) {
        if (!matches(one.rule, method, path)) continue;
        if (one.skip > 0) {
          one.skip -= 1;
          continue;
        }
        one.left -= 1;
        if (one.left <= 0) rules = rules.filter((other) => other !== one);
        return one.rule;
      }
      return undefined;
    },
  };
}

function matches(rule: FaultRule, method: string, path: string): boolean {
  if (rule.method !== undefined && rule.method !== method) return false;
  if (rule.path === undefined) return true;
  const wanted = rule.path.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => segment === '*' || segment === given[index])
  );
}

/** The error that Stripe answers with this status. */
export function errorOf(status: number): ApiError {
  switch (status) {
    case 400:
      return new ApiError(400, { type: 'invalid_request_error', message: 'Invalid request.' });
    case 401:
      return new ApiError(401, {
        type: 'invalid_request_error',
        message: 'Invalid API Key provided.',
      });
    case 402:
      return new ApiError(402, {
        type: 'card_error',
        code: 'card_declined',
        decline_code: 'generic_decline',
        message: 'Your card was declined.',
      });
    case 403:
      return new ApiError(403, {
        type: 'invalid_request_error',
        message: 'The provided key does not have the required permissions for this endpoint.',
      });
    case 409:
      return new ApiError(409, {
        type: 'invalid_request_error',
        code: 'lock_timeout',
        message:
          'This object cannot be accessed right now because another API request or Stripe process is currently accessing it.',
      });
    case 429:
      return new ApiError(429, {
        type: 'invalid_request_error',
        code: 'rate_limit',
        message: 'Request rate limit exceeded.',
      });
    default:
      return new ApiError(status, {
        type: 'api_error',
        message: 'An unknown error occurred while processing your request.',
      });
  }
}
