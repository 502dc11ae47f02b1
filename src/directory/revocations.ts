/**
 * "Everything from before is over", for one user or one account: written on their document, which is what tokens
 * are judged by from then on. Sessions and grants are ended one after the other by the OpenID room.
 */

import type { Clock } from '../base/clock.ts';
import { newEvent } from '../events/types.ts';
import type { EventData } from '../events/types.ts';
import type { Store } from '../storage/store.ts';
import { accountUnknown } from './accounts.ts';
import { change } from './change.ts';
import { userUnknown } from './users.ts';

export interface Revocations {
  revokeUser: (user: string, reason: EventData['user.revoked']['reason']) => Promise<number>;
  revokeAccount: (account: string) => Promise<number>;
}

export function createRevocations({ store, clock }: { store: Store; clock: Clock }): Revocations {
  return {
    async revokeUser(user, reason) {
      const now = clock();
      const changed = await change(store, 'user', user, (present) => {
        if (present.status === 'deleted') throw userUnknown();
        const revokedBefore = Math.max(now, present.revokedBefore ?? 0);
        const event = newEvent(() => now, 'user.revoked', { user, reason });
        return { document: { ...present, revokedBefore }, events: [event] };
      });
      if (changed === undefined) throw userUnknown();
      return now;
    },

    async revokeAccount(account) {
      const now = clock();
      const changed = await change(store, 'account', account, (present) => {
        const revokedBefore = Math.max(now, present.revokedBefore ?? 0);
        const event = newEvent(() => now, 'account.revoked', { account, reason: 'operator' });
        return { document: { ...present, revokedBefore }, events: [event] };
      });
      if (changed === undefined) throw accountUnknown();
      return now;
    },
  };
}
