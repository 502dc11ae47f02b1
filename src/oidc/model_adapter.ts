/** What the adapters of the library's models share (`adapter.ts`). */

import type { Adapter } from 'oidc-provider';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { GrantEndReason } from '../events/types.ts';
import type { LibraryPayload } from '../storage/documents.ts';
import type { UnitOfWork } from '../storage/work.ts';
import type { Cutoffs } from './cutoffs.ts';
import type { SignInRequest } from './device.ts';
import type { RotationPolicy } from './rotation.ts';
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
  /** The library answers a request to revoke a token: any that we made leads to its grant then. */
  revoking(): boolean;
  /** SHA-256 of the present browser's cookie, where the library itself is being asked. */
  browser(): { hash: string | undefined } | undefined;
  /** The present request as one that may sign somebody in, where the library itself is being asked. */
  signInRequest(): SignInRequest | undefined;
  /** What is from before a moment that an operator named is as good as ended. */
  cutoffs: Pick<Cutoffs, 'refusesGrant' | 'refusesSession'>;
  /** After a session ended: the grants that came from it, before the answer is sent. Idempotent. */
  grantsOfSession(uid: string): Promise<void>;
}

type Finder = (id: string) => Promise<LibraryPayload | undefined>;
type Saver = (id: string, payload: LibraryPayload) => Promise<void>;

export function adapter(parts: {
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

export const withoutId = ({ jti: _jti, ...payload }: LibraryPayload): LibraryPayload => payload;
export const milliseconds = (seconds: unknown): number => Number(seconds) * 1000;
