/**
 * Stripe's own library, and what it throws in our words. The only file that imports it, and the one place that names
 * the version of the API. Every call is bounded in time; what may have been done although no answer came is asked
 * again under the same idempotency key, never under another one.
 */

import { Stripe } from 'stripe';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { StripeConfig } from '../config.ts';

export type { Stripe } from 'stripe';

/** Payloads of webhooks come in the version of their endpoint: `tollgate stripe push` makes it with this one. */
export const apiVersion = '2026-10-28.endive';

export interface StripeOptions {
  config: StripeConfig;
  /** The guarded one. */
  fetch: typeof globalThis.fetch;
  clock: Clock;
  log: Log;
  /** Of one attempt. 8 s when not given. */
  timeoutMs?: number;
  /** How often a request is sent again after no answer, 409, 429 or 5xx. 1 when not given. */
  retries?: number;
}

export interface StripeClient {
  api: Stripe;
  /** Whether the key is of live mode: objects of the other mode are not ours. */
  live: boolean;
  /**
   * Does one thing at Stripe.
   * @param what it is, for the log: `checkout.sessions.create`
   * @throws {Problem} `stripe_unavailable` (503): no answer, too many requests, a defect there; try again.
   *   `card_declined` (402): the sentence is Stripe's, for the customer. `stripe_refused` (502): our request is wrong;
   *   `details.stripe` has Stripe's code. `stripe_key_reused` (502): this idempotency key was used for another request.
   */
  call<T>(what: string, work: (api: Stripe) => Promise<T>): Promise<T>;
  /** The same, but `undefined` where Stripe knows no such object. */
  find<T>(what: string, work: (api: Stripe) => Promise<T>): Promise<T | undefined>;
}

export function createStripe(options: StripeOptions): StripeClient {
  const { config, fetch, log, timeoutMs = 8000, retries = 1 } = options;
  const base = new URL(config.apiBase);
  const isPlain = base.protocol === 'http:';
  const api = new Stripe(config.secretKey, {
    apiVersion,
    host: base.hostname,
    port: base.port === '' ? (isPlain ? 80 : 443) : Number(base.port),
    protocol: isPlain ? 'http' : 'https',
    timeout: timeoutMs,
    maxNetworkRetries: retries,
    // Nobody is told how fast we are.
    telemetry: false,
    httpClient: Stripe.createFetchHttpClient(fetch),
    appInfo: { name: 'Tollgate' },
  });

  async function call<T>(what: string, work: (client: Stripe) => Promise<T>): Promise<T> {
    try {
      return await work(api);
    } catch (error) {
      const problem = translate(error);
      if (problem !== error) {
        const remedy = problem instanceof Problem ? adviceOn(problem, config) : undefined;
        log.warn('Stripe did not do what was asked', { what, ...factsOf(error), remedy });
      }
      throw problem;
    }
  }

  return {
    api,
    live: /^.k_live_/.test(config.secretKey),
    call,
    async find(what, work) {
      try {
        return await work(api);
      } catch (error) {
        if (isMissing(error)) return undefined;
        return call(what, () => Promise.reject(error as Error));
      }
    },
  };
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing'
  );
}

/** For the log: no message, which may repeat what was sent. */
function factsOf(error: unknown): Record<string, unknown> {
  if (!(error instanceof Stripe.errors.StripeError)) return { error };
  const { type, code, param, statusCode, requestId } = error;
  return { type, error_code: code, param, status: statusCode, stripe_request: requestId };
}

function translate(error: unknown): unknown {
  const { errors } = Stripe;
  if (!(error instanceof errors.StripeError)) return error;
  if (error instanceof errors.StripeCardError) {
    return new Problem('card_declined', 402, error.message, {
      cause: error,
      details: { stripe: error.code ?? error.type },
    });
  }
  // 409: the same request is under way at this very moment.
  if (error instanceof errors.StripeIdempotencyError && error.statusCode !== 409) {
    return new Problem('stripe_key_reused', 502, 'The payment service refused what we asked.', {
      cause: error,
    });
  }
  const { statusCode = 0 } = error;
  if (statusCode === 0 || statusCode === 409 || statusCode === 429 || statusCode >= 500) {
    const sentence = 'The payment service does not answer for the moment. Please try again.';
    return new Problem('stripe_unavailable', 503, sentence, {
      cause: error,
      retryAfterSeconds: 5,
      // An answer of its own: under this idempotency key it is the answer from now on.
      details: statusCode >= 500 ? { status: statusCode } : {},
    });
  }
  return new Problem('stripe_refused', 502, 'The payment service refused what we asked.', {
    cause: error,
    details: { stripe: error.code ?? error.type, ...(error.param && { parameter: error.param }) },
  });
}

/** What an operator is to do about it, in a sentence: for commands and the log. `undefined` where it is nothing of Stripe's. */
export function adviceOn(problem: Problem, { apiBase }: StripeConfig): string | undefined {
  const { errors } = Stripe;
  const { cause } = problem;
  if (cause instanceof errors.StripeAuthenticationError) {
    return 'Stripe does not know the key, or it has expired: set TOLLGATE_STRIPE_SECRET_KEY to one of the dashboard (Developers, API keys).';
  }
  if (cause instanceof errors.StripePermissionError) {
    // Its message names the right, and the key by its last letters: only the first is told.
    const right = /'(rak_[a-z_]{1,60})'/.exec(cause.message)?.[1];
    const which = right === undefined ? 'a right that this needs' : `the right ${right}`;
    return `The key is a restricted one and lacks ${which}: add it in Stripe's dashboard (Developers, API keys).`;
  }
  if (cause instanceof errors.StripeConnectionError) {
    return `${apiBase} does not answer: is there a way to it from here?`;
  }
  if (!(cause instanceof errors.StripeError)) return undefined;
  const { code, param, requestId } = cause;
  const about = [code ?? cause.type, param, requestId].filter((one) => one !== undefined);
  return `Stripe refused it: ${about.join(', ')}.`;
}
