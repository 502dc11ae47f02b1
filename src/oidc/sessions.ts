/**
 * What happens to a session document. The cookie is a counter (`tokens.ts`): parallel requests that
 * move it on compute the same next one, so five tabs end with one cookie, and no index is needed.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type {
  LibraryPayload,
  SessionDevice,
  SessionDocument,
  Superseded,
} from '../storage/documents.ts';
import type { NewEvent } from '../storage/store.ts';
import type { Operation } from '../storage/work.ts';
import { supersede } from './rotation.ts';

/** For how long a cookie that a parallel request superseded is still good, were all clocks the same. */
const supersededMs = 60_000;
/** The clocks of two processes may differ by so much; after a larger step nothing is good again. */
const skewMs = 60_000;

type SessionOperation = Operation<SessionDocument>;

/** Whether this generation of the cookie opens the session now. */
export function cookieIsGood(session: SessionDocument, generation: number, now: number): boolean {
  if (session.ended !== undefined || session.expiresAt <= now) return false;
  if (generation === session.generation) return true;
  return (session.superseded ?? []).some(
    (entry) => entry.generation === generation && isRecent(entry, now),
  );
}

function isRecent({ at }: Superseded, now: number): boolean {
  return at - now <= skewMs && now - at < supersededMs + skewMs;
}

type Authorizations = Record<string, Record<string, unknown>>;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Three ways: what this request changed since it read `base` is put on what others wrote meanwhile. */
export function mergeSessionPayload(
  base: LibraryPayload,
  next: LibraryPayload,
  current: LibraryPayload,
): LibraryPayload {
  const merged: LibraryPayload = { ...current };
  for (const key of new Set([...Object.keys(base), ...Object.keys(next)])) {
    if (key === 'authorizations' || same(base[key], next[key])) continue;
    if (next[key] === undefined) delete merged[key];
    else merged[key] = next[key];
  }
  const authorizations = mergeAuthorizations(
    (base.authorizations ?? {}) as Authorizations,
    (next.authorizations ?? {}) as Authorizations,
    (current.authorizations ?? {}) as Authorizations,
  );
  if (Object.keys(authorizations).length > 0) merged.authorizations = authorizations;
  else delete merged.authorizations;
  merged.exp = Math.max(Number(current.exp ?? 0), Number(next.exp ?? 0));
  return merged;
}

function mergeAuthorizations(
  base: Authorizations,
  next: Authorizations,
  current: Authorizations,
): Authorizations {
  const merged = { ...current };
  for (const client of new Set([...Object.keys(base), ...Object.keys(next)])) {
    const after = next[client];
    if (same(base[client], after)) continue;
    if (after === undefined) delete merged[client];
    // Both remember the grants by account that they know of.
    else {
      const accounts = {
        ...(current[client]?.accounts as object | undefined),
        ...(after.accounts as object | undefined),
      };
      merged[client] = {
        ...current[client],
        ...after,
        ...(Object.keys(accounts).length > 0 ? { accounts } : {}),
      };
    }
  }
  return merged;
}

export interface SessionSave {
  /** The payload as this request read it; undefined for a session that it began. */
  base: LibraryPayload | undefined;
  next: LibraryPayload;
  /** The generation of the cookie that goes out with the answer. */
  generation: number;
  expiresAt: number;
  now: number;
  /** Where this request comes from: kept of those that sign in. */
  device?: SessionDevice | undefined;
}

export function saveSession({
  base,
  next,
  generation,
  expiresAt,
  now,
  device,
}: SessionSave): SessionOperation {
  // A sign-in, a step-up or a change of person ends all earlier cookies at once (fixation).
  const changed = base?.accountId !== next.accountId || base?.loginTs !== next.loginTs;
  const signedIn = base !== undefined && changed;
  return {
    apply(document) {
      if (document === undefined) {
        // It was there when this request began and is gone: it expired, and must not come back.
        if (base !== undefined) throw sessionOver();
        const fresh = { payload: next, generation, expiresAt };
        return { document: withUser(changed ? { ...fresh, device } : fresh, next) };
      }
      if (document.ended !== undefined) throw sessionOver();
      const payload = mergeSessionPayload(base ?? {}, next, document.payload);
      let moved: Pick<SessionDocument, 'generation' | 'superseded'> = document;
      while (moved.generation < generation) moved = supersede(moved, now);
      return {
        document: withUser(
          {
            ...document,
            payload,
            generation: moved.generation,
            superseded: signedIn ? undefined : recent(moved, now),
            ...(changed ? { device } : {}),
            expiresAt: Math.max(document.expiresAt, expiresAt),
          },
          payload,
        ),
      };
    },
  };
}

function recent(
  { superseded }: Pick<SessionDocument, 'superseded'>,
  now: number,
): SessionDocument['superseded'] {
  const kept = (superseded ?? []).filter((entry) => isRecent(entry, now));
  return kept.length > 0 ? kept : undefined;
}

function withUser(document: SessionDocument, payload: LibraryPayload): SessionDocument {
  const user = payload.accountId;
  return typeof user === 'string' ? { ...document, user } : document;
}

function sessionOver(): Problem {
  return new Problem('signed_out', 403, 'You were signed out meanwhile. Sign in again.');
}

/** The tombstone: nothing revives an ended session. The event that tells the world is in the write. */
export function endSession(
  reason: string,
  clock: Clock,
  event: (session: SessionDocument, now: number) => NewEvent,
): SessionOperation {
  return {
    evenWhenRefused: true,
    apply(document) {
      if (document === undefined || document.ended !== undefined) return { unchanged: true };
      // As of a grant (`grant_end.ts`).
      const now = clock();
      // Where it was is of no use any more.
      const { device: _device, ...rest } = document;
      return {
        document: { ...rest, ended: { at: now, reason } },
        events: [event(document, now)],
      };
    },
  };
}

/** `{ client, sid }` of every client that this session signed in to: who hears of its end. */
export function clientsOfSession(session: SessionDocument): { client: string; sid: string }[] {
  const authorizations = (session.payload.authorizations ?? {}) as Authorizations;
  return Object.entries(authorizations).flatMap(([client, { sid }]) =>
    typeof sid === 'string' ? [{ client, sid }] : [],
  );
}
