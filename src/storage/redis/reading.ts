/**
 * The reads. Documents are judged by themselves: a member of a sorted set only says where to look. So what
 * was entered and never written, or is no longer so, is passed over, and nothing that is there is missed.
 */

import { boundedLimit, dueOf, entriesOf, requireIndex } from '../entries.ts';
import type { Documents, Kind } from '../kinds.ts';
import type { FindOptions, Stored } from '../store.ts';
import { staleUs } from './clock.ts';
import type { ServerClock } from './clock.ts';
import type { Commands } from './connection.ts';
import { newer } from './failure.ts';
import * as K from './keys.ts';
import type { Keys } from './keys.ts';
import { knownFormat, moveDueScript } from './scripts.ts';

const pageSize = 200;
/** How many pages one call looks through: 100,000 members, most of which count for nothing. */
const pagesMax = 500;

interface Read<D> {
  stored: Stored<D> | undefined;
  mark: string | null;
  due: string | null;
}

export interface ReaderOptions {
  connection: Commands;
  keys: Keys;
  clock: ServerClock;
  later: (task: Promise<unknown>) => void;
}

export function createReader(options: ReaderOptions) {
  const { connection, keys } = options;

  const read = async <D>(kind: Kind, id: string): Promise<Read<D>> => {
    const fields = ['version', 'body', 'format', 'mark', 'due'];
    const answer = await connection.send('hmget', keys.document(kind, id), ...fields);
    const [version, body, format, mark = null, due = null] = answer as (string | null)[];
    return { stored: storedOf<D>(id, version, body, format), mark, due };
  };

  return {
    async get<T extends Kind>(kind: T, id: string): Promise<Stored<Documents[T]> | undefined> {
      const fields = ['version', 'body', 'format'];
      const answer = await connection.send('hmget', keys.document(kind, id), ...fields);
      const [version, body, format] = answer as (string | null)[];
      return storedOf(id, version, body, format);
    },
    find: createFind(options, read),
    due: createDue(options, read),
  };
}

function storedOf<D>(
  id: string,
  version: string | null | undefined,
  body: string | null | undefined,
  format: string | null | undefined,
): Stored<D> | undefined {
  if (Number(format ?? 0) > knownFormat) throw newer(Number(format));
  if (body === null || body === undefined) return undefined;
  return { id, version: Number(version), document: JSON.parse(body) as D };
}

type ReadOne = <D>(kind: Kind, id: string) => Promise<Read<D>>;

function createFind({ connection, keys, clock, later }: ReaderOptions, read: ReadOne) {
  return async <T extends Kind>(
    kind: T,
    index: string,
    value: string,
    options: FindOptions = {},
  ): Promise<Stored<Documents[T]>[]> => {
    requireIndex(kind, index, options);
    const { after, descending = false } = options;
    const limit = boundedLimit(options.limit);
    const key = keys.index(kind, index, value);
    const found = new Map<string, Stored<Documents[T]>>();
    let from = descending ? '+' : '-';
    if (after !== undefined) from = descending ? K.beforeId(after) : K.behindId(after);
    for (let page = 0; page < pagesMax && found.size < limit; page += 1) {
      const command = descending ? 'zrevrangebylex' : 'zrangebylex';
      const size = Math.max(limit - found.size, 10);
      const to = descending ? '-' : '+';
      const members = (await connection.send(command, key, from, to, 'LIMIT', 0, size)) as string[];
      const parsed = members.map((member) => K.parseIndexMember(member));
      const reads = await Promise.all(parsed.map(({ id }) => read<Documents[T]>(kind, id)));
      for (const [position, { stored, mark }] of reads.entries()) {
        const member = parsed[position];
        if (stored !== undefined && holds(kind, stored.document, index, value)) {
          if (found.size < limit) found.set(stored.id, stored);
        }
        if (member !== undefined && member.mark !== mark && isStale(member.mark, clock)) {
          later(connection.send('zrem', key, members[position] ?? ''));
        }
      }
      if (members.length < size) break;
      from = `(${members.at(-1)}`;
    }
    return [...found.values()];
  };
}

function holds<T extends Kind>(
  kind: T,
  document: Documents[T],
  index: string,
  value: string,
): boolean {
  return entriesOf(kind, document).some((entry) => entry.name === index && entry.value === value);
}

/** No write can come any more that names it. */
export function isStale(mark: string, clock: ServerClock): boolean {
  return clock.now() - K.markedAt(mark) > staleUs;
}

/**
 * A document is entered by the time that it had once, or by an earlier one: renewing it moves nothing. So
 * who meets a document before its time enters it anew, at the right one.
 */
function createDue(options: ReaderOptions, read: ReadOne) {
  const { connection, keys, clock, later } = options;
  return async <T extends Kind>(
    kind: T,
    before: number,
    wanted: number,
  ): Promise<Stored<Documents[T]>[]> => {
    const limit = boundedLimit(wanted);
    const key = keys.due(kind);
    const to = K.behindDue(before);
    const found = new Map<string, { due: number; stored: Stored<Documents[T]> }>();
    let from = '-';
    let reached = Number.NEGATIVE_INFINITY;
    // What is entered later is due later: once enough are due by `reached`, no other comes first.
    const enough = () => {
      const certain = [...found.values()].filter(({ due }) => due <= reached);
      return certain.length >= limit;
    };
    for (let page = 0; page < pagesMax && !enough(); page += 1) {
      const range = [from, to, 'LIMIT', 0, pageSize] as const;
      const members = (await connection.send('zrangebylex', key, ...range)) as string[];
      const parsed = members.map((member) => K.parseDueMember(member));
      const reads = await Promise.all(parsed.map(({ id }) => read<Documents[T]>(kind, id)));
      const moves: Promise<void>[] = [];
      for (const [position, { stored, due: entry }] of reads.entries()) {
        const member = parsed[position];
        if (member === undefined) continue;
        const due = stored === undefined ? undefined : dueOf(kind, stored.document);
        if (stored !== undefined && due !== undefined) {
          if (due <= before) found.set(stored.id, { due, stored });
          else if (member.entry === entry) moves.push(move(options, kind, stored, entry, due));
        }
        if (member.entry !== entry && isStale(member.entry.slice(16), clock)) {
          later(connection.send('zrem', key, members[position] ?? ''));
        }
      }
      await Promise.all(moves);
      if (members.length < pageSize) break;
      from = `(${members.at(-1)}`;
      reached = parsed.at(-1)?.due ?? reached;
    }
    return [...found.values()]
      .toSorted((one, two) => one.due - two.due || (one.stored.id < two.stored.id ? -1 : 1))
      .slice(0, limit)
      .map(({ stored }) => stored);
  };
}

async function move(
  { connection, keys, clock, later }: ReaderOptions,
  kind: Kind,
  { id, version }: Stored<unknown>,
  entry: string,
  due: number,
): Promise<void> {
  const mark = clock.mark();
  const key = keys.due(kind);
  await connection.send('zadd', key, 0, K.dueMember(id, K.dueEntry(due, mark)));
  const place = [keys.document(kind, id), version, entry, K.sortable(due), mark] as const;
  const moved = await connection.run(moveDueScript, ...place);
  if (moved === 1) later(connection.send('zrem', key, K.dueMember(id, entry)));
}
