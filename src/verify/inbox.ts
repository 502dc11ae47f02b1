/**
 * Lets an event have its effect, once: first the denylist, then the caller's `onEvent`, then it is
 * remembered. What stops in between comes again, and a rule that is there already is no other one.
 */

import type { Denylist } from './denylist.ts';
import { VerifyError } from './errors.ts';
import { refuse } from './events.ts';
import type { ReceivedEvent, Understood } from './events.ts';
import { requestsAreApart } from './runtime.ts';
import type { Seen } from './seen.ts';
import { readSet } from './set.ts';
import type { Settings } from './settings.ts';
import type { Silence } from './silence.ts';

export interface InboxParts {
  settings: Settings;
  denylist: Denylist;
  seen: Seen;
  silence: Silence;
  onEvent: ((event: ReceivedEvent) => unknown) | undefined;
}

export class Inbox {
  readonly #parts: InboxParts;
  /** Copies that came while the first is being handled have its outcome. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** @throws {VerifyError} `deny_unavailable`, `event_failed`: it is to be sent again */
  accept(understood: Understood): Promise<void> {
    if (requestsAreApart) return this.#accept(understood);
    const { encoding, issuer, id } = understood.event;
    const name = JSON.stringify([encoding, issuer, id]);
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const work = this.#accept(understood).finally(() => this.#running.delete(name));
    this.#running.set(name, work);
    return work;
  }

  /**
   * A SET, whichever way it came.
   * @param jti under which it was listed
   * @throws {VerifyError} `event_invalid`, and what `accept` throws
   */
  async acceptSet(token: string, jti?: string): Promise<void> {
    const understood = await readSet(this.#parts.settings, token);
    if (jti !== undefined && understood.event.id !== jti) refuse('It is listed under another jti.');
    await this.accept(understood);
  }

  async #accept({ event, rule, seenSeconds, alive }: Understood): Promise<void> {
    const { denylist, seen, silence, onEvent, settings } = this.#parts;
    const id = [event.encoding, event.issuer, event.id];
    if (alive) silence.heard();
    if (await seen.has(id)) return;
    if (rule !== undefined) await denylist.apply(rule);
    try {
      await onEvent?.(event);
    } catch (cause) {
      settings.warn('event_refused', `onEvent threw at ${event.type}.`, cause);
      throw new VerifyError('event_failed', { cause });
    }
    await seen.add(id, seenSeconds);
  }
}
