/**
 * A receiver that does not answer is left alone. After some failures in a row, of several lanes (one event that it
 * cannot digest must not keep all others from it), its circuit opens for a while, then one delivery tries. The
 * state is in the receiver's document, so the processes share it; the counting is each one's own.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ReceiverDocument } from '../storage/documents.ts';
import type { Receiver } from './receivers.ts';
import type { ReceiverStates } from './receiver_states.ts';
import { day } from './schedule.ts';

const failuresToOpen = 5;
const lanesToOpen = 2;
const disableAfterMs = 5 * day;
/** It was asked nothing for so long: more than lies between two attempts. What was before is another story. */
const forgetAfterMs = 2 * day;
/** Of `deliveredAt`: it is for people, and not worth a write a delivery. */
const rememberEveryMs = 60_000;
/** Growing, and never so long that an outage of a minute is noticed half a minute late. */
const openSeconds = [5, 10, 15, 20, 30, 60, 120, 300, 600, 900];
const mostCounted = 10_000;

/** `open`: nothing is sent for now. `held`: nothing is to be sent. */
export type Gate = 'go' | 'open' | 'held' | 'disabled' | 'unknown';

export function gateOf(receiver: Receiver | undefined, state: ReceiverDocument | undefined): Gate {
  if (receiver === undefined) return 'unknown';
  if (isDisabled(receiver, state)) return 'disabled';
  if (receiver.paused === true || receiver.url === undefined) return 'held';
  return state?.failing?.openUntil === undefined ? 'go' : 'open';
}

/** What disabled itself is tried again when it has another address. */
function isDisabled({ url }: Receiver, state: ReceiverDocument | undefined): boolean {
  const { disabled } = state ?? {};
  return disabled !== undefined && (disabled.url === undefined || disabled.url === url);
}

interface Row {
  failures: number;
  lanes: Set<string>;
  successes: number;
  failedAt: number;
}

export interface BreakersOptions {
  states: ReceiverStates;
  clock: Clock;
  log: Log;
  random: () => number;
  /** Requests to one receiver at the same time. */
  perReceiver: number;
}

export class Breakers {
  readonly #options: BreakersOptions;
  readonly #rows = new Map<string, Row>();

  constructor(options: BreakersOptions) {
    this.#options = options;
  }

