/** Streams as receivers: whoever fans out events and sends them treats them like all others. */

import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { StreamDocument } from '../storage/documents.ts';
import type { Store, Stored } from '../storage/store.ts';
import { streamReceiver } from './encodings/set.ts';
import { supportedSetTypes } from './encodings/set_types.ts';
import type { Receiver, ReceiverSource, Sign } from './receivers.ts';
import { isRemoved } from './stream_subjects.ts';

export type Stream = Stored<StreamDocument>;

export interface StreamReceiversOptions {
  store: Pick<Store, 'find'>;
  secrets: Secrets;
  log: Log;
  issuer: string;
  sign: Sign;
  /** Whether the configuration lets this client have streams, now. */
  mayHaveStreams(client: string): boolean;
  /** The product that the client is for: it is told of no other subscription's claims. All when there is none. */
  productOf?(client: string): string | undefined;
}

export interface StreamReceivers extends ReceiverSource {
  of(stream: Stream): Receiver;
  /** Something was written: the next question is answered by the store. */
  forget(): void;
}

/** How long other processes may go on by what was before. */
const cacheMs = 1000;
const pageSize = 1000;
const mostPages = 10;
export const authorizationLabel = 'stream_authorization';

/** What is delivered: what was asked for, as far as it is there (SSF 1.0 §8.1.1, `events_delivered`). */
export function deliveredTypes(requested: readonly string[] | undefined): string[] {
  return supportedSetTypes.filter((type) => requested?.includes(type) ?? true);
}

export function streamReceivers(options: StreamReceiversOptions): StreamReceivers {
  const { store, secrets, log, issuer, sign, mayHaveStreams, productOf } = options;
  let known: readonly Receiver[] = [];
  let readAt = -Infinity;
  let generation = 0;

  function of({ id, document }: Stream): Receiver {
    const { audience, method, requested, status } = document;
    const removed = new Set(document.removed);
    const header = document.authorization;
    const authorization =
      header === undefined ? undefined : opened(() => secrets.open(authorizationLabel, header, id));
    const isUnreadable = header !== undefined && authorization === undefined;
    return streamReceiver({
      stream: id,
      issuer,
      audience,
      product: productOf?.(document.client),
      sign,
      url: method === 'push' ? document.url : undefined,
      authorization,
      // Without its header the receiver would refuse all of it, for good: it is held instead.
      paused: status === 'paused' || isUnreadable,
      types: new Set(deliveredTypes(requested)),
      wantsSubject: (subject) => !isRemoved(removed, subject),
    });
  }

  function opened(open: () => string): string | undefined {
    try {
      return open();
    } catch (error) {
      log.error("a stream's authorization header cannot be read: its events are held", { error });
      return undefined;
    }
  }

  return {
    of,

    async all() {
      if (performance.now() - readAt < cacheMs) return known;
      const asked = performance.now();
      const before = generation;
      const streams = await everyStream(store);
      const receivers = streams
        .filter(
          ({ document: { client, status } }) => status !== 'disabled' && mayHaveStreams(client),
        )
        .map(of);
      if (before !== generation) return receivers;
      known = receivers;
      readAt = asked;
      return known;
    },

    forget() {
      generation += 1;
      readAt = -Infinity;
    },
  };
}

export async function everyStream(store: Pick<Store, 'find'>): Promise<Stream[]> {
  const found: Stream[] = [];
  for (let page = 0; page < mostPages; page += 1) {
    const after = found.at(-1)?.id;
    const options = { limit: pageSize, ...(after === undefined ? {} : { after }) };
    const next = await store.find('stream', 'all', 'all', options);
    found.push(...next);
    if (next.length < pageSize) break;
  }
  return found;
}
