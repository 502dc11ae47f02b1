/**
 * The quantity at Stripe, where it follows the members. Whoever changes it looks again until it is what the seats are:
 * of two at the same time, in whatever order Stripe hears them, the last one to look puts it right.
 */

import { sha256 } from '../base/secrets.ts';
import { busy } from '../directory/change.ts';
import { isDead } from './subscription_state.ts';
import { quantityFor, seatLimits } from './seat_limits.ts';
import type { SeatLimit } from './seat_limits.ts';
import type { SeatsOptions } from './seats.ts';

export interface SeatQuantity {
  /**
   * One more is paid at once, or refused as a whole; what is left over of one less goes to the next invoice.
   * @returns whether anything was changed
   * @throws {Problem} `card_declined` (402), `stripe_unavailable` (503), `stripe_refused` (502)
   */
  follow(account: string): Promise<boolean>;
}

const mostRounds = 10;
const raising = {
  proration_behavior: 'always_invoice',
  payment_behavior: 'error_if_incomplete',
} as const;
const lowering = { proration_behavior: 'create_prorations' } as const;

export function createSeatQuantity(options: SeatsOptions): SeatQuantity {
  const { store, clock, config, stripe, sync } = options;

  /** @returns whether it had to be changed */
  async function adjust(limit: SeatLimit, taken: number, version: number): Promise<boolean> {
    const { subscription: id } = limit;
    if (id === undefined) return false;
    const subscription = await stripe.find('subscriptions.retrieve', (api) =>
      api.subscriptions.retrieve(id),
    );
    const item = subscription?.items.data.find((one) => one.id === limit.item);
    if (subscription === undefined || item === undefined || isDead(subscription)) return false;
    const quantity = quantityFor(limit, taken);
    const before = item.quantity ?? 0;
    if (before === quantity) return false;
    // The account's version, since the same step may be right again later the same day.
    const key = sha256(JSON.stringify(['seats', id, before, quantity, version]));
    await stripe.call('subscriptions.update', (api) =>
      api.subscriptions.update(
        id,
        { items: [{ id: item.id, quantity }], ...(quantity > before ? raising : lowering) },
        { idempotencyKey: `tollgate:${key}` },
      ),
    );
    return true;
  }

  return {
    async follow(account) {
      for (let round = 0; round < mostRounds; round += 1) {
        const stored = await store.get('account', account);
        if (stored === undefined) return round > 0;
        const { document, version } = stored;
        const limits = seatLimits(document, { config: config(), now: clock() });
        let changed = false;
        for (const limit of limits.filter(({ raises }) => raises)) {
          const taken = document.seats?.length ?? 0;
          changed = (await adjust(limit, taken, version)) || changed;
        }
        if (!changed) return round > 0;
        if (document.customer !== undefined) await sync.customer(document.customer);
      }
      throw busy();
    },
  };
}
