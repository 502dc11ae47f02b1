/** What is done for an event of Stripe. It may be done any number of times, in any order, by two processes at once. */

import type { Log } from '../base/log.ts';
import type { StripeConfig } from '../config.ts';
import type { InboxDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { readEnvelope } from './arrivals.ts';
import type { BillingClosing } from './closing.ts';
import { idOf } from './customer_state.ts';
import { endDisputed } from './disputes.ts';
import { workOf } from './event_kinds.ts';
import type { StripeClient } from './stripe.ts';
import type { Signups, Sync } from './types.ts';

export interface EventWorkOptions {
  config: Pick<StripeConfig, 'disputes'>;
  store: Store;
  stripe: StripeClient;
  sync: Sync;
  /** Looks at a Checkout Session. Without it the customer is only read afresh. */
  fulfil: Signups['fulfil'] | undefined;
  /** Something may have changed that speaks against a closing. */
  closing?: Pick<BillingClosing, 'settle'> | undefined;
  log: Log;
}

/** @returns why nothing could be done, where trying again would change nothing */
export type DoEvent = (id: string, event: InboxDocument) => Promise<string | undefined>;

export function createEventWork(options: EventWorkOptions): DoEvent {
  const { config, stripe, sync, fulfil, closing } = options;

  async function syncOf(id: string, event: InboxDocument): Promise<string | undefined> {
    const customer = event.customer ?? (await customerOf(stripe, id, event));
    if (customer === undefined) return 'customer_unknown';
    const { account } = await sync.customer(customer);
    if (account !== undefined) await closing?.settle(account);
    return undefined;
  }

  return async (id, event) => {
    const work = workOf(event.type);
    if (work === 'checkout' && fulfil !== undefined && event.object !== undefined) {
      await fulfil(event.object);
      return undefined;
    }
    if (work !== 'dispute') return syncOf(id, event);
    if (event.object === undefined) return 'dispute_unknown';
    if (config.disputes === 'end') await endDisputed(options, event.object);
    return undefined;
  };
}

/** Those that one piece of work is enough for have the same key. */
export function workKey(id: string, { type, customer, object }: InboxDocument): string {
  const work = workOf(type);
  if (work === 'sync' && customer !== undefined) return `customer ${customer}`;
  return work === 'checkout' && object !== undefined ? `checkout ${object}` : `event ${id}`;
}

/** Thin events do not say whom they are about; what they are about does. */
async function customerOf(
  stripe: StripeClient,
  id: string,
  { type, object }: InboxDocument,
): Promise<string | undefined> {
  if (object !== undefined && type.includes('customer.subscription.')) {
    const found = await stripe.find('subscriptions.retrieve', (api) =>
      api.subscriptions.retrieve(object),
    );
    return idOf(found?.customer);
  }
  if (object !== undefined && type.includes('invoice.')) {
    const found = await stripe.find('invoices.retrieve', (api) => api.invoices.retrieve(object));
    return idOf(found?.customer);
  }
  const snapshot = await stripe.find('events.retrieve', (api) => api.events.retrieve(id));
  return snapshot === undefined ? undefined : readEnvelope(snapshot, 0).arrival?.customer;
}
