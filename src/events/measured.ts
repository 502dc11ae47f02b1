/** What is measured of events and of deliveries. */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Measures } from '../base/measures.ts';
import { repeat } from '../base/repeat.ts';
import type { Repeated } from '../base/repeat.ts';
import type { Handler } from './handlers.ts';
import type { Meter } from './meter.ts';

export function measuredHandler(handler: Handler, measures: Measures): Handler {
  const count = (outcome: 'done' | 'failed') =>
    measures.count('tollgate_events_handled_total', { handler: handler.name, outcome });
  return {
    ...handler,
    async handle(event) {
      try {
        await handler.handle(event);
        count('done');
      } catch (error) {
        count('failed');
        throw error;
      }
    },
  };
}

/** Clients and webhooks are an operator's. Streams are made by their clients, and go by one name. */
function labelOf(receiver: string): string {
  return receiver.startsWith('stream:') ? 'stream' : receiver;
}

export function measuredDeliveries(measures: Measures): Meter {
  return {
    attempt(id, outcome, milliseconds) {
      const receiver = labelOf(id);
      measures.count('tollgate_delivery_attempts_total', { receiver, outcome });
      measures.observe('tollgate_delivery_attempt_seconds', { receiver }, milliseconds / 1000);
    },
    lag(id, milliseconds) {
      const receiver = labelOf(id);
      measures.observe('tollgate_delivery_lag_seconds', { receiver }, milliseconds / 1000);
    },
    dead: (id) => measures.count('tollgate_deliveries_dead_total', { receiver: labelOf(id) }),
    load(waiting, running) {
      measures.set('tollgate_delivery_lanes_waiting', {}, waiting);
      measures.set('tollgate_delivery_requests', {}, running);
    },
  };
}

/** How one receiver fares. */
interface Fares {
  receiver: string;
  state: string;
  /** Milliseconds since the epoch. */
  oldestWaiting?: number;
}

export interface ReceiverWatchOptions {
  status(): Promise<readonly Fares[]>;
  measures: Measures;
  clock: Clock;
  log: Log;
  everyMs?: number;
}

const states = ['ok', 'failing', 'held', 'disabled'];

/** Looks at them now and then, since a page of metrics must not be what makes the store work. */
export function watchReceivers(options: ReceiverWatchOptions): Repeated {
  const { status, measures, clock, log, everyMs = 30_000 } = options;
  let told = new Set<string>();
  return repeat(
    async () => {
      const fares = Map.groupBy(await status(), ({ receiver }) => labelOf(receiver));
      for (const [receiver, of] of fares) {
        const oldest = Math.min(...of.map(({ oldestWaiting }) => oldestWaiting ?? Infinity));
        const age = oldest === Infinity ? 0 : Math.max(0, clock() - oldest) / 1000;
        measures.set('tollgate_delivery_oldest_seconds', { receiver }, age);
        for (const state of states) {
          const is = of.filter((one) => one.state === state).length;
          measures.set('tollgate_receiver_state', { receiver, state }, is);
        }
      }
      // One that is gone has no age.
      for (const receiver of told) {
        if (fares.has(receiver)) continue;
        measures.set('tollgate_delivery_oldest_seconds', { receiver }, undefined);
        for (const state of states) {
          measures.set('tollgate_receiver_state', { receiver, state }, undefined);
        }
      }
      told = new Set(fares.keys());
    },
    { name: 'looking at how receivers fare', everyMs, log },
  );
}
