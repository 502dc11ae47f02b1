/**
 * The simulator's own page, `/dashboard`: its clock, what is there, what was sent, and what is to go
 * wrong. `/dashboard/state` says the most important of it to programs.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FaultRule, StripeSimulator } from '../contract.ts';
import { later } from '../span.ts';
import { attempt } from './attempt.ts';
import { dashboardView, rowOf } from './dashboard_views.ts';
import type { Reply, Visit } from './frame.ts';
import type { SimulatorState, TokenWords } from './words.ts';

/** What the dashboard shows of the world around the simulator. */
export interface Surroundings {
  /** What a token would say now, by account. */
  tokens?: () => Promise<TokenWords[]>;
  /** Resolves when what was sent has had its effect there. */
  settled?: () => Promise<void>;
}

/** Whoever looks waits no longer for webhooks than so. */
const longestWaitMs = 10_000;

export function dashboardPages(simulator: StripeSimulator, around: Surroundings) {
  const tokens = async () => (await around.tokens?.()) ?? [];
  return async ({ method, path, form }: Visit): Promise<Reply | undefined> => {
    const [what = '', ...rest] = path;
    if (rest.length > 0) return undefined;
    if (method === 'GET' && what === 'state') return { json: await stateOf(simulator, tokens) };
    if (method === 'GET' && what === '') return dashboardView(simulator, await tokens());
    const deed = method === 'POST' ? deeds[what] : undefined;
    if (deed === undefined) return undefined;
    const done = await attempt(() => deed(simulator, form));
    const trouble = 'trouble' in done ? done.trouble : done.value;
    if (typeof trouble === 'string') {
      return { ...dashboardView(simulator, await tokens(), trouble), status: 400 };
    }
    if (what === 'clock') await settled(simulator, around);
    return { location: '/dashboard' };
  };
}

/** Does what a form says. @returns what is wrong with the form */
type Deed = (simulator: StripeSimulator, form: URLSearchParams) => unknown;

const deeds: Readonly<Record<string, Deed>> = {
  clock: moveOn,
  async dispute(simulator, form) {
    await simulator.dispute(form.get('subscription') ?? '');
  },
  async refund(simulator, form) {
    await simulator.refund(form.get('subscription') ?? '');
  },
  async redeliver({ webhooks }, form) {
    await webhooks.redeliver(form.get('event') ?? '');
  },
  fault(simulator, form) {
    const rule = ruleOf(form);
    if (rule === undefined) return 'There is no such fault.';
    simulator.fail(rule);
    return undefined;
  },
  clear(simulator) {
    simulator.clearFaults();
  },
  webhooks({ webhooks }, form) {
    switch (form.get('do')) {
      case 'pause':
        return webhooks.pause();
      case 'resume':
        return webhooks.resume();
      case 'drop':
        return webhooks.drop();
      default:
        webhooks.options.duplicates = Math.min(
          Math.max(Number(form.get('duplicates')) || 0, 0),
          10,
        );
        webhooks.options.shuffle = form.get('shuffle') === 'yes';
        webhooks.options.delayMs = Math.min(Math.max(Number(form.get('delay')) || 0, 0), 60) * 1000;
        return undefined;
    }
  },
};

/** The fields: `by`, a span such as `13d`, or `to`, a day. */
async function moveOn(simulator: StripeSimulator, form: URLSearchParams) {
  const now = simulator.now();
  const by = form.get('by');
  const at = by === null ? Date.parse(`${form.get('to') ?? ''}T12:00:00Z`) : later(now, by);
  if (at === undefined || Number.isNaN(at)) return 'That is no span of time.';
  if (at <= now) return 'Time goes on, and never back.';
  await simulator.advance(at - now);
  return undefined;
}

/** Until the world has heard what happened; not for ever, since webhooks may be held back or fail. */
async function settled({ webhooks }: StripeSimulator, { settled: heard }: Surroundings) {
  const giveUp = new AbortController();
  const all = (async () => {
    while (webhooks.pending.length > 0 && !giveUp.signal.aborted) await delay(20);
    if (!giveUp.signal.aborted) await heard?.();
  })();
  await Promise.race([all, delay(longestWaitMs, undefined, { signal: giveUp.signal })]);
  giveUp.abort();
}

async function stateOf(
  simulator: StripeSimulator,
  tokens: () => Promise<TokenWords[]>,
): Promise<SimulatorState> {
  const rows = simulator.objects.subscriptions().map((one) => rowOf(simulator, one));
  return {
    now: new Date(simulator.now()).toISOString(),
    subscriptions: rows.map(({ customer, plan, status, dates }) => ({
      customer,
      plan,
      status,
      dates,
    })),
    tokens: await tokens(),
  };
}

const kinds: Readonly<Record<string, Fault>> = {
  429: { kind: 'status', status: 429 },
  500: { kind: 'status', status: 500 },
  503: { kind: 'status', status: 503 },
  slow: { kind: 'slow', ms: 5000 },
  silence: { kind: 'silence' },
  cut_before: { kind: 'cut_before' },
  cut_after: { kind: 'cut_after' },
  error_after: { kind: 'error_after' },
};

function ruleOf(form: URLSearchParams): FaultRule | undefined {
  const kind = kinds[form.get('kind') ?? ''];
  if (kind === undefined) return undefined;
  const path = (form.get('path') ?? '').trim();
  const times = Number(form.get('times')) || 1;
  return { ...kind, times, ...(path === '' ? {} : { path }) };
}
