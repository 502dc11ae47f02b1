/**
 * oidc-provider's adapter over the unit of work: the library reads and writes models, we keep documents.
 * It never decides by itself: what a token comes to is in `rotation.ts`, what a document becomes in
 * `grants.ts` and `sessions.ts`. Everything it writes is recorded, and flushed with the answer.
 */

import { errors } from 'oidc-provider';
import type { Adapter } from 'oidc-provider';
import type { Clock } from '../base/clock.ts';
import { randomToken } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { sha256 } from '../base/secrets.ts';
import type { FamilyEntry, LibraryPayload } from '../storage/documents.ts';
import type { UnitOfWork } from '../storage/work.ts';
import * as grants from './grants.ts';
import { endGrantOperation, endSessionOperation } from './endings.ts';
import type { GrantEndReason } from '../events/types.ts';
import { decideRotation } from './rotation.ts';
import type { RotationPolicy } from './rotation.ts';
import { cookieIsGood, saveSession } from './sessions.ts';
import { grantOfToken } from './tokens.ts';
import type { Tokens } from './tokens.ts';

export interface AdapterDependencies {
  work: UnitOfWork;
  tokens: Tokens;
  clock: Clock;
  log: Log;
  /** By client id: whether and for how long its superseded refresh tokens are answered. */
  rotationPolicy(client: string): RotationPolicy;
  /** How long a grant must be able to carry a family that begins now. */
  grantLifetimeMs: number;
  /** A JWT access token of ours as the library's AccessToken, for userinfo (`claims.ts`). */
  openJwt(value: string): Promise<LibraryPayload | undefined>;
  /** Why the library ends a grant in the present request. */
  endReason(): GrantEndReason;
  /** After a session ended: the grants that came from it, before the answer is sent. Idempotent. */
  grantsOfSession(uid: string): Promise<void>;
}

type Stored = LibraryPayload | undefined;

/** Models that nothing here uses answer "not found", and refuse to be written. */
function unused(name: string): Adapter {
  const refuse = () => Promise.reject(new Error(`${name} is not kept`));
  const nothing = () => Promise.resolve(undefined);
  return {
    upsert: refuse,
    consume: refuse,
    destroy: nothing,
    revokeByGrantId: nothing,
    find: nothing,
    findByUid: nothing,
    findByUserCode: nothing,
  };
}

const withoutId = ({ jti: _jti, ...payload }: LibraryPayload): LibraryPayload => payload;
const milliseconds = (seconds: unknown): number => Number(seconds) * 1000;

type Finder = (id: string) => Promise<Stored>;
type Saver = (id: string, payload: LibraryPayload) => Promise<void>;

function adapter(parts: {
  find: Finder;
  upsert: Saver;
  findByUid?: Finder;
  consume?: (id: string) => Promise<void>;
  destroy?: (id: string) => Promise<void>;
}): Adapter {
  const nothing = () => Promise.resolve(undefined);
  return {
    find: parts.find,
    upsert: (id, payload) => parts.upsert(id, payload),
    findByUid: parts.findByUid ?? nothing,
    findByUserCode: nothing,
    consume: parts.consume ?? nothing,
    destroy: parts.destroy ?? nothing,
    // The Grant's tombstone says it all, in one write.
    revokeByGrantId: nothing,
  };
}

function grantAdapter({ work, clock, endReason }: AdapterDependencies): Adapter {
  return adapter({
    async find(id) {
      const grant = await work.current().read('grant', id);
      return grant === undefined || grant.ended !== undefined
        ? undefined
        : { ...grant.payload, jti: id };
    },
    upsert(id, payload) {
      const { accountId, clientId, account, sessionUid } = payload;
      work.current().record(
        'grant',
        id,
        grants.saveGrant({
          payload: withoutId(payload),
          user: String(accountId),
          client: String(clientId),
          ...(typeof account === 'string' ? { account } : {}),
          session: String(sessionUid),
          salt: randomToken(),
          expiresAt: milliseconds(payload.exp),
        }),
      );
      return Promise.resolve();
    },
    destroy(id) {
      work.current().record('grant', id, endGrantOperation(id, endReason(), clock()));
      return Promise.resolve();
    },
  });
}

