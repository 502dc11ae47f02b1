/**
 * What has ended before it expired. A token is checked without asking anybody, so the word that access has
 * ended must be here already: events bring it, and it is kept for as long as a token of before could
 * live. A rule names keys of tokens, and up to which second they are of before. A token issued in the
 * very second of the event is denied with them: a second too much for one who signed in again at once,
 * rather than one too little for a thief.
 */

import type { AccessClaims } from './claims.ts';
import { VerifyError } from './errors.ts';
import { isObject } from './http.ts';
import { futureSeconds } from './jwt.ts';
import { requestsAreApart } from './runtime.ts';
import type { SafeStore } from './store.ts';

/** What an event is about: one issuer's ids. */
export interface Subject {
  user?: string;
  account?: string;
  session?: string;
}

export interface Rule {
  kind: 'revoked' | 'stale';
  /** See `keyOf`. A token that has one of them is meant. */
  keys: readonly string[];
  /** Seconds since the epoch. Tokens with a later `iat` are not meant. */
  before: number;
  /** With `revoked`: only tokens of this user are meant. */
  sub?: string;
  /** With `stale`: what the claims are now. `null`: absent. Tokens that say so are not meant. */
  claims?: Readonly<Record<string, unknown>>;
}

/** [claim, its value now, before] */
type Change = readonly [name: string, value: unknown, before: number];

interface Revoked {
  before: number;
  sub?: string | undefined;
}

/** An access token lives for this long at most (T17). */
export const lifetimeSeconds = 900;
const maximumChanges = 64;

/**
 * The narrowest key that a subject has parts for: `sid+account`, `sid`, `sub+account`, `sub`, `account`.
 * JSON, so that no two subjects have the same, whatever their ids are made of.
 */
export function keyOf(issuer: string, { user, account, session }: Subject): string | undefined {
  const first = session ?? user;
  if (first === undefined) {
    return account === undefined ? undefined : JSON.stringify(['account', issuer, account]);
  }
  const name = session === undefined ? 'sub' : 'sid';
  return account === undefined
    ? JSON.stringify([name, issuer, first])
    : JSON.stringify([`${name}+account`, issuer, first, account]);
}

type TokenParts = Pick<AccessClaims, 'iss' | 'sub' | 'sid' | 'account'>;

/** All keys that mean this token. */
export function keysOf({ iss, sub, sid, account }: TokenParts): string[] {
  const subjects: Subject[] = [{ user: sub }];
  if (sid !== undefined) subjects.push({ session: sid });
  if (account !== undefined) {
    subjects.push({ account }, { user: sub, account });
    if (sid !== undefined) subjects.push({ session: sid, account });
  }
  return subjects.map((subject) => keyOf(iss, subject)).filter((key) => key !== undefined);
}

export interface DenylistOptions {
  store: SafeStore;
  /** Milliseconds since the epoch. */
  now: () => number;
  toleranceSeconds: number;
}

export class Denylist {
  readonly #options: DenylistOptions;
  /** The last rule that is being written, by key. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: DenylistOptions) {
    this.#options = options;
  }

  /** How long ago a token may have been issued that is still good, in seconds. */
  get reachSeconds(): number {
    return lifetimeSeconds + this.#options.toleranceSeconds;
  }

