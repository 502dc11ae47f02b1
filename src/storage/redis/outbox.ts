/** Events: they wait in the hash of their document, and one set says in which documents some do. */

import { boundedLimit } from '../entries.ts';
import { remembranceMs } from '../expiry.ts';
import type { Kind } from '../kinds.ts';
import type { EventPlace, NewEvent, PendingEvent, PendingOptions } from '../store.ts';
import { parsePendingMember, pendingMember } from './keys.ts';
import { isStale } from './reading.ts';
import type { ReaderOptions } from './reading.ts';
import { eventsScript, settleScript } from './scripts.ts';

const pageSize = 100;
const pagesMax = 1000;

interface Waiting {
  /** The mark of the document's pending member; empty when no event waits. */
  mark: string;
  /** The event to read on behind waits still. */
  found: boolean;
  events: PendingEvent[];
}

export function createOutbox({ connection, keys, clock, later }: ReaderOptions) {
  const waitingOf = async (kind: Kind, id: string, limit: number, after = ''): Promise<Waiting> => {
    const answer = await connection.run(eventsScript, keys.document(kind, id), limit, after);
    const [mark = '', found = '', ...rest] = answer as string[];
    const events: PendingEvent[] = [];
    for (let position = 0; position + 1 < rest.length; position += 2) {
      events.push(eventOf(kind, id, rest[position] ?? '', rest[position + 1] ?? ''));
    }
    return { mark, found: found !== '', events };
  };

  const pending = async (limit: number, { after, of }: PendingOptions = {}) => {
    const most = boundedLimit(limit);
    if (of !== undefined) return (await waitingOf(of.kind, of.id, most, after?.id)).events;
    const events: PendingEvent[] = [];
    let from = '-';
    if (after !== undefined) {
      const rest = await waitingOf(after.kind, after.document, most, after.id);
      if (rest.found) {
        events.push(...rest.events);
        from = `(${pendingMember(after.kind, after.document, rest.mark)}`;
      }
    }
    for (let page = 0; page < pagesMax && events.length < most; page += 1) {
      const size = Math.min(pageSize, most - events.length);
      const range = [from, '+', 'LIMIT', 0, size] as const;
      const members = (await connection.send('zrangebylex', keys.pending, ...range)) as string[];
      const places = members.map((member) => parsePendingMember(member));
      const reads = await Promise.all(
        places.map(({ kind, id }) => waitingOf(kind, id, most - events.length)),
      );
      for (const [position, waiting] of reads.entries()) {
        const mark = places[position]?.mark ?? '';
        if (waiting.mark === mark) events.push(...waiting.events);
        else if (isStale(mark, clock)) {
          later(connection.send('zrem', keys.pending, members[position] ?? ''));
        }
      }
      if (members.length < size) break;
      from = `(${members.at(-1)}`;
    }
    return events.slice(0, most);
  };

  const settle = async (events: readonly EventPlace[]): Promise<void> => {
    const places = new Map<string, { kind: Kind; id: string; events: string[] }>();
    for (const { kind, document, id } of events) {
      const key = keys.document(kind, document);
      const place = places.get(key) ?? { kind, id: document, events: [] };
      place.events.push(id);
      places.set(key, place);
    }
    const settling = [...places].map(async ([key, { kind, id, events: ids }]) => {
      const mark = String(await connection.run(settleScript, key, remembranceMs, ...ids));
      if (mark === '') return;
      later(connection.send('zrem', keys.pending, pendingMember(kind, id, mark)));
    });
    await Promise.all(settling);
  };

  return { pending, settle };
}

/** @param value `version position json` */
function eventOf(kind: Kind, document: string, id: string, value: string): PendingEvent {
  const [version = '', position = ''] = value.split(' ', 2);
  const json = value.slice(version.length + position.length + 2);
  const event = JSON.parse(json) as Omit<NewEvent, 'id'>;
  return { id, ...event, kind, document, version: Number(version) };
}
