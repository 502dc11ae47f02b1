/** What receivers are told of an event, written once and kept for as long as it may be asked for. */

import type { Clock } from '../base/clock.ts';
import type { NoticeDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { PendingEvent, Store } from '../storage/store.ts';
import { day } from './schedule.ts';

const keepMs = 7 * day;
/** As long as deliveries that were given up. */
const keepGivenUpMs = 30 * day;
/** Many deliveries are of the same notice, and a notice does not change. */
const mostCached = 200;

export class Notices {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #cache = new Map<string, NoticeDocument>();

  constructor({ store, clock }: { store: Store; clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Also when it is there already, from an earlier attempt or by another process. */
  async write(event: PendingEvent): Promise<NoticeDocument> {
    const { type, at, data, kind, document, version } = event;
    const cause = { kind, id: document, version };
    const notice = { type, at, data, cause, expiresAt: this.#clock() + keepMs };
    try {
      await this.#store.write('notice', event.id, notice, { expect: 'absent' });
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
    return notice;
  }

  async read(id: string): Promise<NoticeDocument | undefined> {
    const known = this.#cache.get(id);
    if (known !== undefined) return known;
    const found = (await this.#store.get('notice', id))?.document;
    if (found === undefined) return undefined;
    this.#cache.set(id, found);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= mostCached) break;
      this.#cache.delete(oldest);
    }
    return found;
  }

  /** For as long as a delivery of it that was given up may be sent again. */
  async keep(id: string): Promise<void> {
    const stored = await this.#store.get('notice', id);
    const expiresAt = this.#clock() + keepGivenUpMs;
    if (stored === undefined || stored.document.expiresAt > expiresAt - day) return;
    const notice = { ...stored.document, expiresAt };
    try {
      await this.#store.write('notice', id, notice, { expect: stored.version });
    } catch (error) {
      // Somebody else keeps it.
      if (!(error instanceof Conflict)) throw error;
    }
  }
}
