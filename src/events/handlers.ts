/** What is done when an event happened: by whom, and what becomes of one that fails or never ends. */

import { setTimeout, clearTimeout } from 'node:timers';
import type { PendingEvent } from '../storage/store.ts';

/**
 * Does what follows from an event. It is called at least once for each, sometimes twice at the same
 * time by two processes: it must be idempotent by the event's id. When it throws, it is called again.
 */
export interface Handler {
  /** For the log. Unique. */
  name: string;
  types: readonly string[] | 'all';
  handle(event: PendingEvent): Promise<void>;
}

export function wants({ types }: Handler, { type }: Pick<PendingEvent, 'type'>): boolean {
  return types === 'all' || types.includes(type);
}

export interface HandlerFailure {
  handler: string;
  error: unknown;
}

/**
 * Runs those that want the event and have not done it yet; a failing one keeps none of the others
 * from it.
 * @param done the names of those that have succeeded with this event; added to
 */
export async function runHandlers(
  event: PendingEvent,
  handlers: readonly Handler[],
  done: Set<string>,
  timeoutMs: number,
): Promise<HandlerFailure[]> {
  const failures: HandlerFailure[] = [];
  const wanted = handlers.filter((handler) => !done.has(handler.name) && wants(handler, event));
  await Promise.all(
    wanted.map(async (handler) => {
      try {
        await within(timeoutMs, async () => handler.handle(event));
        done.add(handler.name);
      } catch (error) {
        failures.push({ handler: handler.name, error });
      }
    }),
  );
  return failures;
}

/** What hangs must not hold its place for ever. It may still end later: handlers are idempotent. */
async function within(timeoutMs: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
