/**
 * Rate limits: fixed windows, counted in the store, so that all processes share them. An address
 * counts as a whole IPv4 address or as an IPv6 /64.
 */

import type { Middleware } from 'koa';
import { addressKey } from '../base/addresses.ts';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { sha256 } from '../base/secrets.ts';

export interface LimitRule {
  /** Part of the counter's key: one for each purpose. */
  name: string;
  limit: number;
  windowSeconds: number;
  /**
   * When the counters cannot be reached. `open`: where refusing everybody would do more harm than
   * what the limit prevents, such as at `/refresh`. `closed`: where guessing must not become free.
   */
  whenStoreFails: 'open' | 'closed';
}

export interface Limits {
  /**
   * Counts one use. `who` may be anything that tells callers apart; only its hash is stored.
   * @throws {Problem} `rate_limited` (429), `limit_unavailable` (503)
   */
  take(rule: LimitRule, ...who: readonly string[]): Promise<void>;
  /** Counts each request by the address of the caller. */
  byAddress(rule: LimitRule): Middleware;
}

/** The part of the store that is needed here. */
export interface Counters {
  bump(key: string, by: number, ttlSeconds: number): Promise<number>;
}

export function createLimits(options: { store: Counters; clock: Clock; log: Log }): Limits {
  const { store, clock, log } = options;
  const take = async (rule: LimitRule, ...who: readonly string[]) => {
    const windowMs = rule.windowSeconds * 1000;
    const now = clock();
    const window = Math.floor(now / windowMs);
    const key = `limit:${rule.name}:${window}:${sha256(JSON.stringify(who))}`;
    const count = await store.bump(key, 1, rule.windowSeconds).catch((error: unknown) => {
      log.error('a rate limit cannot be counted', { limit: rule.name, error });
      if (rule.whenStoreFails === 'open') return 0;
      throw new Problem('limit_unavailable', 503, 'This does not work for the moment.', {
        cause: error,
        retryAfterSeconds: 5,
      });
    });
    if (count <= rule.limit) return;
    // Once for each caller and window: the log must not be what the flood fills.
    if (count === rule.limit + 1) log.warn('rate limited', { limit: rule.name });
    throw new Problem('rate_limited', 429, 'There were too many attempts. Try again later.', {
      retryAfterSeconds: Math.max(1, Math.ceil(((window + 1) * windowMs - now) / 1000)),
    });
  };
  return {
    take,
    byAddress: (rule) => async (ctx, next) => {
      await take(rule, addressKey(ctx.ip));
      await next();
    },
  };
}
