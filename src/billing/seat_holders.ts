/**
 * Who has a seat, as the account's document says it: members, and for a while those who are on the way in. Each of these
 * is one conditional write.
 */

import { change } from '../directory/change.ts';
import { memberIds } from '../directory/member_list.ts';
import type { AccountDocument } from '../storage/documents.ts';
import { limitBelow, seatLimits, seatsFull } from './seat_limits.ts';
import type { SeatsOptions } from './seats.ts';

/** From a seat to the membership it takes a moment; a call to Stripe lies between them. */
const arrivingMs = 2 * 60_000;

export interface SeatHolders {
  /** @throws {Problem} `seats_full` (402) */
  reserve(account: string, user: string): Promise<void>;
  /** They are no longer on the way in. @returns the account as it is then */
  settleIn(account: string, user: string): Promise<AccountDocument | undefined>;
  leave(account: string, user: string): Promise<void>;
  /** @returns whether anything had to be put right */
  putRight(account: string): Promise<boolean>;
}

export function createSeatHolders(
  options: Pick<SeatsOptions, 'store' | 'clock' | 'config'>,
): SeatHolders {
  const { store, clock, config } = options;
  const limitsOf = (document: AccountDocument) =>
    seatLimits(document, { config: config(), now: clock() });

  /** @throws {Problem} `seats_full` (402) */
  async function reserve(account: string, user: string): Promise<void> {
    await change(store, 'account', account, (present) => {
      const limits = limitsOf(present);
      if (limits.length === 0) return undefined;
      const seats = new Set(present.seats).add(user);
      const full = limitBelow(limits, seats.size);
      if (full !== undefined) throw seatsFull(full, account, config().issuer);
      if (seats.size === present.seats?.length) return undefined;
      const arriving = { ...present.arriving, [user]: clock() };
      return { document: { ...present, seats: [...seats], arriving } };
    });
  }

  async function settleIn(account: string, user: string): Promise<AccountDocument | undefined> {
    const changed = await change(store, 'account', account, (present) => {
      const { [user]: since, ...others } = present.arriving ?? {};
      return since === undefined ? undefined : { document: withArriving(present, others) };
    });
    return changed?.document;
  }

  async function leave(account: string, user: string): Promise<void> {
    await change(store, 'account', account, (present) => {
      const { seats = [], ...rest } = present;
      const left = seats.filter((one) => one !== user);
      if (left.length === seats.length) return undefined;
      const { [user]: _gone, ...others } = present.arriving ?? {};
      const kept = withArriving(rest, others);
      return { document: left.length === 0 ? kept : { ...kept, seats: left } };
    });
  }

  /** Seats are members', and for a while those of who is on the way in. */
  async function putRight(account: string): Promise<boolean> {
    const document = (await store.get('account', account))?.document;
    if (document === undefined) return false;
    const members = await memberIds(store, account, document);
    const changed = await change(store, 'account', account, (present) => {
      const { seats = [], ...rest } = present;
      const isCounted = limitsOf(present).length > 0;
      const arriving = Object.entries(present.arriving ?? {}).filter(
        ([, since]) => isCounted && Math.abs(clock() - since) < arrivingMs,
      );
      const wanted = new Set([...(isCounted ? members : []), ...arriving.map(([user]) => user)]);
      const isSame = seats.length === wanted.size && seats.every((user) => wanted.has(user));
      if (isSame && arriving.length === Object.keys(present.arriving ?? {}).length)
        return undefined;
      const kept = withArriving(rest, Object.fromEntries(arriving));
      return { document: wanted.size === 0 ? kept : { ...kept, seats: [...wanted] } };
    });
    return changed?.written === true;
  }

  return { reserve, settleIn, leave, putRight };
}

function withArriving(account: AccountDocument, arriving: Record<string, number>): AccountDocument {
  const { arriving: _before, ...rest } = account;
  return Object.keys(arriving).length === 0 ? rest : { ...rest, arriving };
}
