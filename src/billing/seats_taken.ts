/** How many seats a plan has to be bought with: whoever is a member already has one, also where none were counted so far. */

import { Problem } from '../base/errors.ts';
import type { PlanConfig } from '../config.ts';
import { memberIds } from '../directory/member_list.ts';
import type { Store } from '../storage/store.ts';

/** @param id of the account; absent: it is not there yet, and has room for its owner */
export async function seatsTaken(
  store: Store,
  { seats }: Pick<PlanConfig, 'seats'>,
  id: string | undefined,
): Promise<number> {
  const account = id === undefined ? undefined : (await store.get('account', id))?.document;
  if (seats === undefined || id === undefined || account === undefined) return 0;
  return account.seats?.length ?? (await memberIds(store, id, account)).length;
}

/**
 * @param wished one of those that the plan allows; what of a plan that is raised says nothing
 * @throws {Problem} `seats_taken` (409)
 */
export function seatsToBuy(
  { min, max, whenFull }: NonNullable<PlanConfig['seats']>,
  wished: number | undefined,
  taken: number,
): number {
  // Where it follows the members nobody chooses it.
  const chosen = whenFull === 'raise' ? taken : (wished ?? taken);
  const quantity = Math.min(max, Math.max(min, chosen));
  if (quantity >= taken) return quantity;
  throw new Problem('seats_taken', 409, `${taken} seats are taken.`, {
    details: { taken, quantity },
  });
}
