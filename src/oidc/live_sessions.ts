/**
 * Sessions that somebody listens to: a page of an app that wants to know at once when the session has ended or its
 * tokens would say something else. Events are handled by one process only, so each looks at the store for those that it
 * has listeners of, every second or two and at once for events that it handles itself. Nothing is read when nobody
 * listens. Nothing here is remembered: a listener is told what is, and compares.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { repeat } from '../base/repeat.ts';
import type { Handler } from '../events/handlers.ts';
import type { PendingEvent, Store } from '../storage/store.ts';
import { readState } from './live_reading.ts';
import type { Shared } from './live_reading.ts';
import type { LiveState, LiveSubject } from './live_state.ts';

/** Is told the state as it is found, changed or not. Must not throw. */
export type LiveListener = (state: LiveState) => void;

export interface LiveSessions {
  /** The state is told at once, and whenever it is looked at. @returns ends it */
  listen(subject: LiveSubject, listener: LiveListener): () => void;
  /** For the dispatcher. It only wakes: what is true is in the store. */
  handler: Handler;
  start(): void;
  stop(): Promise<void>;
}

export interface LiveSessionsOptions {
  store: Pick<Store, 'get'>;
  clock: Clock;
  log: Log;
  everyMs?: number;
}

/** Sessions that are looked at beside each other. */
const batchSize = 25;
/** In one round. Those behind them have their turn in the next one. */
const mostInRound = 1000;

const concerning: Handler['types'] = [
  'session.ended',
  'grant.revoked',
  'user.disabled',
  'user.enabled',
  'user.deleted',
  'member.added',
  'member.changed',
  'member.removed',
  'owner.removed',
  'account.closed',
  'subscription.changed',
];

/** One for each session and cookie, shared by its listeners. */
interface Watched {
  subject: LiveSubject;
  /** For which it acts, as of the last look. */
  account: string | undefined;
  listeners: Set<LiveListener>;
}

export function createLiveSessions(options: LiveSessionsOptions): LiveSessions {
  const { store, clock, log, everyMs = 1500 } = options;
  const watched = new Map<string, Watched>();
  const waiting = new Set<Watched>();
  let looking: Promise<void> | undefined;
  let stopped = false;

  async function look(one: Watched, shared: Shared): Promise<void> {
    const { state, account } = await readState({ store, clock }, one.subject, shared);
    one.account = account;
    for (const tell of one.listeners) tell(state);
  }

  async function lookAtAll(): Promise<void> {
    // All that one event concerns go together.
    await Promise.resolve();
    try {
      while (waiting.size > 0 && !stopped) {
        const batch = [...waiting.values().take(batchSize)];
        // Whatever is asked for from here on is looked at again.
        for (const one of batch) waiting.delete(one);
        const shared: Shared = new Map();
        await Promise.all(batch.map((one) => look(one, shared)));
      }
    } catch (error) {
      // All of them have their turn again in the next round.
      waiting.clear();
      throw error;
    }
  }

  function lookSoon(): Promise<void> {
    looking ??= lookAtAll().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  /** What fails is found by the next round, which says so. */
  const wake = (one: Watched) => {
    waiting.add(one);
    lookSoon().catch(() => undefined);
  };

  const rounds = repeat(
    async () => {
      for (const [key, one] of watched.entries().take(mostInRound).toArray()) {
        waiting.add(one);
        if (watched.size <= mostInRound) continue;
        // To the end of the line.
        watched.delete(key);
        watched.set(key, one);
      }
      if (waiting.size > 0) await lookSoon();
    },
    { name: 'looking at sessions that pages listen to', everyMs, log },
  );

  return {
    listen(subject, listener) {
      const key = JSON.stringify([subject.session, subject.user, subject.grant]);
      const one = watched.get(key) ?? { subject, account: undefined, listeners: new Set() };
      watched.set(key, one);
      one.listeners.add(listener);
      wake(one);
      return () => {
        one.listeners.delete(listener);
        if (one.listeners.size > 0 || watched.get(key) !== one) return;
        watched.delete(key);
        waiting.delete(one);
      };
    },
    handler: {
      name: 'live_sessions',
      types: concerning,
      handle(event) {
        for (const one of watched.values()) if (concerns(event, one)) wake(one);
        return Promise.resolve();
      },
    },
    start: rounds.start,
    async stop() {
      stopped = true;
      await rounds.stop();
      await looking?.catch(() => undefined);
    },
  };
}

function concerns({ data }: PendingEvent, { subject, account }: Watched): boolean {
  const { session, user, grant } = subject;
  const of = (name: string, id: string | undefined) => id !== undefined && data[name] === id;
  return of('session', session) || of('user', user) || of('grant', grant) || of('account', account);
}
