/**
 * What follows from the status of a stream: what is held for it goes, or is dropped (SSF 1.0 §8.1.2). Done before
 * the owner's request is answered, and again by the handler of its event, should the process die in between.
 */

import type { Store } from '../storage/store.ts';
import type { Handler } from './handlers.ts';
import { changeReceiver } from './receiver_states.ts';
import { dropWaiting, receiverOf } from './stream_deliveries.ts';
import type { EndingOptions } from './stream_deliveries.ts';

export interface SettlingOptions extends EndingOptions {
  store: Store;
  /** What was held for a receiver goes now. */
  release(receiver: string): Promise<void>;
}

/** By the status of now, whatever the event said that it was. */
export async function settleStream(options: SettlingOptions, id: string): Promise<void> {
  const { store, release } = options;
  const receiver = receiverOf(id);
  const document = (await store.get('stream', id))?.document;
  if (document === undefined || document.status === 'disabled') {
    await dropWaiting(options, id, document === undefined ? 'stream_removed' : 'stream_disabled');
    // How it fared is of no interest: when it is enabled again, it begins anew.
    await changeReceiver(store, receiver, (present) => (present === undefined ? undefined : null));
  } else if (document.status === 'enabled' && document.method === 'push') {
    // Its owner says that it is there again.
    await changeReceiver(store, receiver, (present) =>
      present?.disabled === undefined ? undefined : null,
    );
    await release(receiver);
  }
}

export function settlingHandler(options: SettlingOptions): Handler {
  return {
    name: 'streams',
    types: ['stream.changed', 'stream.removed', 'stream.updated'],
    async handle({ data: { stream } }) {
      if (typeof stream === 'string') await settleStream(options, stream);
    },
  };
}
