/**
 * `tollgate stripe …`: what the configuration wants at Stripe and whether it is there, making it, and making accounts
 * what Stripe says. What Stripe answers to a wrong key, or does not answer, is told in a sentence.
 */

import { Problem } from './base/errors.ts';
import { createFetch } from './base/fetch.ts';
import { systemClock } from './base/clock.ts';
import { createLog } from './base/log.ts';
import { createStripe, adviceOn } from './billing/stripe.ts';
import type { StripeClient } from './billing/stripe.ts';
import { accountOf, setUpStripe } from './billing/setup/setup.ts';
import type { SellingConfig, SetupResult } from './billing/setup/setup.ts';
import { json, quote, UsageError } from './command_store.ts';
import type { Config } from './config.ts';
import { syncAccounts } from './stripe_sync.ts';
import { findingsTable, summaryOf, toDo } from './stripe_findings.ts';

const actions = ['check', 'push', 'sync'] as const;

export interface StripeAsked {
  action: (typeof actions)[number];
  /** Of `sync`: all when not given. */
  account: string | undefined;
  yes: boolean;
  thin: boolean;
  json: boolean;
}

interface Answered {
  text: string;
  /** Otherwise the exit code is 1. */
  isGood: boolean;
}

/** @throws {UsageError} */
export function stripeAsked(
  [word, account, ...rest]: readonly string[],
  options: { yes: boolean; thin: boolean; json: boolean },
): StripeAsked {
  const action = actions.find((one) => one === word);
  if (action === undefined) {
    const but = word === undefined ? '' : `, not ${quote(word)}`;
    throw new UsageError(`stripe takes one of ${actions.join(', ')}${but}.`);
  }
  const tooMuch = action === 'sync' ? rest[0] : account;
  if (tooMuch !== undefined) throw new UsageError(`What is ${quote(tooMuch)}?`);
  const { yes, thin, json: forPrograms } = options;
  return { action, account, yes, thin, json: forPrograms };
}

export async function stripe(config: Config, asked: StripeAsked): Promise<Answered> {
  const { stripe: settings } = config;
  if (settings === undefined) {
    const sentence = 'Nothing is sold: set TOLLGATE_STRIPE_SECRET_KEY, see docs/billing.md.';
    throw new Problem('stripe_missing', 400, sentence);
  }
  const selling = { ...config, stripe: settings };
  try {
    if (asked.action === 'sync') return await syncAccounts(selling, asked);
    return await withStripe(selling, (client) => setUp(client, selling, asked));
  } catch (error) {
    const remedy = error instanceof Problem ? adviceOn(error, settings) : undefined;
    throw remedy === undefined ? error : new Problem('stripe_failed', 502, remedy);
  }
}

async function withStripe<T>(
  { stripe: settings, outgoing: { allowPrivate } }: SellingConfig,
  work: (client: StripeClient) => Promise<T>,
): Promise<T> {
  const limits = { timeoutMs: 20_000, connectTimeoutMs: 5000, maxBytes: 16 * 1024 * 1024 };
  const fetch = createFetch({ allowPrivate, ...limits });
  // What goes wrong is said once, in a sentence.
  const log = createLog({ level: 'error', clock: systemClock, write: () => undefined });
  try {
    return await work(
      createStripe({ config: settings, fetch, clock: systemClock, log, retries: 2 }),
    );
  } finally {
    await fetch.close();
  }
}

async function setUp(
  client: StripeClient,
  config: SellingConfig,
  { action, yes, thin, json: forPrograms }: StripeAsked,
): Promise<Answered> {
  const makes = action === 'push' && yes;
  const account = await accountOf(client);
  const result = await setUpStripe({ stripe: client, config, clock: systemClock, makes, thin });
  const { findings } = result;
  const isAsWanted = findings.every(({ state }) => state === 'good' || state === 'made');
  // Who only asks what would be made is answered well.
  const isGood = isAsWanted || (action === 'push' && !yes);
  if (forPrograms) {
    const told = { account, live: client.live, good: isAsWanted, ...withoutNothing(result) };
    return { text: json(told), isGood };
  }
  const whose = account === undefined ? 'Stripe' : `Stripe account ${account}`;
  const lines = [
    `${whose}, ${client.live ? 'live' : 'test'} mode\n`,
    findingsTable(findings),
    toDo(findings),
    summaryOf(makes || action === 'check', findings),
    secretOf(result),
  ];
  return { text: lines.filter((line) => line !== '').join('\n'), isGood };
}

function withoutNothing({ findings, secret }: SetupResult): Partial<SetupResult> {
  return secret === undefined ? { findings } : { findings, secret };
}

function secretOf({ secret }: SetupResult): string {
  if (secret === undefined) return '';
  return `What Stripe sends is signed with this secret, which is not shown again:\n\n  ${secret}\n
Set TOLLGATE_STRIPE_WEBHOOK_SECRETS to it (behind those that are set already, with a comma), and start anew.\n`;
}
