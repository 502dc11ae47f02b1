/** When something was begun, to tell what is from before a moment. In seconds, as the library counts. */

import type { GrantDocument, SessionDocument } from '../storage/documents.ts';

/** A session begins anew with each sign-in. */
export function sessionBegunAt({ payload }: Pick<SessionDocument, 'payload'>): number {
  return Number(payload.loginTs ?? payload.iat ?? 0);
}

export function grantBegunAt({ payload }: Pick<GrantDocument, 'payload'>): number {
  return Number(payload.iat ?? 0);
}

/**
 * Whether it is to be ended. What was begun within the same second is: rather ask somebody to sign in once more
 * than leave what a thief has just made.
 */
export function isToEnd(begunAt: number, before: number): boolean {
  return begunAt <= Math.floor(before / 1000);
}

/**
 * Whether it is refused unseen, until it is ended. What was begun within the same second is not, for it may be the
 * next sign-in, which would be asked for again and again.
 */
export function isRefused(begunAt: number, before: number | undefined): boolean {
  return before !== undefined && begunAt < Math.floor(before / 1000);
}
