/** What a command would do, said first, and done when somebody agrees. */

import { confirm } from '../command_confirm.ts';
import { json } from '../command_store.ts';
import type { PeopleValues } from './asked.ts';
import type { AdminRooms } from './rooms.ts';

export interface Plan {
  /** What it comes to, as a sentence; several lines where there is more to know. */
  sentence: string;
  /** @returns what programs are told of it */
  carryOut(): Promise<Record<string, unknown>>;
  /** What it came to, where the sentence does not say all of it. */
  done?(result: Record<string, unknown>): string;
}

/** @returns what is to be printed */
export async function carriedOut(
  rooms: AdminRooms,
  values: Pick<PeopleValues, 'yes' | 'json'>,
  plan: Plan,
): Promise<string> {
  const { sentence, done = () => 'Done.' } = plan;
  if (!values.yes) await confirm(sentence, (line) => void process.stderr.write(line));
  const result = await plan.carryOut();
  await rooms.follow();
  return values.json ? json(result) : `${sentence}\n${done(result)}\n`;
}
