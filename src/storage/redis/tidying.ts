/**
 * Comes around to all keys, a little at each sweep. From the indexes it removes what no document names: left
 * behind by processes that died between two steps, harmless, and mostly removed by who reads the index.
 *
 * In a cluster it also adds anew what documents name. There a failover can take the last entries of an index
 * and leave the documents, which are on another node; a single server loses the newer of both.
 */

import { kinds } from '../kinds.ts';
import type { Kind } from '../kinds.ts';
import type { ServerClock } from './clock.ts';
import type { Connection } from './connection.ts';
import { dueMember, parseIndexMember, pendingMember } from './keys.ts';
import type { Keys } from './keys.ts';
import { isStale } from './reading.ts';
import { indexMembers } from './writing.ts';
import type { Member } from './writing.ts';

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

  const tidy = async (key: string, kind: Kind): Promise<void> => {
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

  /** Should the document change meanwhile, what is added is one too many, and removed when it is old. */
  const repair = async (key: string, kind: Kind, id: string): Promise<void> => {
    const fields = ['entries', 'mark', 'due', 'pending'];
    const answer = (await connection.send('hmget', key, ...fields)) as (string | null)[];
    const [entries, mark, due, pending] = answer.map((value) => value ?? '');
    const members: Member[] = indexMembers(keys, kind, id, entries ?? '', mark ?? '');
    if (due) members.push([keys.due(kind), dueMember(id, due)]);
    if (pending) members.push([keys.pending, pendingMember(kind, id, pending)]);
    await Promise.all(members.map(([at, member]) => connection.send('zadd', at, 0, member)));
  };

  return async () => {
    for (const { name, send } of connection.masters()) {
      const range = ['MATCH', keys.all, 'COUNT', keysAtATime] as const;
      const answer = await send('scan', cursors.get(name) ?? '0', ...range);
      const [cursor, found] = answer as [string, string[]];
      cursors.set(name, cursor);
      const repairs: Promise<void>[] = [];
      for (const key of found) {
        const indexed = keys.indexedKind(key);
        if (indexed !== undefined) await tidy(key, indexed);
        const place = connection.isCluster ? keys.documentAt(key) : undefined;
        // Those that carry no events vanish by themselves.
        if (place === undefined || kinds[place.kind].eventless === true) continue;
        repairs.push(repair(key, place.kind, place.id));
      }
      await Promise.all(repairs);
    }
  };
}
