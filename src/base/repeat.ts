/**
 * Something that a process looks at again and again: never twice at once, with jitter, so that processes
 * started together do not ask together, and with a stop that waits for the round under way.
 */

import { clearTimeout, setTimeout } from 'node:timers';
import type { Log } from './log.ts';

export interface RepeatOptions {
  /** What is done, as the log names it. */
  name: string;
  everyMs: number;
  /** Before the first round; as between all others when not given. */
  firstMs?: number;
  log: Log;
  random?: () => number;
}

export interface Repeated {
  start(): void;
  stop(): Promise<void>;
}

/** A round that fails is told of once, until one succeeds; the next comes all the same. */
export function repeat(round: () => Promise<void>, options: RepeatOptions): Repeated {
  const { name, everyMs, firstMs = everyMs, log, random = Math.random } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let state: 'new' | 'started' | 'stopped' = 'new';
  let failing = false;

  async function attempt(): Promise<void> {
    try {
      await round();
      if (failing) log.info(`${name} succeeds again`);
      failing = false;
    } catch (error) {
      if (!failing) log.error(`${name} failed`, { error });
      failing = true;
    }
  }

  function schedule(afterMs: number): void {
    if (state !== 'started') return;
    timer = setTimeout(
      () => {
        running = attempt().then(() => schedule(everyMs));
      },
      afterMs * (0.75 + random() / 2),
    );
    timer.unref();
  }

  return {
    start() {
      if (state !== 'new') return;
      state = 'started';
      schedule(firstMs);
    },
    async stop() {
      state = 'stopped';
      clearTimeout(timer);
      await running;
    },
  };
}
