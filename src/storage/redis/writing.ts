/**
 * One write. What the document is found by lies under other keys, so it is added before the document is
 * written and removed after: there may be an entry too many, never one too few.
 */

import { Problem } from '../../base/errors.ts';
import { dueOf, entriesOf, requireWritable } from '../entries.ts';
import { remembranceMs } from '../expiry.ts';
import { kinds } from '../kinds.ts';
import type { Documents, Kind } from '../kinds.ts';
import { Conflict } from '../store.ts';
import type { WriteOptions } from '../store.ts';
import type { ServerClock } from './clock.ts';
import type { Commands } from './connection.ts';
import { newer } from './failure.ts';
import { dueEntry, dueMember, indexMember, pendingMember, sortable } from './keys.ts';
import type { Keys } from './keys.ts';
import { writeScript } from './scripts.ts';

/** After its time a document that carries no events vanishes by itself, should nobody sweep. */
const netMs = 24 * 60 * 60 * 1000;
/** Each of them needs a pause of half a minute to come about. */
const attemptsMax = 8;

/** Fixed when the write is asked for: the caller may change its document after. */
export interface PreparedWrite {
  kind: Kind;
  id: string;
  body: string;
  /** JSON of what it is found by; empty for nothing. */
  entries: string;
  due: string;
  expect: WriteOptions['expect'];
  writeId: string;
  lifetimeMs: string;
  /** Id and JSON of each. */
  events: string[];
}

export function prepareWrite<K extends Kind>(
  kind: K,
  id: string,
  document: Documents[K] | null,
  { expect, events = [], writeId, now }: WriteOptions & { writeId: string; now: number },
): PreparedWrite {
  requireWritable(kind, id, events);
  if (kinds[kind].unique !== undefined) {
    throw new TypeError(`a ${kind} has unique fields, which no other key can promise`);
  }
  const found = document === null ? [] : entriesOf(kind, document);
  const due = dueOf(kind, document);
  const vanishes = kinds[kind].eventless === true && due !== undefined;
  return {
    kind,
    id,
    body: document === null ? '' : JSON.stringify(document),
    entries:
      found.length === 0 ? '' : JSON.stringify(found.map(({ name, value }) => [name, value])),
    due: due === undefined ? '' : sortable(due),
    expect,
    writeId,
    lifetimeMs: vanishes ? String(Math.ceil(Math.max(0, due - now) + netMs)) : '',
    events: events.flatMap(({ id: eventId, type, at, data }) => [
      eventId,
      JSON.stringify({ type, at, data }),
    ]),
  };
}

export interface WriterOptions {
  connection: Commands;
  keys: Keys;
  clock: ServerClock;
  /** Takes what need not be waited for. */
  later: (task: Promise<unknown>) => void;
}

export function createWriter({ connection, keys, clock, later }: WriterOptions) {
  /** Under one mark, everything by which the document is to be found. */
  const entriesOfMark = ({ kind, id, entries, due }: PreparedWrite, mark: string): Member[] => {
    const members = indexMembers(keys, kind, id, entries, mark);
    if (due !== '') {
      members.push([keys.due(kind), dueMember(id, dueEntry(Number(due), mark))]);
    }
    return members;
  };
  const announcement = ({ kind, id }: PreparedWrite, mark: string): Member => [
    keys.pending,
    pendingMember(kind, id, mark),
  ];

  /** What the answer says is named no more, and what was added for nothing. */
  const remove = (write: PreparedWrite, unused: Member[], answer: readonly string[]): void => {
    const { kind, id } = write;
    const [entries = '', mark = '', due = ''] = answer;
    const members = [...unused, ...indexMembers(keys, kind, id, entries, mark)];
    if (due !== '') members.push([keys.due(kind), dueMember(id, due)]);
    for (const [key, member] of members) later(connection.send('zrem', key, member));
  };

  /** @returns the new version */
  return async (write: PreparedWrite): Promise<number> => {
    const { kind, id, body, entries, due, events, expect } = write;
    const key = keys.document(kind, id);
    const indexed = body !== '' && (entries !== '' || due !== '');
    // A new document is found by nothing yet; another one mostly by what it was found by before.
    let withEntries = indexed && expect === 'absent';
    let behind = 0;
    let mark = '';
    let added: Member[] = [];
    const unused: Member[] = [];
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const adding: Member[] = [];
      if (mark === '' && (withEntries || events.length > 0)) {
        mark = clock.mark(behind);
        if (events.length > 0) adding.push(announcement(write, mark));
      }
      if (withEntries) adding.push(...entriesOfMark(write, mark));
      added.push(...adding);
      const add = ([at, member]: Member) =>
        events.length > 0
          ? connection.sendDurably('zadd', at, 0, member)
          : connection.send('zadd', at, 0, member);
      await Promise.all(adding.map(add));
      const how = withEntries ? 'entered' : '';
      const decision = [String(expect), write.writeId, body, entries, due, mark, how];
      const parameters = [...decision, write.lifetimeMs, remembranceMs, ...events];
      const answer = await (events.length > 0
        ? connection.runDurably(writeScript, key, ...parameters)
        : connection.run(writeScript, key, ...parameters));
      const [outcome, ...rest] = (answer as (string | number)[]).map(String);
      if (outcome === 'written') {
        const [version, ...named] = rest;
        if (events.length > 0 && named[3] === '') unused.push(announcement(write, mark));
        remove(write, unused, named);
        return Number(version);
      }
      if (outcome === 'done') return Number(rest[0]);
      if (outcome === 'conflict') throw new Conflict(kind, id);
      if (outcome === 'newer') throw newer(Number(rest[0]));
      if (outcome === 'late') {
        clock.set(Number(rest[0]));
        behind = Number(rest[1]);
        // The document refuses these for good once it takes a newer mark, and they can go then.
        unused.push(...added);
        added = [];
        mark = '';
      } else {
        withEntries = true;
      }
    }
    throw new Problem('busy', 503, 'Too many changes at once. Try again in a moment.', {
      details: { kind },
      retryAfterSeconds: 1,
    });
  };
}

export type Member = [key: string, member: string];

/** Of the entries as a document keeps them, under one mark. */
export function indexMembers(
  keys: Keys,
  kind: Kind,
  id: string,
  entries: string,
  mark: string,
): Member[] {
  if (entries === '') return [];
  const pairs = JSON.parse(entries) as [name: string, value: string][];
  return pairs.map(([name, value]) => [keys.index(kind, name, value), indexMember(id, mark)]);
}
