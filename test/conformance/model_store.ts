/** The port over plain maps: too simple to be wrong, and what the drivers are compared with. */

import { entriesOf, requireKept } from '../../src/storage/entries.ts';
import { kinds } from '../../src/storage/kinds.ts';
import type { Documents, Kind } from '../../src/storage/kinds.ts';
import { Conflict, Duplicate } from '../../src/storage/store.ts';
import type {
  EventPlace,
  FindOptions,
  ListOptions,
  PendingEvent,
  PendingOptions,
  Store,
  Stored,
  WriteOptions,
} from '../../src/storage/store.ts';

interface Row {
  kind: Kind;
  id: string;
  version: number;
  document: Documents[Kind] | null;
  writeId: string | undefined;
}

export class ModelStore implements Store {
  readonly #rows = new Map<string, Row>();
  readonly #counters = new Map<string, number>();
  #outbox: PendingEvent[] = [];

  /** Without the promise: what a request is made up from. */
  version(kind: Kind, id: string): number | undefined {
    const row = this.#rows.get(`${kind} ${id}`);
    return row === undefined || row.document === null ? undefined : row.version;
  }

  #all<K extends Kind>(kind: K): Stored<Documents[K]>[] {
    return [...this.#rows.values()]
      .filter((row) => row.kind === kind && row.document !== null)
      .map(({ id, version, document }) => ({ id, version, document: document as Documents[K] }))
      .toSorted((one, two) => (one.id < two.id ? -1 : 1));
  }

  async get<K extends Kind>(kind: K, id: string): Promise<Stored<Documents[K]> | undefined> {
    return this.#all(kind).find((stored) => stored.id === id);
  }

  async find<K extends Kind>(kind: K, index: string, value: string, options: FindOptions = {}) {
    const { after, limit = 100, descending = false, prefix = false } = options;
    const found = this.#all(kind).filter(({ document }) =>
      entriesOf(kind, document).some(
        (entry) =>
          entry.name === index && (prefix ? entry.value.startsWith(value) : entry.value === value),
      ),
    );
    if (descending) found.reverse();
    const behind = (id: string) => after === undefined || (descending ? id < after : id > after);
    return found.filter(({ id }) => behind(id)).slice(0, limit);
  }

  async list<K extends Kind>(kind: K, { after = '', limit = 100 }: ListOptions = {}) {
    requireKept(kind);
    return this.#all(kind)
      .filter(({ id }) => id > after)
      .slice(0, limit);
  }

  async due<K extends Kind>(kind: K, before: number, limit: number) {
    const timeOf = (document: Documents[K]) => kinds[kind].due?.(document) ?? Infinity;
    return this.#all(kind)
      .filter(({ document }) => timeOf(document) <= before)
      .toSorted((one, two) => timeOf(one.document) - timeOf(two.document))
      .slice(0, limit);
  }

  async write<K extends Kind>(
    kind: K,
    id: string,
    document: Documents[K] | null,
    { expect, events = [], writeId }: WriteOptions,
  ): Promise<number> {
    const row = this.#rows.get(`${kind} ${id}`);
    if (row !== undefined && writeId !== undefined && row.writeId === writeId) return row.version;
    const present = this.version(kind, id);
    const holds = expect === 'any' || (expect === 'absent' ? undefined : expect) === present;
    if (!holds) throw new Conflict(kind, id);
    if (document !== null) this.#requireUnique(kind, id, document);
    const version = (row?.version ?? 0) + 1;
    this.#rows.set(`${kind} ${id}`, { kind, id, version, document, writeId });
    for (const event of events) this.#outbox.push({ ...event, kind, document: id, version });
    return version;
  }

  #requireUnique<K extends Kind>(kind: K, id: string, document: Documents[K]): void {
    for (const { name, value, exclusive } of entriesOf(kind, document)) {
      const taken = this.#all(kind).some(
        (other) =>
          other.id !== id &&
          entriesOf(kind, other.document).some(
            (entry) => entry.name === name && entry.value === value,
          ),
      );
      if (exclusive && taken) throw new Duplicate(kind, name);
    }
  }

  async pending(limit: number, { after, of }: PendingOptions = {}): Promise<PendingEvent[]> {
    const start = this.#outbox.findIndex((event) => event.id === after?.id) + 1;
    return this.#outbox
      .slice(start)
      .filter(({ kind, document }) => !of || (kind === of.kind && document === of.id))
      .slice(0, limit);
  }

  async settle(events: readonly EventPlace[]): Promise<void> {
    const settled = new Set(events.map(({ id }) => id));
    this.#outbox = this.#outbox.filter(({ id }) => !settled.has(id));
  }

  async bump(key: string, by: number): Promise<number> {
    const value = (this.#counters.get(key) ?? 0) + by;
    this.#counters.set(key, value);
    return value;
  }

  async sweep(now: number): Promise<number> {
    let gone = 0;
    for (const kind of Object.keys(kinds) as Kind[]) gone += await this.#sweepKind(kind, now);
    return gone;
  }

  async #sweepKind<K extends Kind>(kind: K, now: number): Promise<number> {
    if (kinds[kind].atDue !== 'delete') return 0;
    const expired = await this.due(kind, now, 1000);
    for (const { id, version, document } of expired) {
      const event = kinds[kind].announce?.(id, document, now);
      await this.write(kind, id, null, {
        expect: version,
        events: event === undefined ? [] : [event],
      });
    }
    return expired.length;
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {}
}