  /**
   * For one key one rule after the other, as each is made of what is there. Processes that share a store are
   * not kept apart: of two events for one key in the same instant, one may be lost.
   * @throws {VerifyError} `deny_unavailable`
   */
  apply(rule: Rule): Promise<void> {
    if (requestsAreApart) return this.#apply(rule);
    const before = rule.keys.map((key) => this.#turns.get(key) ?? Promise.resolve());
    const done = Promise.all(before).then(() => this.#apply(rule));
    const settled = done
      .catch(() => undefined)
      .then(() => {
        for (const key of rule.keys) {
          if (this.#turns.get(key) === settled) this.#turns.delete(key);
        }
      });
    for (const key of rule.keys) this.#turns.set(key, settled);
    return done;
  }

  async #apply(rule: Rule): Promise<void> {
    const { store, now } = this.#options;
    const nowSeconds = now() / 1000;
    // An event from far ahead would deny what is issued from now on.
    const before = Math.floor(Math.min(rule.before, nowSeconds + futureSeconds));
    // Nothing of before is alive.
    if (before + this.reachSeconds < nowSeconds) return;
    const keys = rule.keys.map((key) => storeKey(rule.kind, key));
    const present = await store.getMany(keys);
    const ttlSeconds = (latest: number) => Math.ceil(latest + this.reachSeconds - nowSeconds) + 1;
    const writes = keys.map((key, index) => {
      if (rule.kind === 'revoked') {
        const entry = revokedBy(readRevoked(present[index]), { before, sub: rule.sub });
        return store.set(key, JSON.stringify(entry), ttlSeconds(entry.before));
      }
      const oldest = nowSeconds - this.reachSeconds;
      const changes = changedBy(readChanges(present[index]), rule.claims ?? {}, before, oldest);
      const latest = Math.max(before, ...changes.map((change) => change[2]));
      return store.set(key, JSON.stringify(changes), ttlSeconds(latest));
    });
    await Promise.all(writes);
  }

  /** @throws {VerifyError} `deny_unavailable`: nobody knows */
  async find(claims: AccessClaims): Promise<'revoked' | 'stale' | undefined> {
    const keys = keysOf(claims);
    const wanted = [
      ...keys.map((key) => storeKey('revoked', key)),
      ...keys.map((key) => storeKey('stale', key)),
    ];
    const values = await this.#options.store.getMany(wanted);
    const revoked = values.slice(0, keys.length).some((value) => {
      const entry = readRevoked(value);
      if (entry === undefined || claims.iat > entry.before) return false;
      return entry.sub === undefined || entry.sub === claims.sub;
    });
    if (revoked) return 'revoked';
    const said: Readonly<Record<string, unknown>> = { ...claims };
    const stale = values
      .slice(keys.length)
      .flatMap(readChanges)
      .some(
        ([name, value, before]) =>
          claims.iat <= before && !same(Object.hasOwn(said, name) ? said[name] : null, value),
      );
    return stale ? 'stale' : undefined;
  }
}

function storeKey(kind: Rule['kind'], key: string): string {
  return `tollgate:${kind}:${key}`;
}

/** The later one; where they name two users, anybody. */
function revokedBy(old: Revoked | undefined, next: Revoked): Revoked {
  if (old === undefined) return next;
  return {
    before: Math.max(old.before, next.before),
    sub: old.sub === next.sub ? next.sub : undefined,
  };
}

/** Of each claim the latest value. What no living token can be older than is left out. */
function changedBy(
  old: readonly Change[],
  claims: Readonly<Record<string, unknown>>,
  before: number,
  oldest: number,
): Change[] {
  const changes = new Map(old.map((change) => [change[0], change]));
  for (const [name, value] of Object.entries(claims)) {
    const known = changes.get(name);
    if (known === undefined || known[2] <= before) changes.set(name, [name, value ?? null, before]);
  }
  return [...changes.values()]
    .filter((change) => change[2] >= oldest)
    .toSorted((one, other) => other[2] - one[2])
    .slice(0, maximumChanges);
}

function readRevoked(value: string | null | undefined): Revoked | undefined {
  if (typeof value !== 'string') return undefined;
  const entry = parse(value);
  if (!isObject(entry) || typeof entry['before'] !== 'number') throw unreadable();
  const { before, sub } = entry;
  return { before, sub: typeof sub === 'string' ? sub : undefined };
}

function readChanges(value: string | null | undefined): Change[] {
  if (typeof value !== 'string') return [];
  const changes = parse(value);
  if (!Array.isArray(changes)) throw unreadable();
  for (const change of changes) {
    const right = Array.isArray(change) && change.length === 3 && typeof change[2] === 'number';
    if (!right) throw unreadable();
  }
  return changes as Change[];
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw unreadable();
  }
}

/** Somebody else writes there. What it said is not known. */
function unreadable(): VerifyError {
  return new VerifyError('deny_unavailable');
}

/** The same JSON. Of a list of texts (`roles`, `entitlements`) the order says nothing. */
function same(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_name, part: unknown) => {
    if (Array.isArray(part) && part.every((item) => typeof item === 'string')) {
      return part.toSorted();
    }
    if (!isObject(part)) return part;
    return Object.fromEntries(
      Object.entries(part).toSorted(([first], [second]) => (first < second ? -1 : 1)),
    );
  });
}
