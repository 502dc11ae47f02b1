/** The models that live inside a grant document: Grant, codes, refresh tokens, opaque access tokens. */

import type { Adapter } from 'oidc-provider';
import { randomToken } from '../base/ids.ts';
import { sha256 } from '../base/secrets.ts';
import type { FamilyEntry } from '../storage/documents.ts';
import { endGrantOperation } from './endings.ts';
import * as grants from './grants.ts';
import { adapter, milliseconds, withoutId } from './model_adapter.ts';
import type { AdapterDependencies } from './model_adapter.ts';
import { decideRotation } from './rotation.ts';
import { grantOfToken } from './tokens.ts';

export function grantAdapter(dependencies: AdapterDependencies): Adapter {
  const { work, clock, endReason, cutoffs } = dependencies;
  return adapter({
    async find(id) {
      const grant = await work.current().read('grant', id);
      if (grant === undefined || grant.ended !== undefined) return undefined;
      return cutoffs.refusesGrant(grant) ? undefined : { ...grant.payload, jti: id };
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
      const reason = endReason();
      work.current().record('grant', id, endGrantOperation(id, reason, clock));
      return Promise.resolve();
    },
  });
}

export function codeAdapter({ work, clock, grantLifetimeMs }: AdapterDependencies): Adapter {
  return adapter({
    async find(code) {
      const id = grantOfToken('tgc', code);
      const grant = id === undefined ? undefined : await work.current().read('grant', id);
      const entry = grant?.codes?.[sha256(code)];
      if (entry === undefined) return undefined;
      const { consumedAt } = entry;
      // The losers of a race for one code must not kill the winner's grant: to them there is no code.
      const { since } = work.current();
      if (consumedAt !== undefined && since - consumedAt < grants.codeOverlapMs) return undefined;
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

export function refreshTokenAdapter(dependencies: AdapterDependencies): Adapter {
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
      if (dependencies.revoking()) return { ...family.payload, jti: value };
      const policy = rotationPolicy(grant.client);
      const decision = decideRotation(family, parts.generation, policy, work.current().since);
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

export function accessTokenAdapter({ work, clock, openJwt }: AdapterDependencies): Adapter {
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