function codeAdapter({ work, clock, grantLifetimeMs }: AdapterDependencies): Adapter {
  return adapter({
    async find(code) {
      const id = grantOfToken('tgc', code);
      const grant = id === undefined ? undefined : await work.current().read('grant', id);
      const entry = grant?.codes?.[sha256(code)];
      if (entry === undefined) return undefined;
      const { consumedAt } = entry;
      // The losers of a race for one code must not kill the winner's grant: to them there is no code.
      if (consumedAt !== undefined && clock() - consumedAt < grants.codeOverlapMs) return undefined;
      return {
        ...entry.payload,
        jti: code,
        ...(consumedAt === undefined ? {} : { consumed: Math.floor(consumedAt / 1000) }),
      };
    },
    upsert(code, payload) {
      const entry = { payload: withoutId(payload), expiresAt: milliseconds(payload.exp) };
      work
        .current()
        .record(
          'grant',
          String(payload.grantId),
          grants.addCode(sha256(code), entry, clock() + grantLifetimeMs, clock()),
        );
      return Promise.resolve();
    },
    consume(code) {
      const id = grantOfToken('tgc', code);
      if (id !== undefined) {
        work.current().record('grant', id, grants.consumeCode(sha256(code), clock()));
      }
      return Promise.resolve();
    },
  });
}

function refreshTokenAdapter(dependencies: AdapterDependencies): Adapter {
  const { work, tokens, clock, log, rotationPolicy } = dependencies;
  return adapter({
    async find(value) {
      const parts = tokens.parseRefreshToken(value);
      if (parts === undefined) return undefined;
      const grant = await work.current().read('grant', parts.grant);
      const family = grant?.families?.[parts.family];
      if (grant === undefined || family === undefined) return undefined;
      // Nobody ends a session by guessing: without a valid mac there is no effect at all.
      if (!tokens.verifyRefreshToken(parts, grant.salt)) return undefined;
      const policy = rotationPolicy(grant.client);
      const decision = decideRotation(family, parts.generation, policy, clock());
      if (decision === 'store_behind') {
        log.error('store_behind', {
          grant: parts.grant,
          presented: parts.generation,
          stored: family.generation,
        });
      }
      if (decision === 'refuse' || decision === 'store_behind') return undefined;
      return {
        ...family.payload,
        jti: value,
        // The library ends the grant when it is handed a consumed token.
        ...(decision === 'reuse' ? { consumed: Math.floor(clock() / 1000) } : {}),
      };
    },
    upsert(value, payload) {
      const parts = tokens.parseRefreshToken(value);
      if (parts === undefined) throw new Error('a refresh token of a foreign form');
      const { grant: id, family: familyId, generation } = parts;
      const expiresAt = milliseconds(payload.exp);
      const kept = withoutId(payload);
      const family = work.current().peek('grant', id)?.families?.[familyId];
      if (family === undefined) {
        const entry: FamilyEntry = { payload: kept, generation, expiresAt };
        work.current().record('grant', id, grants.beginFamily(familyId, entry, clock()));
      } else if (generation > family.generation) {
        const { graceMs } = rotationPolicy(String(payload.clientId));
        const options = { graceMs, now: clock() };
        work
          .current()
          .record(
            'grant',
            id,
            grants.rotateFamily(familyId, generation - 1, kept, expiresAt, options),
          );
      }
      // The present one again (a second tab, a lost response): there is nothing to write.
      return Promise.resolve();
    },
  });
}

function accessTokenAdapter({ work, clock, openJwt }: AdapterDependencies): Adapter {
  return adapter({
    async find(value) {
      const id = grantOfToken('tga', value);
      if (id === undefined) return openJwt(value);
      const grant = await work.current().read('grant', id);
      const entry = grant?.tokens?.[sha256(value)];
      return entry === undefined ? undefined : { ...entry.payload, jti: value };
    },
    upsert(value, payload) {
      const entry = { payload: withoutId(payload), expiresAt: milliseconds(payload.exp) };
      work
        .current()
        .record('grant', String(payload.grantId), grants.addToken(sha256(value), entry, clock()));
      return Promise.resolve();
    },
    destroy(value) {
      const id = grantOfToken('tga', value);
      if (id !== undefined) work.current().record('grant', id, grants.removeToken(sha256(value)));
      return Promise.resolve();
    },
  });
}

