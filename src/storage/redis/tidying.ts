/**
 * Removes from the indexes what no document names: left behind by processes that died between two steps. It
 * is harmless and rare, and most of it is removed by who reads the index; this comes around to the rest.
 */

import type { ServerClock } from './clock.ts';
import type { Connection } from './connection.ts';
import { parseIndexMember } from './keys.ts';
import type { Keys } from './keys.ts';
import { isStale } from './reading.ts';

/** How many keys one call looks through at each master, and how many members of an index. */
const keysAtATime = 1000;
const membersAtATime = 100;

export interface TidyingOptions {
  connection: Connection;
  keys: Keys;
  clock: ServerClock;
}

/** @returns the function that does a small part of the work and goes on where it stopped */
export function createTidying({ connection, keys, clock }: TidyingOptions): () => Promise<void> {
  const cursors = new Map<string, string>();

  const tidy = async (key: string): Promise<void> => {
    const kind = keys.kindOf(key);
    // All of them, or some at random where there are more.
    const members = (await connection.send('zrandmember', key, membersAtATime)) as string[];
    const tidying = members.map(async (member) => {
      const { id, mark } = parseIndexMember(member);
      if (!isStale(mark, clock)) return;
      const named = await connection.send('hget', keys.document(kind, id), 'mark');
      if (named !== mark) await connection.send('zrem', key, member);
    });
    await Promise.all(tidying);
  };

  return async () => {
    for (const { name, send } of connection.masters()) {
      const place = [
        cursors.get(name) ?? '0',
        'MATCH',
        keys.indexes,
        'COUNT',
        keysAtATime,
      ] as const;
      const [cursor, found] = (await send('scan', ...place)) as [string, string[]];
      cursors.set(name, cursor);
      for (const key of found) await tidy(key);
    }
  };
}
