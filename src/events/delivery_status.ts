/** How receivers fare: for operators. Counts are bounded, so that asking is cheap however much waits. */

import type { Clock } from '../base/clock.ts';
import type { DeliveryDocument, ReceiverDocument } from '../storage/documents.ts';
import type { Store, Stored } from '../storage/store.ts';
import type { Receivers } from './receiver_states.ts';
import { gateOf } from './breaker.ts';
import { readReceivers } from './receiver_states.ts';

export interface ReceiverStatus {
  receiver: string;
  /** `failing`: left alone for a while. `held`: paused, or fetches by itself. `unknown`: nothing names it any more. */
  state: 'ok' | 'failing' | 'held' | 'disabled' | 'unknown';
  /** A number, or `1000+`. */
  waiting: string;
  dead: string;
  /** Milliseconds since the epoch: about, where more than 1000 wait. */
  oldestWaiting?: number;
  deliveredAt?: number;
  disabled?: ReceiverDocument['disabled'];
  failing?: ReceiverDocument['failing'];
}

export interface StatusParts {
  store: Store;
  clock: Clock;
  receivers: Receivers;
}

const most = 1000;

export async function statusOf(
  { store, receivers }: StatusParts,
  only?: string,
): Promise<ReceiverStatus[]> {
  const all = await receivers.all();
  const states = new Map((await readReceivers(store)).map(({ id, document }) => [id, document]));
  const ids = [...new Set([...all.keys(), ...states.keys()])]
    .filter((id) => only === undefined || id === only)
    .toSorted();
  const told: ReceiverStatus[] = [];
  for (const id of ids) {
    const state = states.get(id);
    const gate = gateOf(all.get(id), state);
    const of = (word: string) =>
      store.find('delivery', 'receiver', `${id} ${word}`, { limit: most });
    const [waiting, dead] = await Promise.all([of('waiting'), of('dead')]);
    const oldest = oldestOf(waiting);
    told.push({
      receiver: id,
      state: gate === 'go' ? 'ok' : gate === 'open' ? 'failing' : gate,
      waiting: count(waiting),
      dead: count(dead),
      ...(oldest === undefined ? {} : { oldestWaiting: oldest }),
      ...(state?.deliveredAt === undefined ? {} : { deliveredAt: state.deliveredAt }),
      ...(state?.disabled === undefined ? {} : { disabled: state.disabled }),
      ...(state?.failing === undefined ? {} : { failing: state.failing }),
    });
  }
  return told;
}

function count(found: readonly unknown[]): string {
  return found.length >= most ? `${most}+` : String(found.length);
}

function oldestOf(found: readonly Stored<DeliveryDocument>[]): number | undefined {
  let oldest: number | undefined;
  for (const { document } of found) oldest = Math.min(oldest ?? Infinity, document.createdAt);
  return oldest;
}