function sessionAdapter(dependencies: AdapterDependencies): Adapter {
  const { work, tokens, clock, grantsOfSession } = dependencies;
  /** What this request read of a session, to tell what it changed. */
  const bases = new WeakMap<object, Map<string, LibraryPayload>>();
  const basesOf = () => {
    const current = work.current();
    let known = bases.get(current);
    if (known === undefined) {
      known = new Map();
      bases.set(current, known);
    }
    return known;
  };
  const open = (uid: string, payload: LibraryPayload, generation: number) => {
    const known = basesOf();
    if (!known.has(uid)) known.set(uid, payload);
    return { ...structuredClone(payload), jti: tokens.sessionCookie(uid, generation) };
  };
  return adapter({
    async find(cookie) {
      const parts = tokens.openSessionCookie(cookie);
      if (parts === undefined) return undefined;
      const session = await work.current().read('session', parts.uid);
      // Who signs out again, because the process died at the first attempt between the session and its
      // grants, is told the truth: the browser still has the cookie then.
      if (session?.ended !== undefined) await grantsOfSession(parts.uid);
      if (session === undefined || !cookieIsGood(session, parts.generation, clock())) {
        return undefined;
      }
      // Handed out again with the present generation, so that no tab puts an older cookie back; the one
      // that was presented tells how far to move on (`models.ts`).
      return {
        ...open(parts.uid, session.payload, session.generation),
        presentedGeneration: parts.generation,
      };
    },
    async findByUid(uid) {
      const session = await work.current().read('session', uid);
      if (session === undefined || session.ended !== undefined) return undefined;
      return open(uid, session.payload, session.generation);
    },
    upsert(cookie, payload) {
      const parts = tokens.openSessionCookie(cookie);
      if (parts === undefined) throw new Error('a session of a foreign form');
      const next = withoutId(payload);
      work.current().record(
        'session',
        parts.uid,
        saveSession({
          base: basesOf().get(parts.uid),
          next,
          generation: parts.generation,
          expiresAt: milliseconds(payload.exp),
          now: clock(),
        }),
      );
      return Promise.resolve();
    },
    destroy(cookie) {
      const parts = tokens.openSessionCookie(cookie);
      if (parts !== undefined) {
        const { uid } = parts;
        work.current().record('session', uid, endSessionOperation(uid, 'signed_out', clock()));
        work.current().afterwards(() => grantsOfSession(uid));
      }
      return Promise.resolve();
    },
  });
}

function interactionAdapter({ work }: AdapterDependencies): Adapter {
  return adapter({
    async find(uid) {
      const document = await work.current().read('interaction', uid);
      return document === undefined ? undefined : { ...document.payload, jti: uid };
    },
    upsert(uid, payload) {
      const expiresAt = milliseconds(payload.exp);
      const { session, ...rest } = withoutId(payload);
      // The library keeps the session's cookie here; a database must not hold one that opens a session.
      const { cookie: _cookie, ...known } = (session ?? {}) as Record<string, unknown>;
      const kept = session === undefined ? rest : { ...rest, session: known };
      const existed = work.current().peek('interaction', uid) !== undefined;
      work.current().record('interaction', uid, {
        apply(document) {
          if (existed && document === undefined) throw interactionOver();
          return { document: { payload: kept, expiresAt } };
        },
      });
      return Promise.resolve();
    },
    destroy(uid) {
      // The single-use gate of a resume: of three clicks one goes on.
      work.current().record('interaction', uid, {
        apply(document) {
          if (document === undefined) throw interactionOver();
          return { document: null };
        },
      });
      return Promise.resolve();
    },
  });
}

function interactionOver() {
  return new errors.SessionNotFound('this sign-in went on in another tab');
}

function parAdapter({ work, clock }: AdapterDependencies): Adapter {
  return adapter({
    async find(id) {
      const document = await work.current().read('par', sha256(id));
      if (document === undefined) return undefined;
      const { payload, consumedAt } = document;
      return {
        ...payload,
        jti: id,
        ...(consumedAt === undefined ? {} : { consumed: Math.floor(consumedAt / 1000) }),
      };
    },
    upsert(id, payload) {
      const document = { payload: withoutId(payload), expiresAt: milliseconds(payload.exp) };
      work.current().record('par', sha256(id), { apply: () => ({ document }) });
      return Promise.resolve();
    },
    consume(id) {
      work.current().record('par', sha256(id), {
        evenWhenRefused: true,
        apply(document) {
          if (document === undefined || document.consumedAt !== undefined) {
            throw new errors.InvalidRequestUri('request_uri was already used');
          }
          return { document: { ...document, consumedAt: clock() } };
        },
      });
      return Promise.resolve();
    },
  });
}

/** Opaque tokens that belong to a client and not to a user's grant. */
function clientCredentialsAdapter({ work }: AdapterDependencies): Adapter {
  return adapter({
    async find(value) {
      const document = await work.current().read('token', sha256(value));
      return document === undefined ? undefined : { ...document.payload, jti: value };
    },
    upsert(value, payload) {
      const document = { payload: withoutId(payload), expiresAt: milliseconds(payload.exp) };
      work.current().record('token', sha256(value), { apply: () => ({ document }) });
      return Promise.resolve();
    },
    destroy(value) {
      work.current().record('token', sha256(value), { apply: () => ({ document: null }) });
      return Promise.resolve();
    },
  });
}

export function createAdapterFactory(dependencies: AdapterDependencies): (name: string) => Adapter {
  const made: Record<string, (dependencies: AdapterDependencies) => Adapter> = {
    Grant: grantAdapter,
    AuthorizationCode: codeAdapter,
    RefreshToken: refreshTokenAdapter,
    AccessToken: accessTokenAdapter,
    Session: sessionAdapter,
    Interaction: interactionAdapter,
    PushedAuthorizationRequest: parAdapter,
    ClientCredentials: clientCredentialsAdapter,
  };
  return (name) => made[name]?.(dependencies) ?? unused(name);
}
