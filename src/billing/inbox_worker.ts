/**
 * Works through the inbox, in every process: at once for what this one stored, and each second for what others left.
 * What comes for one customer while that one is read waits for the next reading, and is done by it together.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { noMeasures } from '../base/measures.ts';
import type { Measures } from '../base/measures.ts';
import { repeat } from '../base/repeat.ts';
import { eachOf } from '../events/each_of.ts';
import { workKey } from './event_work.ts';
import type { DoEvent } from './event_work.ts';
import { retryDelay } from './inbox.ts';
import type { Inbox, InboxEvent } from './inbox.ts';
import type { Worker } from './types.ts';

export interface InboxWorkerOptions {
  inbox: Inbox;
  work: DoEvent;
  clock: Clock;
  log: Log;
  random: () => number;
  measures?: Measures;
  everyMs?: number;
}

export interface InboxWorker extends Worker {
  /** Looks now, and resolves when all that was due is done or put off. */
  drain(): Promise<void>;
}

/** Stripe lets a test mode do 25 things a second; each customer takes two or three. */
const mostAtOnce = 8;
const pageSize = 500;
const writesAtOnce = 32;
const longestPauseMs = 60_000;
/** What comes in hundreds for a customer who is being read steps back for so long. */
const heldMs = 5000;
const measuredEveryMs = 15_000;
/** What Stripe has not answered by then is taken up by another process when the claim ends. */
const longestStopMs = 5000;

export function createInboxWorker(options: InboxWorkerOptions): InboxWorker {
  const { inbox, clock, log, random, measures = noMeasures, everyMs = 1000 } = options;
  const running = new Map<string, Promise<void>>();
  let looking: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  const pause = createPause(clock, random);

  const isOpen = () => !stopped && pause.isOver();

  /** Rejects when the store cannot be read. */
  function look(): Promise<void> {
    again = true;
    looking ??= lookAll().finally(() => {
      looking = undefined;
      // Somebody may have come just before.
      if (again && isOpen()) wake();
    });
    return looking;
  }

  /** Whoever polls tells of what fails, once. */
  function wake(): void {
    look().catch(() => undefined);
  }

  async function lookAll(): Promise<void> {
    while (again && isOpen()) {
      again = false;
      await begin(await inbox.due(pageSize));
    }
  }

  async function begin(page: readonly InboxEvent[]): Promise<void> {
    const over = page.filter(({ document }) => document.state !== 'waiting');
    await eachOf(over, writesAtOnce, (event) => inbox.forget(event));
    const waiting = page.filter(({ document }) => document.state === 'waiting');
    const groups = Map.groupBy(waiting, ({ id, document }) => workKey(id, document));
    const held: InboxEvent[] = [];
    for (const [key, events] of groups) {
      // What is left is looked for when one of these ends.
      if (stopped || running.size >= mostAtOnce) return;
      if (running.has(key)) {
        held.push(...events);
        continue;
      }
      const round = together(events).finally(() => {
        running.delete(key);
        wake();
      });
      running.set(key, round);
    }
    // Nothing of a whole page can be begun: what waits behind it is not to wait for it.
    if (page.length < pageSize || held.length + over.length < page.length) return;
    await eachOf(held, writesAtOnce, async (event) => void (await inbox.release(event, heldMs)));
    again = true;
  }

  /** Never throws: what fails is tried again. */
  async function together(events: readonly InboxEvent[]): Promise<void> {
    try {
      const claimed: InboxEvent[] = [];
      await eachOf(events, writesAtOnce, async (event) => {
        const mine = await inbox.claim(event);
        if (mine !== undefined) claimed.push(mine);
      });
      await attempt(options, claimed, pause.tell);
    } catch (error) {
      log.error('events of Stripe could not be worked on', { error });
      pause.tell(true);
    }
  }

  async function drain(): Promise<void> {
    wake();
    while (looking !== undefined || running.size > 0) {
      await Promise.allSettled([looking, ...running.values()]);
    }
  }

  const name = 'looking for events of Stripe';
  const poll = repeat(look, { name, everyMs, log, random });
  const watch = repeat(() => tell(inbox, clock, measures), {
    name: 'counting events of Stripe',
    everyMs: measuredEveryMs,
    log,
    random,
  });
  inbox.onArrival(wake);
  return {
    start() {
      wake();
      poll.start();
      if (measures !== noMeasures) watch.start();
    },
    async stop() {
      stopped = true;
      await Promise.allSettled([poll.stop(), watch.stop(), looking]);
      const late = delay(longestStopMs, undefined, { ref: false });
      await Promise.race([Promise.all(running.values()), late]);
    },
    drain,
  };
}

/** While Stripe does not answer nothing is begun: in growing steps, for all customers together. */
function createPause(clock: Clock, random: () => number) {
  let paused = { until: 0, failures: 0 };
  return {
    isOver: () => clock() >= paused.until,
    tell(isDown: boolean): void {
      if (!isDown) paused = { until: 0, failures: 0 };
      // One step for all that were under way at the same time.
      else if (clock() >= paused.until) {
        const delayMs = Math.min(longestPauseMs, retryDelay(paused.failures, random));
        paused = { until: clock() + delayMs, failures: paused.failures + 1 };
      }
    },
  };
}

/** @param pause is told whether Stripe is down */
async function attempt(
  { inbox, work, log }: InboxWorkerOptions,
  [first, ...others]: InboxEvent[],
  pause: (isDown: boolean) => void,
): Promise<void> {
  if (first === undefined) return;
  const all = [first, ...others];
  try {
    const problem = await work(first.id, first.document);
    pause(false);
    if (problem !== undefined) {
      const { type } = first.document;
      log.warn('an event of Stripe led nowhere', { event_id: first.id, type, problem });
    }
    await eachOf(all, writesAtOnce, async (event) => void (await inbox.finish(event, problem)));
  } catch (error) {
    const isProblem = error instanceof Problem;
    const problem = isProblem ? error.code : 'defect';
    // What Stripe said was logged where it was heard.
    const why = isProblem ? { problem } : { problem, error };
    log.warn('events of Stripe wait for another attempt', { ...why, count: all.length });
    pause(problem === 'stripe_unavailable');
    await eachOf(all, writesAtOnce, async (event) => {
      if (!(await inbox.fail(event, problem))) return;
      const { type } = event.document;
      log.error('an event of Stripe was given up', { event_id: event.id, type, problem });
    });
  }
}

async function tell(inbox: Inbox, clock: Clock, measures: Measures): Promise<void> {
  const { count, since } = await inbox.waiting();
  const oldest = since === undefined ? 0 : Math.max(0, clock() - since) / 1000;
  measures.set('tollgate_billing_inbox_waiting', {}, count);
  measures.set('tollgate_billing_inbox_oldest_seconds', {}, oldest);
}
