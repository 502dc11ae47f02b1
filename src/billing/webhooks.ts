/**
 * What Stripe sends us: whether it is Stripe's, of this account and this mode, and then into the inbox. It is answered
 * with success only when it is stored, or when there is nothing in it to store.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { StripeConfig } from '../config.ts';
import { readEnvelope } from './arrivals.ts';
import type { Envelope } from './arrivals.ts';
import { workOf } from './event_kinds.ts';
import type { Inbox } from './inbox.ts';
import type { StripeClient } from './stripe.ts';

/** What became of one that was taken. */
export type Taken = 'stored' | 'duplicate' | 'ignored';

export interface Webhooks {
  /**
   * @param body the bytes as they came
   * @param signature the header `Stripe-Signature`
   * @throws {Problem} `signature_invalid`, `event_of_other_mode`, `event_of_other_account` (400),
   *   `webhooks_not_configured` (503), `stripe_unavailable` (503); whatever the store throws
   */
  receive(body: Uint8Array, signature: string): Promise<Taken>;
}

export interface WebhooksOptions {
  config: Pick<StripeConfig, 'webhookSecrets' | 'toleranceSeconds'>;
  stripe: StripeClient;
  inbox: Inbox;
  clock: Clock;
  log: Log;
}

/** A clock of Stripe's is never so far ahead. */
const mostAheadMs = 60_000;
const complainEveryMs = 10 * 60_000;

export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { config, stripe, inbox, clock, log } = options;
  const ourAccount = lateAccount(stripe);
  const quiet = { isEmpty: -Infinity, isOther: -Infinity, isBad: -Infinity };

  /** Anybody can come here: the log must not be what they fill. */
  function mayComplain(about: keyof typeof quiet): boolean {
    if (clock() - quiet[about] < complainEveryMs) return false;
    quiet[about] = clock();
    return true;
  }

  function complain(): void {
    if (!mayComplain('isEmpty')) return;
    log.warn('an event of Stripe cannot be checked: `stripe.webhookSecrets` is empty', {
      remedy: 'Set TOLLGATE_STRIPE_WEBHOOK_SECRETS; `tollgate stripe push` makes an endpoint.',
    });
  }

  /** By somebody who is not Stripe; or by Stripe, and our clock is wrong, a proxy alters it, or we were not told the secret. */
  function complainOf(error: unknown): void {
    const cause = error instanceof Problem ? error.cause : error;
    const reason = cause instanceof Error ? cause.message : cause;
    if (reason !== ofOtherSecret) {
      if (mayComplain('isBad')) log.info('an event is not signed as Stripe does', { reason });
      return;
    }
    if (!mayComplain('isOther')) return;
    log.warn('an event is signed with none of `stripe.webhookSecrets`', {
      remedy:
        'If it is Stripe’s, set TOLLGATE_STRIPE_WEBHOOK_SECRETS to the secret of the endpoint that sends here.',
    });
  }

  async function requireOurs({ type, live, account }: Envelope): Promise<void> {
    if (live !== stripe.live) {
      log.warn('an event of the other mode of Stripe was refused', { type, live });
      throw refused('event_of_other_mode', 'This event is of the other mode (test or live).');
    }
    if (account === undefined || account === (await ourAccount())) return;
    log.warn('an event of another Stripe account was refused', { type });
    throw refused('event_of_other_account', 'This event is of another account.');
  }

  return {
    async receive(body, signature) {
      if (config.webhookSecrets.length === 0) {
        complain();
        throw notConfigured();
      }
      const value = await verify(options, body, signature).catch((error: unknown) => {
        complainOf(error);
        throw error;
      });
      const envelope = readEnvelope(value, clock());
      await requireOurs(envelope);
      const { type, arrival } = envelope;
      if (workOf(type) === undefined) {
        log.debug('an event of Stripe is of no interest', { type });
        return 'ignored';
      }
      if (arrival === undefined) {
        log.warn('an event of Stripe could not be read', { type });
        return 'ignored';
      }
      return (await inbox.add(arrival)) ? 'stored' : 'duplicate';
    },
  };
}

/** The account that the key is of: only asked for where an event names one. */
function lateAccount(stripe: StripeClient): () => Promise<string> {
  let known: string | undefined;
  return async () => {
    known ??= (
      await stripe.call('accounts.retrieveCurrent', (api) => api.accounts.retrieveCurrent())
    ).id;
    return known;
  };
}

/** Several secrets while one is replaced: any of them will do. */
async function verify(
  { config, stripe, clock }: WebhooksOptions,
  body: Uint8Array,
  signature: string,
): Promise<unknown> {
  const payload = decode(body);
  const now = clock();
  if (signedAt(signature) * 1000 > now + mostAheadMs) throw invalid('it is of the future');
  const parse = isThin(payload)
    ? (secret: string) =>
        stripe.api.parseEventNotificationAsync(
          payload,
          signature,
          secret,
          config.toleranceSeconds,
          undefined,
          now,
        )
    : (secret: string) =>
        stripe.api.webhooks.constructEventAsync(
          payload,
          signature,
          secret,
          config.toleranceSeconds,
          undefined,
          now,
        );
  let cause: unknown;
  for (const secret of config.webhookSecrets) {
    try {
      await parse(secret);
      // Read again as it came: the library's objects have methods, and types that a payload may not keep.
      return JSON.parse(payload) as unknown;
    } catch (error) {
      cause = error;
    }
  }
  // The library speaks of frameworks that we are not; of anything else (its age, a header that is none) it says enough.
  if (!(cause instanceof Error && cause.message.startsWith(unmatched))) throw invalid(cause);
  throw invalid(new Error(ofOtherSecret));
}

const ofOtherSecret = 'it is signed with none of `stripe.webhookSecrets`';
const unmatched = 'No signatures found matching the expected signature';

/** As the bytes are: the library would read a byte order mark, or what is no text, as something else. */
function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw invalid(cause);
  }
}

/** The last of several, as Stripe's library reads it. In seconds; NaN where there is none, which that refuses. */
function signedAt(header: string): number {
  const times = header.split(',').filter((part) => part.startsWith('t='));
  return Number.parseInt(times.at(-1)?.slice(2) ?? '', 10);
}

/** Only chooses who reads it: nothing is believed yet. */
function isThin(payload: string): boolean {
  try {
    const value: unknown = JSON.parse(payload);
    const isObject = typeof value === 'object' && value !== null && 'object' in value;
    return isObject && value.object === 'v2.core.event';
  } catch (cause) {
    throw invalid(cause);
  }
}

function refused(code: string, sentence: string): Problem {
  return new Problem(code, 400, sentence);
}

function invalid(cause: unknown): Problem {
  const sentence = 'This is not signed by Stripe for us.';
  return new Problem('signature_invalid', 400, sentence, { cause, isLogged: true });
}

function notConfigured(): Problem {
  const sentence = 'Webhooks are not configured here.';
  return new Problem('webhooks_not_configured', 503, sentence, {
    retryAfterSeconds: 60,
    isLogged: true,
  });
}
