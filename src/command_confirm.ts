/** What commands that change something have in common: they say first what it comes to, and do it when somebody agrees. */

import { createInterface } from 'node:readline/promises';
import { Problem } from './base/errors.ts';
import type { Store } from './storage/store.ts';

/** @throws {Problem} `confirmation_needed` (400): nobody is there to ask, or they say no */
export async function confirm(sentence: string, tell: (text: string) => void): Promise<void> {
  tell(`${sentence}\n`);
  if (process.stdin.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question('Go on? [y/N] ').finally(() => terminal.close());
    if (/^y(es)?$/i.test(answer.trim())) return;
  }
  throw new Problem('confirmation_needed', 400, 'Nothing was done. With --yes it is.');
}

/** More than anybody has; what is beyond is ended all the same. */
const mostCounted = 10_000;

export async function living(
  store: Store,
  kind: 'session' | 'grant',
  index: string,
  value: string,
): Promise<number> {
  let sum = 0;
  let after: string | undefined;
  for (let seen = 0; seen < mostCounted;) {
    const page = await store.find(kind, index, value, { after, limit: 1000 });
    sum += page.filter(({ document }) => document.ended === undefined).length;
    if (page.length < 1000) break;
    seen += page.length;
    after = page.at(-1)?.id;
  }
  return sum;
}

export const count = (number: number, noun: string) =>
  `${number} ${noun}${number === 1 ? '' : 's'}`;

export function unknown(what: string, id: string): Problem {
  return new Problem(`${what}_unknown`, 404, `There is no ${what} ${JSON.stringify(id)}.`);
}
