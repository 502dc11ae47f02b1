/** The Session model over session documents: found by its cookie, or by its uid. */

import type { Adapter } from 'oidc-provider';
import type { LibraryPayload } from '../storage/documents.ts';
import { deviceOf } from './device.ts';
import { endSessionOperation } from './endings.ts';
import { adapter, milliseconds, withoutId } from './model_adapter.ts';
import type { AdapterDependencies } from './model_adapter.ts';
import { cookieIsGood, saveSession } from './sessions.ts';

export function sessionAdapter(dependencies: AdapterDependencies): Adapter {
  const { work, tokens, clock, cutoffs, grantsOfSession } = dependencies;
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
    return { ...structuredClone(payload), jti: tokens.sessionCookie(uid, generation, payload) };
  };
  const deviceAt = ({ accountId, loginTs }: LibraryPayload) => {
    const request = accountId === undefined ? undefined : dependencies.signInRequest();
    return request && deviceOf(request, milliseconds(loginTs));
  };
  return adapter({
    async find(cookie) {
      const parts = tokens.parseSessionCookie(cookie);
      if (parts === undefined) return undefined;
      const session = await work.current().read('session', parts.uid);
      if (session === undefined || !tokens.verifySessionCookie(parts, session.payload)) {
        return undefined;
      }
      // Who signs out again, because the process died at the first attempt between the session and its
      // grants, is told the truth: the browser still has the cookie then.
      if (session.ended !== undefined) await grantsOfSession(parts.uid);
      if (!cookieIsGood(session, parts.generation, clock())) return undefined;
      if (cutoffs.refusesSession(session)) return undefined;
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
      if (cutoffs.refusesSession(session)) return undefined;
      return open(uid, session.payload, session.generation);
    },
    upsert(cookie, payload) {
      const parts = tokens.parseSessionCookie(cookie);
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
          device: deviceAt(payload),
        }),
      );
      return Promise.resolve();
    },
    destroy(cookie) {
      const parts = tokens.parseSessionCookie(cookie);
      if (parts !== undefined) {
        const { uid } = parts;
        work.current().record('session', uid, endSessionOperation(uid, 'signed_out', clock));
        work.current().afterwards(() => grantsOfSession(uid));
      }
      return Promise.resolve();
    },
  });
}
