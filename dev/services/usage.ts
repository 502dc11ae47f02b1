/**
 * Metered use, as a service's developer writes it: whom to bill is in the access token (`customer`), and how much goes to
 * a billing meter of Stripe. The answer never waits for Stripe: what was used is noted, and sent when there is
 * time. What is sent again is counted once, by its identifier.
 */

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stripe } from 'stripe';
// In a program of yours: from 'tollgate/verify'.
import type { AccessClaims } from '../../src/verify/index.ts';

export interface UsageOptions {
  /** `new Stripe('rk_…')`, with a restricted key that may write meter events and nothing else. */
  stripe: { billing: { meterEvents: Pick<Stripe['billing']['meterEvents'], 'create'> } };
  /** The meter's `event_name`. */
  meter: string;
  /** Milliseconds since the epoch. */
  clock: () => number;
  /** How long it waits after each failed attempt; after the last it gives up. */
  retryAfterMs?: readonly number[];
  /** Somebody has to look at it: it was used and will not be paid for. */
  onLost?: (identifier: string, error: unknown) => void;
}

export interface Usage {
  /**
   * Returns at once.
   * @param request what the client calls its request (its `Idempotency-Key`), so that a repeated one is one use
   * @returns whether there is anybody to bill: a free plan has no customer
   */
  record(claims: Pick<AccessClaims, 'customer'>, request: string, value?: number): boolean;
  /** When nothing waits any more. */
  settled(): Promise<void>;
  /** What waits is lost. A service that must lose nothing writes it to its own database first. */
  close(): void;
}

type MeterEvent = Stripe.Billing.MeterEventCreateParams & { identifier: string };

const mostWaiting = 10_000;
const usualRetries = [1000, 10_000, 60_000, 600_000];

export function createUsage(options: UsageOptions): Usage {
  const { stripe, meter, clock, retryAfterMs = usualRetries, onLost } = options;
  const waiting: MeterEvent[] = [];
  const stop = new AbortController();
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    for (let event = waiting[0]; event !== undefined; event = waiting[0]) {
      await send(event);
      if (stop.signal.aborted) return;
      waiting.shift();
    }
    sending = undefined;
  }

  async function send(event: MeterEvent): Promise<void> {
    for (const wait of [...retryAfterMs, undefined]) {
      try {
        await stripe.billing.meterEvents.create(event);
        return;
      } catch (error) {
        if (isCounted(error) || stop.signal.aborted) return;
        if (wait === undefined || isRefused(error)) {
          onLost?.(event.identifier, error);
          return;
        }
        await delay(wait, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  }

  return {
    record({ customer }, request, value = 1) {
      if (customer === undefined) return false;
      const identifier = identifierOf(customer, request);
      if (waiting.length >= mostWaiting) {
        onLost?.(identifier, new Error('too much waits'));
        return true;
      }
      waiting.push({
        event_name: meter,
        identifier,
        payload: { stripe_customer_id: customer, value: String(value) },
        // When it was used, however long it takes to get there.
        timestamp: Math.floor(clock() / 1000),
      });
      sending ??= sendAll();
      return true;
    },
    settled: async () => sending,
    close: () => stop.abort(),
  };
}

/** Clients choose what they call a request: two customers may choose the same. Stripe takes 100 characters. */
function identifierOf(customer: string, request: string): string {
  return createHash('sha256').update(`${customer} ${request}`).digest('hex');
}

/** An attempt whose answer was lost had come through. */
function isCounted(error: unknown): boolean {
  return told(error, 'code') === 'duplicate_meter_event';
}

/** It will not be taken the next time either. */
function isRefused(error: unknown): boolean {
  const status = told(error, 'statusCode');
  return typeof status === 'number' && status >= 400 && status < 500 && status !== 429;
}

function told(error: unknown, field: 'code' | 'statusCode'): unknown {
  return error instanceof Error && field in error
    ? (error as unknown as Record<string, unknown>)[field]
    : undefined;
}
