/**
 * What happens to a grant document: the Grant of the library with its codes, refresh families, opaque
 * access tokens and tombstone, all in one document, so that "redeem the code and begin a family" or
 * "rotate" or "end it all" is one conditional write. Operations are pure (`storage/work.ts`).
 */

import { errors } from 'oidc-provider';
import type {
  CodeEntry,
  FamilyEntry,
  GrantDocument,
  LibraryPayload,
  TokenEntry,
} from '../storage/documents.ts';
import type { Operation } from '../storage/work.ts';
import { supersede } from './rotation.ts';

const codesMax = 5;
const familiesMax = 20;
const tokensMax = 20;

/** A second redemption this soon after the first is the loser of a race, not a thief. */
export const codeOverlapMs = 5_000;

type GrantOperation = Operation<GrantDocument>;

/** Without what has expired; the oldest go first when there are too many. Undefined when none is left. */
function trim<T extends { expiresAt: number }>(
  entries: Record<string, T>,
  max: number,
  now: number,
): Record<string, T> | undefined {
  const live = Object.entries(entries).filter(([, entry]) => entry.expiresAt > now);
  const kept = live.slice(-max);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** The living grant, or the refusal that every token operation on a dead one comes to. */
function living(document: GrantDocument | undefined): GrantDocument {
  if (document === undefined || document.ended !== undefined) {
    throw new errors.InvalidGrant('grant not found');
  }
  return document;
}

const words = (value: unknown): string[] =>
  typeof value === 'string' ? value.split(' ').filter(Boolean) : [];

const union = (a: unknown, b: unknown): string =>
  [...new Set([...words(a), ...words(b)])].join(' ');

/** What two requests added to one Grant at once: both stand. A Grant only ever grows. */
export function mergeGrantPayload(current: LibraryPayload, next: LibraryPayload): LibraryPayload {
  const openidOf = (payload: LibraryPayload) =>
    (payload.openid ?? {}) as { scope?: string; claims?: string[] };
  const resourcesOf = (payload: LibraryPayload) =>
    (payload.resources ?? {}) as Record<string, string>;
  const scope = union(openidOf(current).scope, openidOf(next).scope);
  const claims = [
    ...new Set([...(openidOf(current).claims ?? []), ...(openidOf(next).claims ?? [])]),
  ];
  const resources: Record<string, string> = { ...resourcesOf(current) };
  for (const [indicator, scopes] of Object.entries(resourcesOf(next))) {
    resources[indicator] = union(resources[indicator], scopes);
  }
  return {
    ...current,
    ...next,
    exp: Math.max(Number(current.exp ?? 0), Number(next.exp ?? 0)),
    ...(scope === '' && claims.length === 0
      ? {}
      : {
          openid: {
            ...(scope === '' ? {} : { scope }),
            ...(claims.length === 0 ? {} : { claims }),
          },
        }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
  };
}

/** @param fresh the document as it is when it does not exist yet */
export function saveGrant(fresh: GrantDocument): GrantOperation {
  return {
    apply(document) {
      if (document === undefined) return { document: fresh };
      const current = living(document);
      const payload = mergeGrantPayload(current.payload, fresh.payload);
      const expiresAt = Math.max(current.expiresAt, fresh.expiresAt);
      return { document: { ...current, payload, expiresAt } };
    },
  };
}

export function addCode(
  hash: string,
  entry: CodeEntry,
  grantUntil: number,
  now: number,
): GrantOperation {
  return {
    apply(document) {
      const current = living(document);
      // A family that begins with this code must not outlive its grant.
      const expiresAt = Math.max(current.expiresAt, grantUntil);
      return {
        document: {
          ...current,
          expiresAt,
          ...(typeof entry.payload.sid === 'string' ? { sid: entry.payload.sid } : {}),
          payload: { ...current.payload, exp: Math.floor(expiresAt / 1000) },
          codes: trim({ ...current.codes, [hash]: entry }, codesMax, now),
        },
      };
    },
  };
}

export function consumeCode(hash: string, now: number): GrantOperation {
  return {
    evenWhenRefused: true,
    apply(document) {
      const current = living(document);
      const code = current.codes?.[hash];
      if (code === undefined || code.consumedAt !== undefined) {
        throw new errors.InvalidGrant('authorization code already consumed');
      }
      return {
        document: {
          ...current,
          codes: { ...current.codes, [hash]: { ...code, consumedAt: now } },
        },
      };
    },
  };
}

export function beginFamily(id: string, entry: FamilyEntry, now: number): GrantOperation {
  return {
    apply(document) {
      const current = living(document);
      const families = trim({ ...current.families, [id]: entry }, familiesMax, now);
      return { document: { ...current, families } };
    },
  };
}

/**
 * The family goes from `generation` to the next. Who finds it there already lost a race against the same
 * token: it computed the same successor, and answers alike, unless there is no grace.
 */
export function rotateFamily(
  id: string,
  generation: number,
  payload: LibraryPayload,
  expiresAt: number,
  options: { graceMs: number; now: number },
): GrantOperation {
  return {
    apply(document) {
      const current = living(document);
      const family = current.families?.[id];
      if (family === undefined) throw new errors.InvalidGrant('refresh token not found');
      if (family.generation !== generation) {
        if (family.generation > generation && options.graceMs > 0) return { unchanged: true };
        throw new errors.InvalidGrant('refresh token already rotated');
      }
      const next = { ...supersede(family, options.now), payload, expiresAt };
      const families = { ...current.families, [id]: next };
      return {
        document: {
          ...current,
          // Every later write would carry the expired ones along.
          codes: trim(current.codes ?? {}, codesMax, options.now),
          families: trim(families, familiesMax, options.now),
        },
      };
    },
  };
}

/** Use moves the idle end of a family that is not rotated (sender-constrained tokens). */
export function touchFamily(id: string, expiresAt: number): GrantOperation {
  return {
    apply(document) {
      const current = living(document);
      const family = current.families?.[id];
      if (family === undefined) throw new errors.InvalidGrant('refresh token not found');
      const payload = { ...family.payload, exp: Math.floor(expiresAt / 1000) };
      const families = { ...current.families, [id]: { ...family, payload, expiresAt } };
      return { document: { ...current, families } };
    },
  };
}

export function addToken(hash: string, entry: TokenEntry, now: number): GrantOperation {
  return {
    apply(document) {
      const current = living(document);
      const tokens = trim({ ...current.tokens, [hash]: entry }, tokensMax, now);
      return { document: { ...current, tokens } };
    },
  };
}

export function removeToken(hash: string): GrantOperation {
  return {
    evenWhenRefused: true,
    apply(document) {
      if (document?.tokens?.[hash] === undefined) return { unchanged: true };
      const { [hash]: _removed, ...rest } = document.tokens;
      const { tokens: _tokens, ...grant } = document;
      return {
        document: Object.keys(rest).length === 0 ? grant : { ...grant, tokens: rest },
      };
    },
  };
}
