/**
 * Who uses what, to the day, and nothing else: on the membership and on the account stands when a token was last issued
 * for them. It is written later and beside everything else, at most once a day for each, from documents that were read anyway:
 * most tokens cost nothing here. What cannot be written is left for the next token; what was removed is not brought back.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { AccountDocument, UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { change } from './change.ts';
import { membershipOf } from './roles.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** What was read when the token was issued. */
export interface Used {
  user: UserDocument;
  account: AccountDocument & { id: string };
}

export interface LastUse {
  note: (user: string, used: Used) => void;
  stop: () => Promise<void>;
}

/** Written beside each other, and waiting for it: more are left for their next token. */
const mostAtOnce = 2;
const mostWaiting = 1000;

/**
 * For operators: since when nobody has been there. @param from when it began
 */
export function unusedSince({ usedAt, createdAt }: { usedAt?: number; createdAt: number }): number {
  return Math.max(usedAt ?? 0, createdAt);
}

export function createLastUse({
  store,
  clock,
  log,
}: {
  store: Store;
  clock: Clock;
  log: Log;
}): LastUse {
  /** By what is written, so that many tokens of one moment are one write. */
  const waiting = new Map<string, () => Promise<unknown>>();
  const running = new Set<Promise<void>>();
  let stopped = false;

  const noteMembership = (user: string, account: string, today: number) =>
    change(store, 'user', user, (present) => {
      const membership = membershipOf(present, account);
      if (present.status === 'deleted' || membership === undefined) return undefined;
      if (isOfToday(membership, today)) return undefined;
      const memberships = (present.memberships ?? []).map((one) =>
        one === membership ? { ...one, usedAt: today } : one,
      );
      return { document: { ...present, memberships } };
    });
  const noteAccount = (account: string, today: number) =>
    change(store, 'account', account, (present) =>
      present.status !== 'active' || isOfToday(present, today)
        ? undefined
        : { document: { ...present, usedAt: today } },
    );

  async function work(): Promise<void> {
    // After the answer that it is about.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    while (!stopped) {
      const [next] = waiting;
      if (next === undefined) return;
      const [key, write] = next;
      waiting.delete(key);
      await write().catch((error: unknown) => log.debug('a last use is not noted', { error }));
    }
  }

  function later(key: string, write: () => Promise<unknown>): void {
    if (stopped || waiting.size >= mostWaiting) return;
    waiting.set(key, write);
    if (running.size >= mostAtOnce) return;
    const one = work().finally(() => running.delete(one));
    running.add(one);
  }

  return {
    note(user, { user: document, account }) {
      const today = startOfDay(clock());
      const membership = membershipOf(document, account.id);
      if (membership !== undefined && !isOfToday(membership, today)) {
        const key = JSON.stringify([user, account.id]);
        later(key, () => noteMembership(user, account.id, today));
      }
      if (!isOfToday(account, today)) later(account.id, () => noteAccount(account.id, today));
    },
    async stop() {
      stopped = true;
      waiting.clear();
      await Promise.all(running);
    },
  };
}

const startOfDay = (at: number) => at - (at % dayMs);

const isOfToday = ({ usedAt }: { usedAt?: number }, today: number) =>
  usedAt !== undefined && usedAt >= today;
