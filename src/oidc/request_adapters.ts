/** Models of one request or one client: interactions, pushed requests, tokens of clients alone. */

import { errors } from 'oidc-provider';
import type { Adapter } from 'oidc-provider';
import { sha256 } from '../base/secrets.ts';
import { adapter, milliseconds, withoutId } from './model_adapter.ts';
import type { AdapterDependencies } from './model_adapter.ts';

export function interactionAdapter({ work, browser }: AdapterDependencies): Adapter {
  return adapter({
    async find(uid) {
      const document = await work.current().read('interaction', uid);
      if (document === undefined) return undefined;
      const asking = browser();
      if (asking !== undefined && asking.hash !== document.browser) return undefined;
      return { ...document.payload, jti: uid };
    },
    upsert(uid, payload) {
      const expiresAt = milliseconds(payload.exp);
      const { session, ...rest } = withoutId(payload);
      // The library keeps the session's cookie here; a database must not hold one that opens a session.
      const { cookie: _cookie, ...known } = (session ?? {}) as Record<string, unknown>;
      const kept = session === undefined ? rest : { ...rest, session: known };
      const hash = browser()?.hash ?? '';
      const existed = work.current().peek('interaction', uid) !== undefined;
      work.current().record('interaction', uid, {
        apply(document) {
          if (existed && document === undefined) throw interactionOver();
          const begun = document?.browser ?? hash;
          return { document: { payload: kept, browser: begun, expiresAt } };
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

export function parAdapter({ work, clock }: AdapterDependencies): Adapter {
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
export function clientCredentialsAdapter({ work }: AdapterDependencies): Adapter {
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
