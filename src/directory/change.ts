/** Read, decide, write: again when somebody else was faster, so that every decision is of the present. */

import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '../base/errors.ts';
import type { Documents, Kind } from '../storage/kinds.ts';
import { Conflict } from '../storage/store.ts';
import type { NewEvent, Store, Stored } from '../storage/store.ts';

/** What becomes of a document, or `undefined`: it is as it should be. */
export type Decision<D> = { document: D; events?: readonly NewEvent[] } | undefined;

export interface Changed<D> extends Stored<D> {
  written: boolean;
}

/** Of twenty at the same moment one succeeds each time. */
const mostAttempts = 40;
const longestDelayMs = 20;

/**
 * @param decide runs again for each attempt; a Problem that it throws ends the change
 * @returns the document as it is now, `undefined` when there is none
 */
export async function change<K extends Kind>(
  store: Store,
  kind: K,
  id: string,
  decide: (present: Documents[K]) => Decision<Documents[K]>,
): Promise<Changed<Documents[K]> | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const present = await store.get(kind, id);
    if (present === undefined) return undefined;
    const decision = decide(present.document);
    if (decision === undefined) return { ...present, written: false };
    const { document, events = [] } = decision;
    try {
      const options = { expect: present.version, events };
      const version = await store.write(kind, id, document, options);
      return { id, version, document, written: true };
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      if (attempt >= mostAttempts) throw busy(error);
    }
    await delay(Math.random() * Math.min(longestDelayMs, attempt * 2));
  }
}

/** Others were faster each time, as often as it was tried. */
export function busy(cause?: unknown): Problem {
  return new Problem('busy', 503, 'Too much is happening at once. Please try again.', {
    cause,
    retryAfterSeconds: 1,
  });
}
