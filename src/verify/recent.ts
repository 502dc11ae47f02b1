/**
 * What a service missed while it was not there: `GET <issuer>/ssf/recent?since=<seconds>` answers as RFC 8936
 * §2.4 does, `{ "sets": { jti: SET }, "moreAvailable": bool }`, page by page with `after=<last jti>`. It is
 * asked for what happened within the life of an access token; of before nothing is alive.
 */

import type { Access } from './access.ts';
import { VerifyError } from './errors.ts';
import { fetchJson, isObject } from './http.ts';
import type { Inbox } from './inbox.ts';
import type { Settings } from './settings.ts';

const maximumPages = 1000;
const limitBytes = 8_388_608;

export interface RecentParts {
  settings: Settings;
  inbox: Inbox;
  access: Access;
  issuer: string;
  /** How far back. */
  seconds: number;
}

/**
 * All that can be applied is, also when something else cannot.
 * @throws {VerifyError} `recent_unavailable`, `deny_unavailable`, `event_failed`
 */
export async function fetchRecent({
  settings,
  inbox,
  access,
  issuer,
  seconds,
}: RecentParts): Promise<void> {
  const since = Math.floor(settings.now() / 1000 - seconds);
  const address = new URL(`${issuer.replace(/\/$/, '')}/ssf/recent?since=${since}`);
  const refused: unknown[] = [];
  for (let page = 0; page < maximumPages; page += 1) {
    const { sets, more } = await fetchPage(settings, access, address.href);
    for (const [jti, set] of sets) {
      try {
        await inbox.acceptSet(set, jti);
      } catch (error) {
        refused.push(error);
        settings.warn('event_refused', 'An event of late was refused.', error);
      }
    }
    const last = sets.at(-1)?.[0];
    if (!more) {
      if (refused.length > 0) throw new VerifyError('recent_unavailable', { cause: refused[0] });
      return;
    }
    // A page without an event, or the same one again: it would never end.
    if (last === undefined || last === address.searchParams.get('after')) break;
    address.searchParams.set('after', last);
  }
  throw new VerifyError('recent_unavailable', { message: 'The events of late do not end.' });
}

async function fetchPage(settings: Settings, access: Access, address: string) {
  const authorization = await access.authorization();
  try {
    const { status, body } = await fetchJson(settings.fetch, address, {
      headers: { authorization },
      limitBytes,
    });
    if (status === 401) access.forget();
    if (status !== 200) throw new Error(`${new URL(address).pathname} answered ${status}`);
    return readSets(body);
  } catch (cause) {
    throw new VerifyError('recent_unavailable', { cause });
  }
}

/** RFC 8936 §2.4. @throws when it is another thing */
export function readSets(body: unknown): { sets: [jti: string, set: string][]; more: boolean } {
  if (!isObject(body) || !isObject(body['sets'])) throw new Error('there are no sets');
  const sets = Object.entries(body['sets']).map(([jti, set]): [string, string] => [
    jti,
    typeof set === 'string' ? set : '',
  ]);
  return { sets, more: body['moreAvailable'] === true };
}
