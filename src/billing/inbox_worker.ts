/**
 * Works through the inbox, in every process: at once for what this one stored, and each second for what others left.
 * What comes for one customer while that one is read waits for the next reading, and is done by it together.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { noMeasures } from '../base/measures.ts';
import type { Measures } from '../base/measures.ts';
import { repeat } from '../base/repeat.ts';
import { eachOf } from '../events/each_of.ts';
import { createPause, createRounds } from '../events/rounds.ts';
import { retryDelay } from '../events/work_queue.ts';
import { workKey } from './event_work.ts';
import type { DoEvent } from './event_work.ts';
import { retrying } from './inbox.ts';
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
  let stopped = false;
  const pause = createPause(clock, (failures) =>
    Math.min(longestPauseMs, retryDelay(failures, random, retrying)),
  );
  const rounds = createRounds({
    isOpen: () => !stopped && pause.isOver(),
    lookOnce: async () => begin(await inbox.due(pageSize)),
  });

  async function begin(page: readonly InboxEvent[]): Promise<void> {
    const over = page.filter(({ document }) => document.state !== 'waiting');
    await eachOf(over, writesAtOnce, (event) => inbox.forget(event));
    const waiting = page.filter(({ document }) => document.state === 'waiting');
    const groups = Map.groupBy(waiting, ({ id, document }) => workKey(id, document));
    const held: InboxEvent[] = [];
    for (const [key, events] of groups) {
      // What is left is looked for when one of these ends.
      if (stopped || rounds.running.size >= mostAtOnce) return;
      if (rounds.running.has(key)) {
        held.push(...events);
        continue;
      }
      rounds.begin(key, together(events));
    }
    // Nothing of a whole page can be begun: what waits behind it is not to wait for it.
    if (page.length < pageSize || held.length + over.length < page.length) return;
    await eachOf(held, writesAtOnce, async (event) => void (await inbox.release(event, heldMs)));
    rounds.lookOn();
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

  const name = 'looking for events of Stripe';
  const poll = repeat(rounds.look, { name, everyMs, log, random });
  const watch = repeat(() => tell(inbox, clock, measures), {
    name: 'counting events of Stripe',
    everyMs: measuredEveryMs,
    log,
    random,
  });
  inbox.onArrival(rounds.wake);
  return {
    start() {
      rounds.wake();
      poll.start();
      if (measures !== noMeasures) watch.start();
    },
    async stop() {
      stopped = true;
      await Promise.allSettled([poll.stop(), watch.stop(), rounds.looked()]);
      await rounds.ended(longestStopMs);
    },
    drain: rounds.drain,
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
