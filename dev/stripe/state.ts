/** All that the simulator knows: tables of whole objects, and beside them what Stripe does not show. */

import { randomInt } from 'node:crypto';
import type { Settings } from './contract.ts';
import type { ThinEvent, WebhookEvent } from './objects.ts';
import { idempotencyKeys } from './idempotency.ts';
import type { Keys } from './idempotency.ts';
import { openTables, rowsOf } from './tables.ts';
import type { Saved, Tables } from './tables.ts';

/** Of the API, and of what is sent to receivers that name none. */
export const apiVersion = '2026-10-28.endive';

export interface State extends Tables {
  accountId: string;
  livemode: boolean;
  /** Where its pages are. */
  url: string;
  /** The request that is being answered: events say by which one they were caused. */
  request: { id: string; idempotency_key: string | null } | null;
  /** Known that they were there: they answer `deleted: true`. */
  deletedCustomers: Set<string>;
  keys: Keys;
  settings: Settings;
  /** By how many ms everybody's time was moved on. */
  movedOn: number;
  /** The moment, in ms, at which something is done that fell due meanwhile. */
  standing: number | undefined;
  /** When something falls due next, in seconds, by customer; and of whom that may have changed. */
  agenda: { at: Map<string, number>; dirty: Set<string> };
  /** The machine's clock, in ms. */
  clock: () => number;
  random: () => number;
  /** Hears of each event, and of its thin ones. */
  heard: ((event: WebhookEvent, thin: readonly ThinEvent[]) => void)[];
}

export interface StateOptions {
  clock: () => number;
  random: (() => number) | undefined;
  accountId: string | undefined;
  livemode: boolean;
}

export function openState(options: StateOptions, saved: Saved = {}): State {
  const random = options.random ?? (() => randomInt(2 ** 40) / 2 ** 40);
  return {
    ...openTables(saved),
    accountId: saved.accountId ?? options.accountId ?? newId({ random }, 'acct'),
    livemode: options.livemode,
    url: '',
    request: null,
    deletedCustomers: new Set(saved.deletedCustomers ?? []),
    keys: idempotencyKeys(saved.idempotencyKeys),
    settings: saved.settings ?? {
      merchant: 'Example Company',
      dunning: { afterDays: [3, 5, 7], finally: 'canceled' },
      upcomingDays: 7,
      whileProcessing: 'incomplete',
    },
    movedOn: saved.movedOn ?? 0,
    standing: undefined,
    agenda: { at: new Map(), dirty: new Set() },
    clock: options.clock,
    random,
    heard: [],
  };
}

export function savedOf(state: State): Saved {
  return {
    accountId: state.accountId,
    movedOn: state.movedOn,
    deletedCustomers: [...state.deletedCustomers],
    idempotencyKeys: state.keys.all(),
    settings: state.settings,
    ...rowsOf(state),
  };
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** @param kind what it begins with, such as `cus`; @param length of what follows */
export function newId(from: { random: () => number }, kind: string, length = 24): string {
  let id = `${kind}_`;
  for (let index = 0; index < length; index += 1) {
    id += letters[Math.floor(from.random() * letters.length)] ?? 'A';
  }
  return id;
}

/** Everybody's time, in ms. */
export function nowMs(state: State): number {
  return state.standing ?? state.clock() + state.movedOn;
}

/** In seconds: everybody's time, or that of the customer's test clock. */
export function now(state: State, customerId?: string | null): number {
  const clock = state.customers.get(customerId ?? '')?.test_clock ?? '';
  const frozen = state.testClocks.get(clock)?.frozen_time;
  return frozen ?? Math.floor(nowMs(state) / 1000);
}
