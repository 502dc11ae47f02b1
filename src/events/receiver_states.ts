/**
 * Who the receivers are, and how they fare. The latter is in the store, so that all processes share it; it is asked
 * for with every delivery, and so kept for a second.
 */

import type { Clock } from '../base/clock.ts';
import type { ReceiverDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';
import type { Receiver, ReceiverSource } from './receivers.ts';

const pageSize = 1000;
const mostPages = 100;
const mostRetries = 10;

/** All receivers of all sources, by id. Of two with one id the first counts. */
export class Receivers {
  readonly #sources: readonly ReceiverSource[];
  #lists: readonly (readonly Receiver[])[] = [];
  #byId: ReadonlyMap<string, Receiver> = new Map();

  constructor(sources: readonly ReceiverSource[]) {
    this.#sources = sources;
  }

  async all(): Promise<ReadonlyMap<string, Receiver>> {
    const lists = await Promise.all(this.#sources.map(async (source) => source.all()));
    const same = lists.every((list, index) => list === this.#lists[index]);
    if (!same) {
      this.#lists = lists;
      const entries = lists.flat().map((receiver) => [receiver.id, receiver] as const);
      this.#byId = new Map(entries.toReversed());
    }
    return this.#byId;
  }
}

/** Every document of the kind. */
export async function readReceivers(
  store: Pick<Store, 'find'>,
): Promise<Stored<ReceiverDocument>[]> {
  const found: Stored<ReceiverDocument>[] = [];
  for (let page = 0; page < mostPages; page += 1) {
    const after = found.at(-1)?.id;
    const options = { limit: pageSize, ...(after === undefined ? {} : { after }) };
    const next = await store.find('receiver', 'all', 'all', options);
    found.push(...next);
    if (next.length < pageSize) break;
  }
  return found;
}

/**
 * One change of a receiver's document, decided anew where another one came in between.
 * @param decide gives back `undefined` where nothing is to be changed
 * @returns what was written
 */
export async function changeReceiver(
  store: Pick<Store, 'get' | 'write'>,
  id: string,
  decide: (present: ReceiverDocument | undefined) => ReceiverDocument | null | undefined,
): Promise<ReceiverDocument | null | undefined> {
  for (let attempt = 0; attempt < mostRetries; attempt += 1) {
    const present = await store.get('receiver', id);
    const next = decide(present?.document);
    if (next === undefined) return undefined;
    try {
      await store.write('receiver', id, next, { expect: present?.version ?? 'absent' });
      return next;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
  throw new Error(`the receiver ${id} changes all the time`);
}

export interface ReceiverStatesOptions {
  store: Store;
  clock: Clock;
  /** How long what was read is believed. */
  cacheMs: number;
}

type States = ReadonlyMap<string, ReceiverDocument>;

export class ReceiverStates {
  readonly #options: ReceiverStatesOptions;
  #known: Map<string, ReceiverDocument> = new Map();
  #readAt = -Infinity;
  #reading: Promise<States> | undefined;
  #changes = 0;

  constructor(options: ReceiverStatesOptions) {
    this.#options = options;
  }

  all(): Promise<States> {
    // Not by the clock: that one may be set.
    const isFresh = performance.now() - this.#readAt < this.#options.cacheMs;
    if (isFresh) return Promise.resolve(this.#known);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async of(id: string): Promise<ReceiverDocument | undefined> {
    return (await this.all()).get(id);
  }

  /** From the store: where what was true a second ago would do harm. */
  async fresh(id: string): Promise<ReceiverDocument | undefined> {
    const present = (await this.#options.store.get('receiver', id))?.document;
    if (present !== undefined) this.#known.set(id, present);
    return present;
  }

  /** @returns the new state, `undefined` when nothing was changed */
  async change(
    id: string,
    decide: (present: ReceiverDocument) => ReceiverDocument | undefined,
  ): Promise<ReceiverDocument | undefined> {
    const { store, clock } = this.#options;
    const next = await changeReceiver(store, id, (present) =>
      decide(present ?? { createdAt: clock() }),
    );
    this.#changes += 1;
    if (next !== undefined && next !== null) this.#known.set(id, next);
    return next ?? undefined;
  }

  /** The next question is answered by the store. */
  forget(): void {
    this.#readAt = -Infinity;
  }

  async #read(): Promise<States> {
    const startedAt = performance.now();
    const changes = this.#changes;
    const found = await readReceivers(this.#options.store);
    // What was changed here meanwhile may be missing from what was read.
    if (changes === this.#changes || this.#readAt === -Infinity) {
      this.#known = new Map(found.map(({ id, document }) => [id, document]));
      this.#readAt = changes === this.#changes ? startedAt : -Infinity;
    }
    return this.#known;
  }
}
