/** What a user allowed a third party's client: a row of its own, so that it outlives the browser. */

import type { Clock } from '../base/clock.ts';
import { newEvent } from '../events/types.ts';
import { Conflict } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';

const attemptsMax = 8;

/** Unambiguous, whatever characters a moved-in user id has. */
export function consentId(user: string, client: string, account: string | undefined): string {
  return JSON.stringify(account === undefined ? [user, client] : [user, client, account]);
}

/** Adds these scopes to what is allowed already. */
export async function giveConsent(
  { store, clock }: { store: Store; clock: Clock },
  consent: {
    user: string;
    client: string;
    account: string | undefined;
    scopes: string[];
    claims: string[];
  },
): Promise<void> {
  const { user, client, account } = consent;
  const id = consentId(user, client, account);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const stored = await store.get('consent', id);
    const scopes = [...new Set([...(stored?.document.scopes ?? []), ...consent.scopes])];
    const claims = [...new Set([...(stored?.document.claims ?? []), ...consent.claims])];
    const subject = { user, client, ...(account === undefined ? {} : { account }) };
    try {
      await store.write(
        'consent',
        id,
        { ...subject, scopes, ...(claims.length > 0 ? { claims } : {}), at: clock() },
        {
          expect: stored?.version ?? 'absent',
          events: [newEvent(clock, 'consent.given', { ...subject, scopes })],
        },
      );
      return;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
  throw new Conflict('consent', id);
}

/**
 * From now on it would be asked for again. What the app has by it ends with the event (`endings.ts`).
 * @returns whether there was one
 */
export async function withdrawConsent(
  { store, clock }: { store: Store; clock: Clock },
  { user, client, account }: { user: string; client: string; account: string | undefined },
): Promise<boolean> {
  const id = consentId(user, client, account);
  const event = newEvent(clock, 'consent.withdrawn', {
    user,
    client,
    ...(account === undefined ? {} : { account }),
  });
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const stored = await store.get('consent', id);
    if (stored === undefined) return false;
    try {
      await store.write('consent', id, null, { expect: stored.version, events: [event] });
      return true;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
  throw new Conflict('consent', id);
}
