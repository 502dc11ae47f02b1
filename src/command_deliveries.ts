/** Deliveries as a command sees them: asked about, and put on their way, but sent by the running processes. */

import { Problem } from './base/errors.ts';
import { json, moment, quote, table } from './command_store.ts';
import type { CommandDeps } from './command_store.ts';
import type { ReceiverStatus } from './events/delivery_status.ts';
import { createDeliveries } from './events/engine.ts';
import type { Deliveries } from './events/engine.ts';
import { announcing } from './events/outbox.ts';
import type { ReceiverSource } from './events/receivers.ts';
import { streamReceivers } from './events/stream_receivers.ts';
import { deliverable, receiverSources, streamRights } from './receiver_sources.ts';
import type { PendingEvent, Store } from './storage/store.ts';

const elsewhere = () => Promise.reject(new Error('a running process does this'));

export function sourcesOf(deps: CommandDeps): readonly ReceiverSource[] {
  const config = () => deps.config;
  const shared = { ...deps, issuer: deps.config.issuer, sign: elsewhere };
  return [
    ...receiverSources({ ...shared, config }),
    streamReceivers({ ...shared, ...streamRights(config) }),
  ];
}

export function deliveriesOf(deps: CommandDeps): Deliveries {
  return createDeliveries({
    ...deps,
    owner: 'command',
    sources: sourcesOf(deps),
    types: deliverable,
    fetch: elsewhere,
  });
}

const mostTold = 1000;

/** A store that knows which documents have had events, and puts them on their way when the work is done. */
export function telling(deps: CommandDeps): { store: Store; tell(): Promise<void> } {
  const changed = new Map<string, Pick<PendingEvent, 'kind' | 'document'>>();
  const store = announcing(deps.store, (events = []) => {
    for (const { kind, document } of events) {
      // What is beyond waits in the outbox, as all of it would.
      if (changed.size < mostTold) changed.set(`${kind}/${document}`, { kind, document });
    }
  });
  return {
    store,
    async tell() {
      const { handler } = deliveriesOf(deps);
      for (const { kind, document: id } of changed.values()) {
        // Also what others wrote before: of one document in the order of its versions.
        for (const event of await deps.store.pending(100, { of: { kind, id } })) {
          if (deliverable.includes(event.type)) await handler.handle(event);
        }
      }
    },
  };
}

/** How receivers fare, all of them or one. @throws {Problem} `receiver_unknown` (404) */
export async function printStatus(
  deps: CommandDeps,
  forPrograms: boolean,
  id: string | undefined,
): Promise<string> {
  const found = await deliveriesOf(deps).status(id);
  if (id !== undefined && found.length === 0) throw unknownReceiver(id);
  if (forPrograms) return json(found.map(described));
  if (found.length === 0) return 'Nobody is told of events.\n';
  const head = ['RECEIVER', 'STATE', 'WAITING', 'OLDEST', 'DEAD', 'LAST DELIVERED', ''];
  const cells = found.map((one) => [
    one.receiver,
    one.state,
    one.waiting,
    moment(one.oldestWaiting),
    one.dead,
    moment(one.deliveredAt),
    one.disabled?.reason ?? one.failing?.problem ?? '',
  ]);
  return table([head, ...cells]);
}

function described(status: ReceiverStatus): Record<string, unknown> {
  const { receiver, state, waiting, dead, oldestWaiting, deliveredAt, disabled, failing } = status;
  return {
    receiver,
    state,
    waiting,
    dead,
    ...(oldestWaiting === undefined ? {} : { oldest_waiting: moment(oldestWaiting) }),
    ...(deliveredAt === undefined ? {} : { delivered_at: moment(deliveredAt) }),
    ...(disabled === undefined
      ? {}
      : { disabled: { at: moment(disabled.at), reason: disabled.reason } }),
    ...(failing === undefined
      ? {}
      : {
          failing: {
            since: moment(failing.since),
            next_attempt: moment(failing.openUntil),
            problem: failing.problem,
          },
        }),
  };
}

export function unknownReceiver(id: string): Problem {
  return new Problem('receiver_unknown', 404, `There is no receiver ${quote(id)}.`);
}
