/** The end of a grant document. Apart from `grants.ts`, so that a command which ends things need not load the library. */

import type { Clock } from '../base/clock.ts';
import type { GrantDocument } from '../storage/documents.ts';
import type { NewEvent } from '../storage/store.ts';
import type { Operation } from '../storage/work.ts';

/** The session at the client, as in the tokens of this grant; undefined where it never had one. */
export function sidOf({ sid, codes, families, tokens }: GrantDocument): string | undefined {
  if (sid !== undefined) return sid;
  // Of a version before, which did not keep it by itself.
  const entries = [codes, families, tokens].flatMap((all) => Object.values(all ?? {}));
  return entries.map(({ payload }) => payload.sid).find((one) => typeof one === 'string');
}

/**
 * The tombstone: every token of the grant is dead with this write, and the event that tells the world
 * is in it. The document stays until its absolute end, so that a request that loaded it before cannot
 * write it back. Codes, families and tokens are dropped: nothing can use them again.
 */
export function endGrant(
  reason: string,
  clock: Clock,
  event: (grant: GrantDocument, now: number) => NewEvent,
): Operation<GrantDocument> {
  return {
    evenWhenRefused: true,
    apply(document) {
      if (document === undefined || document.ended !== undefined) return { unchanged: true };
      // Of this attempt to write it: services refuse what was issued up to its second, so also what a request issued
      // that came in between.
      const now = clock();
      const { codes: _codes, families: _families, tokens: _tokens, ...rest } = document;
      return {
        document: { ...rest, ended: { at: now, reason } },
        events: [event(document, now)],
      };
    },
  };
}
