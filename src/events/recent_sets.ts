/**
 * The security events of the last minutes, whoever was told of them: for a service that was away, or that has lost
 * its memory. As long ago as an access token lives, and a little more: older ones concern nothing that is still good.
 */

import type { Clock } from '../base/clock.ts';
import type { NoticeDocument } from '../storage/documents.ts';
import type { Store, Stored } from '../storage/store.ts';
import { encodeSet, isOfOtherProduct, ownTypes, setId } from './encodings/set.ts';
import { setsOf } from './encodings/sets_of.ts';
import type { Sign } from './receivers.ts';
import type { Sets } from './stream_polls.ts';

export interface RecentSetsOptions {
  store: Pick<Store, 'get' | 'find'>;
  clock: Clock;
  issuer: string;
  sign: Sign;
  /** As for streams (`stream_receivers.ts`). */
  productOf?(client: string): string | undefined;
}

export interface RecentQuery {
  /** Who asks. */
  client: string;
  audience: string;
  /** Milliseconds; the beginning of what there is when not given. */
  since?: number | undefined;
  /** `jti` of the last one of the answer before. */
  after?: string | undefined;
}

export interface RecentSets {
  read(query: RecentQuery): Promise<Sets>;
}

const windowMs = 20 * 60 * 1000;
const mostSets = 100;
const pageSize = 1000;
/** Many notices are no security events: so many are gone through in search of one. */
const mostPages = 50;
export const setIdPattern = /^(evt_[0-9a-f]{12,40})(?:\.(\d{1,6}))?$/;

type Notice = Stored<NoticeDocument>;

interface Place {
  notice: Notice;
  part: number;
}

export function createRecentSets(options: RecentSetsOptions): RecentSets {
  const { store, clock, issuer, sign, productOf } = options;

  const partsOf = (client: string, notice: Notice, from: number): Place[] =>
    ownTypes.has(notice.document.type) || isOfOtherProduct(notice.document, productOf?.(client))
      ? []
      : setsOf(issuer, notice.document)
          .map((_event, part) => ({ notice, part }))
          .slice(from);

  /** Where to begin: what is left of the notice that the last answer ended with, and the place behind it. */
  async function start(query: RecentQuery): Promise<{ left: Place[]; id: string }> {
    const { client, since = 0, after } = query;
    const at = Math.trunc(Math.max(since, clock() - windowMs));
    // Ids begin with their time, and nothing sorts before the bare time.
    const earliest = `evt_${at.toString(16).padStart(12, '0')}`;
    const [, id = '', part = '0'] = setIdPattern.exec(after ?? '') ?? [];
    if (id < earliest) return { left: [], id: earliest };
    const notice = await store.get('notice', id);
    return { left: notice === undefined ? [] : partsOf(client, notice, Number(part) + 1), id };
  }

  async function encode(audience: string, { notice, part }: Place): Promise<[string, string]> {
    const { id, document } = notice;
    const { body } = await encodeSet({ issuer, audience, sign }, id, document, {
      part,
      createdAt: document.at,
    });
    return [setId(id, part), body];
  }

  return {
    async read(query) {
      const { left, id } = await start(query);
      const places = left;
      let after = id;
      let isEnd = false;
      for (let page = 0; page < mostPages && !isEnd && places.length <= mostSets; page += 1) {
        const found = await store.find('notice', 'all', 'all', { after, limit: pageSize });
        places.push(...found.flatMap((notice) => partsOf(query.client, notice, 0)));
        after = found.at(-1)?.id ?? after;
        isEnd = found.length < pageSize;
      }
      const chosen = places.slice(0, mostSets);
      const encoded = await Promise.all(chosen.map((place) => encode(query.audience, place)));
      const moreAvailable = places.length > chosen.length || !isEnd;
      return { sets: Object.fromEntries(encoded), moreAvailable };
    },
  };
}
