/** Which events of Stripe can change what an account may do, and what each is a reason for. */

/**
 * `sync`: the customer is read afresh. `checkout`: a Checkout Session is looked at. `dispute`: a payment is disputed.
 */
export type EventWork = 'sync' | 'checkout' | 'dispute';

/** At most 20: `events.list` takes no more types, and `tollgate stripe push` subscribes to the same. */
export const handledTypes = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
  'customer.deleted',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'customer.subscription.pending_update_applied',
  'customer.subscription.pending_update_expired',
  'customer.subscription.trial_will_end',
  'entitlements.active_entitlement_summary.updated',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.payment_action_required',
  'invoice.finalization_failed',
  'invoice.marked_uncollectible',
  'charge.dispute.created',
] as const;

/** Not subscribed to by our commands, but taken from whoever sends them. */
const alsoSync = new Set(['customer.updated', 'invoice.payment_succeeded', 'invoice.voided']);
/** Stripe adds finer ones: `v1.customer.subscription.cancel_at_changed`. All mean that the customer is read afresh. */
const families = ['customer.subscription.', 'entitlements.active_entitlement_summary.'];
const handled: ReadonlySet<string> = new Set(handledTypes);

/** @param type of a snapshot or, with `v1.` before it, of a thin event. @returns undefined: it changes nothing here */
export function workOf(type: string): EventWork | undefined {
  const plain = type.replace(/^v1\./, '');
  if (families.some((family) => plain.startsWith(family)) || alsoSync.has(plain)) return 'sync';
  if (!handled.has(plain)) return undefined;
  if (plain.startsWith('checkout.')) return 'checkout';
  return plain.startsWith('charge.dispute.') ? 'dispute' : 'sync';
}