  /**
   * How many requests it may have at the same time: few until it is seen to answer, so that many receivers that
   * hang do not take all places.
   */
  limitOf(receiver: string): number {
    return Math.min(this.#options.perReceiver, 2 + (this.#rows.get(receiver)?.successes ?? 0));
  }

  async succeeded(receiver: Receiver): Promise<void> {
    const { id } = receiver;
    const { states, clock, log } = this.#options;
    const row = this.#row(id);
    row.successes += 1;
    row.failures = 0;
    row.lanes.clear();
    const now = clock();
    const state = await states.of(id);
    const { failing, disabled, deliveredAt = -Infinity } = state ?? {};
    const remembered = Math.abs(now - deliveredAt) < rememberEveryMs;
    if (failing === undefined && disabled === undefined && remembered) return;
    let since: number | undefined;
    await states.change(id, (present) => {
      const { failing: failed, disabled: stopped, ...rest } = present;
      since = failed?.openUntil === undefined ? undefined : failed.since;
      const next = { ...rest, deliveredAt: now };
      // It was under way when another one was answered 410, or an operator decided.
      if (stopped !== undefined && isDisabled(receiver, present)) {
        return { ...next, disabled: stopped };
      }
      return since === undefined ? next : { ...next, catchUp: { until: 0 } };
    });
    if (since === undefined) return;
    log.info('a receiver answers again', { receiver: id, failing_since: iso(since) });
  }

  /** @param probe it was the one that tries while the circuit is open */
  async failed(receiver: Receiver, lane: string, problem: string, probe: boolean): Promise<void> {
    const { states, clock, random, log } = this.#options;
    const row = this.#row(receiver.id);
    const now = clock();
    if (now - row.failedAt > forgetAfterMs) {
      row.failures = 0;
      row.lanes.clear();
    }
    row.failedAt = now;
    row.successes = 0;
    row.failures += 1;
    if (row.lanes.size < lanesToOpen) row.lanes.add(lane);
    if (!probe && row.failures < failuresToOpen) return;
    const opens = probe || row.lanes.size >= lanesToOpen;
    const before = (await states.of(receiver.id))?.failing;
    // One lane alone that goes on failing has nothing new to tell but that, once a day.
    if (!opens && before !== undefined && now - (before.at ?? before.since) < day) return;
    let wasOpen = false;
    const next = await states.change(receiver.id, (present) => {
      const { failing } = present;
      wasOpen = failing?.openUntil !== undefined;
      // Several failed at once, and another one opened it.
      if (!probe && failing?.openUntil !== undefined && failing.openUntil > now) return undefined;
      const { since = now, count = 0 } = ofLate(failing, now) ?? {};
      if (now - since >= disableAfterMs) return disabledNow(receiver, present, 'failing', now);
      const told = { since, count: count + 1, problem, at: now };
      const openUntil = now + openMs(count, random);
      return { ...present, failing: opens ? { ...told, openUntil } : told };
    });
    if (next?.disabled !== undefined) this.#tellDisabled(receiver, 'failing');
    else if (!wasOpen && next?.failing?.openUntil !== undefined) {
      const fields = { receiver: receiver.id, problem };
      log.warn('a receiver fails, and is left alone for a while', fields);
    }
  }

  /** It said when it wants to hear of us again. */
  async throttled({ id }: Receiver, forMs: number, problem: string): Promise<void> {
    const { states, clock } = this.#options;
    const now = clock();
    await states.change(id, (present) => {
      const { since = now, count = 0, openUntil: until = 0 } = ofLate(present.failing, now) ?? {};
      const openUntil = Math.max(until, now + forMs);
      return { ...present, failing: { since, count, openUntil, problem, at: now } };
    });
  }

  /** 410. */
  async gone(receiver: Receiver): Promise<void> {
    const { states, clock } = this.#options;
    await states.change(receiver.id, (present) => disabledNow(receiver, present, 'gone', clock()));
    this.#tellDisabled(receiver, 'gone');
  }

  /**
   * The time of an open circuit is over: whoever says so first may try.
   * @returns whether this process is it
   */
  async mayProbe(id: string): Promise<boolean> {
    const { states, clock, random } = this.#options;
    const now = clock();
    const won = await states.change(id, (present) => {
      const { failing } = present;
      if (failing?.openUntil === undefined || failing.openUntil > now) return undefined;
      const openUntil = now + openMs(failing.count, random);
      return { ...present, failing: { ...failing, openUntil } };
    });
    return won !== undefined;
  }

  /** Nothing waits for it: the next delivery finds out. */
  async nothingToTry(id: string): Promise<void> {
    await this.#options.states.change(id, (present) => {
      const { failing, ...rest } = present;
      return failing === undefined ? undefined : { ...rest, catchUp: { until: 0 } };
    });
  }

  #tellDisabled({ id }: Receiver, reason: string): void {
    this.#options.log.error('a receiver is disabled', { receiver: id, reason });
  }

  #row(id: string): Row {
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    // Without its row a receiver is a new one: harmless.
    if (this.#rows.size >= mostCounted) this.#rows.clear();
    const row = { failures: 0, lanes: new Set<string>(), successes: 0, failedAt: -Infinity };
    this.#rows.set(id, row);
    return row;
  }
}

type Failing = ReceiverDocument['failing'];

function ofLate(failing: Failing, now: number): Failing {
  if (failing === undefined || now - (failing.at ?? failing.since) > forgetAfterMs)
    return undefined;
  return failing;
}

function disabledNow(
  { url = '' }: Receiver,
  present: ReceiverDocument,
  reason: string,
  at: number,
): ReceiverDocument {
  const next = { ...present, disabled: { at, reason, url } };
  delete next.failing;
  return next;
}

function openMs(count: number, random: () => number): number {
  const seconds = openSeconds[Math.min(count, openSeconds.length - 1)] ?? 0;
  return seconds * 1000 * (0.8 + 0.4 * random());
}

const iso = (milliseconds: number) => new Date(milliseconds).toISOString();
