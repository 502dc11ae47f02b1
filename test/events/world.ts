/** A store, a clock that a test moves, a log that it reads. */

import { onTestFinished } from 'vitest';
import type { Log, LogFields } from '../../src/base/log.ts';
import type { NewEvent, Store } from '../../src/storage/store.ts';
import { openEmpty } from '../kit/places.ts';

export interface World {
  store: Store;
  /** Milliseconds since the epoch, as the clock says; set it to let time pass. */
  now: number;
  clock: () => number;
  log: Log;
  lines: { level: string; message: string; fields: LogFields }[];
}

export async function openWorld(): Promise<World> {
  const lines: World['lines'] = [];
  const line =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  const log = {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
  };
  const start = Date.UTC(2026, 0, 1);
  let world: World | undefined;
  // Opening a store may ask what time it is.
  const clock = () => world?.now ?? start;
  const store = await openEmpty(clock, log);
  // What the driver says of its server is no business of the test.
  lines.splice(0);
  world = { store, now: start, clock, log, lines };
  onTestFinished(() => store.close());
  return world;
}

let count = 0;

/** An event with the next id; ids need only be different. */
export function anEvent(world: World, type: string, data: Record<string, unknown> = {}): NewEvent {
  count += 1;
  return { id: `evt_${count}`, type, at: world.now, data };
}

/** Writes the next version of a document that is there only to have events. */
export async function happen(
  world: { store: Store },
  document: string,
  ...events: NewEvent[]
): Promise<number> {
  return world.store.write('meta', document, { value: 0 }, { expect: 'any', events });
}
