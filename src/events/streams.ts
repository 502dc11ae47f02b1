/**
 * Streams of security events (OpenID Shared Signals Framework 1.0 §8): made and changed by the client that owns
 * them, and to nobody else there at all. Each change is one conditional write with its event; what follows from a
 * status (what is held goes, or is dropped) is done at once, and again by the event's handler.
 */

import type { Clock } from '../base/clock.ts';
import { timeOrderedId } from '../base/ids.ts';
import type { Secrets } from '../base/secrets.ts';
import type { StreamDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { NewEvent, Store } from '../storage/store.ts';
import { busy, notFound, subjectsTooMany, tooMany, tooSoon } from './stream_problems.ts';
import { authorizationLabel } from './stream_receivers.ts';
import type { Stream, StreamReceivers } from './stream_receivers.ts';
import { bounds, checkLength, checkWish } from './stream_settings.ts';
import type { StreamWish } from './stream_settings.ts';
import { keysOfSubject } from './stream_subjects.ts';
import { newEvent } from './types.ts';
import type { EventData, StreamStatus } from './types.ts';

export interface StreamsOptions {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  receivers: StreamReceivers;
  /** Networks that requests may go to beside the internet. */
  allowPrivate: readonly string[];
  /** Does what follows from the status that a stream has now (`stream_settling.ts`). */
  settle(stream: string): Promise<void>;
}

/** All are refused with `stream_not_found` (404) where the stream is not the client's own. */
export interface Streams {
  /** @throws {Problem} `field_invalid` 400, `streams_too_many` 409 */
  create(client: string, wish: StreamWish): Promise<Stream>;
  list(client: string): Promise<Stream[]>;
  read(client: string, id: string): Promise<Stream>;
  /** What the wish does not name stays as it is. */
  update(client: string, id: string, wish: StreamWish): Promise<Stream>;
  /** What the wish does not name is as if it had never been set. */
  replace(client: string, id: string, wish: StreamWish): Promise<Stream>;
  remove(client: string, id: string): Promise<void>;
  setStatus(client: string, id: string, status: StreamStatus, reason?: string): Promise<Stream>;
  /** @throws {Problem} `rate_limited` 429 within `minVerificationSeconds` of the last time */
  verify(client: string, id: string, state?: string): Promise<void>;
  addSubject(client: string, id: string, subject: unknown): Promise<void>;
  /** @throws {Problem} `subjects_too_many` 409 */
  removeSubject(client: string, id: string, subject: unknown): Promise<void>;
}

export const minVerificationSeconds = 10;
const mostStreams = 10;
const mostRemoved = 1000;
const mostAttempts = 10;

export function createStreams(options: StreamsOptions): Streams {
  return new StoredStreams(options);
}

class StoredStreams implements Streams {
  readonly #options: StreamsOptions;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  async create(client: string, wish: StreamWish): Promise<Stream> {
    const { store, clock, allowPrivate } = this.#options;
    checkWish(wish, allowPrivate);
    if ((await this.list(client)).length >= mostStreams) throw tooMany(mostStreams);
    const now = clock();
    const id = timeOrderedId('str', now);
    const fresh = { client, audience: client, status: 'enabled', createdAt: now } as const;
    const document = this.#wished(id, { ...fresh, method: 'poll' }, wish);
    const events = [newEvent(clock, 'stream.created', { stream: id, client })];
    const version = await store.write('stream', id, document, { expect: 'absent', events });
    this.#options.receivers.forget();
    // Those who create at once see each other only now: rather none of them than one too many.
    if ((await this.list(client)).length > mostStreams) {
      await this.remove(client, id);
      throw tooMany(mostStreams);
    }
    return { id, version, document };
  }

  list(client: string): Promise<Stream[]> {
    return this.#options.store.find('stream', 'client', client, { limit: 2 * mostStreams });
  }

  async read(client: string, id: string): Promise<Stream> {
    const stream = id === '' ? undefined : await this.#options.store.get('stream', id);
    // Of others' streams not even that they are there.
    if (stream?.document.client !== client) throw notFound();
    return stream;
  }

  update(client: string, id: string, wish: StreamWish): Promise<Stream> {
    checkWish(wish, this.#options.allowPrivate);
    return this.#configure(client, id, wish);
  }

  replace(client: string, id: string, given: StreamWish): Promise<Stream> {
    checkWish(given, this.#options.allowPrivate);
    const { delivery = null, requested = null, description = null } = given;
    const whole =
      delivery?.method === 'push'
        ? { ...delivery, authorization: delivery.authorization ?? null }
        : delivery;
    return this.#configure(client, id, { delivery: whole, requested, description });
  }

  async remove(client: string, id: string): Promise<void> {
    const { clock } = this.#options;
    const event = newEvent(clock, 'stream.removed', { stream: id, client });
    await this.#change(client, id, () => ({ document: null, events: [event] }));
    await this.#options.settle(id);
  }

  async setStatus(
    client: string,
    id: string,
    status: StreamStatus,
    reason?: string,
  ): Promise<Stream> {
    checkLength('reason', reason ?? '', bounds.reason);
    const event = this.#changed(client, id, status);
    const stream = await this.#change(client, id, ({ statusReason: _before, ...document }) => ({
      document: { ...document, status, ...(reason === undefined ? {} : { statusReason: reason }) },
      events: document.status === status ? [] : [event],
    }));
    await this.#options.settle(id);
    return stream;
  }

  async verify(client: string, id: string, state?: string): Promise<void> {
    const { clock } = this.#options;
    checkLength('state', state ?? '', bounds.state);
    const now = clock();
    const data = { stream: id, ...(state === undefined ? {} : { state }) };
    const event = newEvent(clock, 'stream.verification', data);
    await this.#change(client, id, (document) => {
      const leftMs = (document.verifiedAt ?? -Infinity) + minVerificationSeconds * 1000 - now;
      // A clock that was set back must not keep it shut for longer.
      if (leftMs > 0 && leftMs <= minVerificationSeconds * 1000) throw tooSoon(leftMs);
      return { document: { ...document, verifiedAt: now }, events: [event] };
    });
  }

  async addSubject(client: string, id: string, subject: unknown): Promise<void> {
    const keys = new Set(keysOfSubject(subject));
    await this.#change(client, id, ({ removed = [], ...document }) => {
      const left = removed.filter((key) => !keys.has(key));
      if (left.length === removed.length) return undefined;
      return { document: { ...document, ...(left.length === 0 ? {} : { removed: left }) } };
    });
  }

  async removeSubject(client: string, id: string, subject: unknown): Promise<void> {
    const keys = keysOfSubject(subject);
    await this.#change(client, id, (document) => {
      const before = document.removed ?? [];
      const removed = [...new Set([...before, ...keys])];
      if (removed.length === before.length) return undefined;
      if (removed.length > mostRemoved) throw subjectsTooMany(mostRemoved);
      return { document: { ...document, removed } };
    });
  }

  async #configure(client: string, id: string, wish: StreamWish): Promise<Stream> {
    const stream = await this.#change(client, id, (document) => ({
      document: this.#wished(id, document, wish),
      events: [this.#changed(client, id, document.status)],
    }));
    await this.#options.settle(id);
    return stream;
  }

  #changed(client: string, stream: string, status: StreamStatus): NewEvent {
    const data: EventData['stream.changed'] = { stream, client, status };
    return newEvent(this.#options.clock, 'stream.changed', data);
  }

  #wished(id: string, before: StreamDocument, wish: StreamWish): StreamDocument {
    const { requested, description, ...document } = before;
    const wanted = wish.requested === undefined ? requested : (wish.requested ?? undefined);
    const words = wish.description === undefined ? description : (wish.description ?? undefined);
    return {
      ...this.#delivered(id, document, wish.delivery),
      ...(wanted === undefined ? {} : { requested: [...new Set(wanted)] }),
      ...(words === undefined ? {} : { description: words }),
    };
  }

  #delivered(id: string, before: StreamDocument, wish: StreamWish['delivery']): StreamDocument {
    if (wish === undefined) return before;
    const { url, authorization, ...document } = before;
    if (wish?.method !== 'push') return { ...document, method: 'poll' };
    const header = wish.authorization;
    // Nobody is shown it, so who repeats what he has read does not take it away. Another address never gets it.
    const kept = header === undefined && wish.url === url ? authorization : undefined;
    const sealed =
      typeof header === 'string'
        ? this.#options.secrets.seal(authorizationLabel, header, id)
        : kept;
    return {
      ...document,
      method: 'push',
      url: wish.url,
      ...(sealed === undefined ? {} : { authorization: sealed }),
    };
  }

  /** Decided anew where another change came in between. */
  async #change(
    client: string,
    id: string,
    decide: (
      document: StreamDocument,
    ) => { document: StreamDocument | null; events?: NewEvent[] } | undefined,
  ): Promise<Stream> {
    const { store, receivers } = this.#options;
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const present = await this.read(client, id);
      const decided = decide(present.document);
      if (decided === undefined) return present;
      const { document, events = [] } = decided;
      try {
        const version = await store.write('stream', id, document, {
          expect: present.version,
          events,
        });
        return { id, version, document: document ?? present.document };
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      } finally {
        receivers.forget();
      }
    }
    throw busy();
  }
}
