/** Moves the clock of a running demo's Stripe on, and says what became of it. */

import { later } from './stripe/span.ts';
import { readable } from './stripe/pages/words.ts';
import type { SimulatorState } from './stripe/pages/words.ts';

export class NoTravel extends Error {}

/**
 * @param stripe where the simulator is
 * @param spans one after the other: `13d`, `1m`
 * @throws {NoTravel} nothing runs there, or a span is none
 */
export async function travel(
  stripe: string,
  spans: readonly string[],
  say: (text: string) => void,
): Promise<void> {
  for (const span of spans) {
    if (later(Date.now(), span) === undefined) {
      throw new NoTravel(`--advance takes a span such as 1h, 13d, 2w, 1m or 1y, not ${span}.`);
    }
  }
  let before = await ask(stripe);
  say(`\nAt Stripe it is ${before.now}.`);
  for (const span of spans) {
    const moved = await call(`${stripe}/dashboard/clock`, {
      method: 'POST',
      body: new URLSearchParams({ by: span }),
      redirect: 'manual',
    });
    await moved.body?.cancel();
    if (moved.status !== 303) throw new NoTravel(`The clock was not moved (${moved.status}).`);
    const after = await ask(stripe);
    say(`\n${span} on it is ${after.now}.\n\n${told(before, after)}`);
    before = after;
  }
}

async function ask(stripe: string): Promise<SimulatorState> {
  const answer = await call(`${stripe}/dashboard/state`);
  return (await answer.json()) as SimulatorState;
}

async function call(url: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const base = new URL(url).origin;
    throw new NoTravel(
      `No demo answers at ${base}. Start it with \`npm run demo\`, and run this beside it.`,
      { cause: error },
    );
  }
}

/** Subscriptions as Stripe has them, and what a token says of each account; what changed is marked. */
function told(before: SimulatorState, after: SimulatorState): string {
  const rows = after.subscriptions.map(({ customer, plan, status, dates }) =>
    [customer.padEnd(16), plan.padEnd(22), status.padEnd(12), dates].join(' '),
  );
  const known = new Set(before.tokens.map((one) => JSON.stringify(one)));
  const tokens = after.tokens.map((one) => {
    const mark = known.has(JSON.stringify(one)) ? '  ' : '* ';
    return `${mark}${one.account.padEnd(16)} ${readable(one)}`;
  });
  const has = `Stripe has:\n${rows.map((row) => `  ${row}`).join('\n')}\n`;
  // Beside a Tollgate of one's own nobody here knows its tokens.
  return tokens.length === 0
    ? has
    : `${has}\nA token says (* where that is new):\n${tokens.join('\n')}`;
}
