/**
 * `tollgate accounts reasons`: why accounts were closed, and subscriptions cancelled, ours and in Stripe's own portal:
 * counted by Stripe's words, with the last texts. A cancellation that comes of a closing counts as that closing alone.
 */

import { json, moment, table, timeOf } from '../command_store.ts';
import { isFeedback } from '../directory/closing_reason.ts';
import type { AccountDocument } from '../storage/documents.ts';
import { pagesOf } from '../storage/each.ts';
import type { Store } from '../storage/store.ts';
import type { PeopleValues } from './asked.ts';

export interface Reasons {
  /** The most frequent first. `unknown`: nobody said; or a word that is not Stripe's. */
  feedback: { feedback: string; closings: number; cancellations: number; share: number }[];
  closings: number;
  cancellations: number;
  /** The newest first. */
  texts: { at: number; account: string; feedback: string; text: string }[];
}

interface Leaving {
  what: 'closings' | 'cancellations';
  at: number;
  account: string;
  feedback: string;
  text: string | undefined;
}

const pageSize = 1000;
const mostTexts = 20;
const unsaid = 'unknown';

export async function reasons({ store }: { store: Store }, values: PeopleValues): Promise<string> {
  const since = values.since === undefined ? 0 : timeOf('since', values.since);
  const found = await findReasons(store, since);
  return values.json ? json(found) : printed(found);
}

/** All accounts are looked at, a page at a time. @param since in milliseconds */
export async function findReasons(store: Store, since = 0): Promise<Reasons> {
  const counts = new Map<string, { closings: number; cancellations: number }>();
  const sums = { closings: 0, cancellations: 0 };
  let texts: Reasons['texts'] = [];
  for await (const page of pagesOf((paging) => store.list('account', paging), { pageSize })) {
    const leavings = page.flatMap(({ id, document }) => leavingsOf(id, document));
    for (const { what, at, account, feedback, text } of leavings) {
      if (at < since) continue;
      const count = counts.get(feedback) ?? { closings: 0, cancellations: 0 };
      count[what] += 1;
      sums[what] += 1;
      counts.set(feedback, count);
      if (text !== undefined) texts.push({ at, account, feedback, text });
    }
    texts = texts.toSorted((one, other) => other.at - one.at).slice(0, mostTexts);
  }
  const all = sums.closings + sums.cancellations;
  const feedback = [...counts]
    .map(([word, count]) => ({
      feedback: word,
      ...count,
      share: Math.round(((count.closings + count.cancellations) / all) * 1000) / 1000,
    }))
    .toSorted((one, other) => other.share - one.share || (one.feedback < other.feedback ? -1 : 1));
  return { feedback, ...sums, texts };
}

function leavingsOf(account: string, document: AccountDocument): Leaving[] {
  const { closed, closing, subscriptions = {} } = document;
  const why = closed ?? closing;
  if (why !== undefined) {
    const at = closed?.at ?? closing?.askedAt ?? 0;
    const feedback = wordOf(why.feedback);
    return [{ what: 'closings', at, account, feedback, text: why.reason }];
  }
  return Object.values(subscriptions).flatMap(({ cancellation, endedAt, cancelAt }) => {
    const { reason, feedback, comment } = cancellation ?? {};
    const at = endedAt ?? cancelAt;
    // What was kept again has no end, and what ended for want of payment nobody wished for.
    if (at === undefined || (reason !== 'cancellation_requested' && feedback === undefined)) {
      return [];
    }
    const what = 'cancellations' as const;
    return [{ what, at, account, feedback: wordOf(feedback), text: comment }];
  });
}

const wordOf = (feedback: string | undefined): string =>
  feedback !== undefined && isFeedback(feedback) ? feedback : unsaid;

function printed({ feedback, closings, cancellations, texts }: Reasons): string {
  if (feedback.length === 0) return 'Nobody has left.\n';
  const rows = feedback.map((row) => [
    row.feedback,
    String(row.closings),
    String(row.cancellations),
    `${(row.share * 100).toFixed(1)} %`,
  ]);
  const head = ['WHY', 'CLOSED', 'CANCELLED', 'SHARE'];
  const sum = ['all', String(closings), String(cancellations), '100.0 %'];
  const counted = table([head, ...rows, sum]);
  if (texts.length === 0) return counted;
  const said = texts.map(({ at, account, feedback: word, text }) => [
    moment(at),
    account,
    word,
    text.replace(/\s+/g, ' '),
  ]);
  return `${counted}\n${table([['WHEN', 'ACCOUNT', 'WHY', 'IN THEIR WORDS'], ...said])}`;
}
