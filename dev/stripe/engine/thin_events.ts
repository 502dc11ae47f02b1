/** Thin events: for each snapshot one of its type, and finer ones for what has changed within. */

import type { Subscription, SubscriptionItem, ThinEvent, WebhookEvent } from '../objects.ts';
import { newId } from '../state.ts';
import type { State } from '../state.ts';

type EventObject = WebhookEvent['data']['object'];

/** Each snapshot type has its thin one; subscriptions and entitlements have finer ones beside it. */
export function thinTypes(
  type: string,
  object: EventObject,
  previous: object | undefined,
): string[] {
  const types = [`v1.${type}`];
  if (isSubscription(object)) types.push(...finerTypes(type, object, previous));
  return types;
}

function isSubscription(object: EventObject): object is EventObject & { status: string } {
  return object.object === 'subscription' && 'status' in object;
}

const announced = ['active', 'incomplete', 'incomplete_expired', 'past_due', 'trialing', 'unpaid'];

function finerTypes(
  type: string,
  subscription: EventObject & { status: string },
  previous: object | undefined,
): string[] {
  const name = 'v1.customer.subscription';
  const { status } = subscription;
  const finer: string[] = [];
  const begun = type === 'customer.subscription.created';
  const changed = (key: string) => previous !== undefined && key in previous;
  if ((begun || changed('status')) && announced.includes(status)) finer.push(`${name}.${status}`);
  if (changed('cancel_at')) finer.push(`${name}.cancel_at_changed`);
  if (changed('default_payment_method')) finer.push(`${name}.default_payment_method_changed`);
  if (previous !== undefined && changed('items')) {
    for (const what of itemChanges(itemsIn(previous), itemsIn(subscription))) {
      finer.push(`${name}.${what}`);
    }
  }
  return finer;
}

function itemsIn(holder: object): readonly SubscriptionItem[] {
  const { items }: Partial<Subscription> = holder;
  return items?.data ?? [];
}

function itemChanges(
  before: readonly SubscriptionItem[],
  after: readonly SubscriptionItem[],
): Set<string> {
  const found = new Set<string>();
  for (const item of after) {
    const was = before.find((one) => one.id === item.id);
    if (was === undefined) found.add('item_added');
    else {
      if (was.price.id !== item.price.id) found.add('item_price_changed');
      if (was.quantity !== item.quantity) found.add('item_quantity_changed');
    }
  }
  if (before.some((item) => !after.some((one) => one.id === item.id))) found.add('item_removed');
  return found;
}

export function thinOf(state: State, type: string, event: WebhookEvent): ThinEvent {
  return {
    id: newId(state, 'evt_test'),
    object: 'v2.core.event',
    created: new Date(event.created * 1000).toISOString(),
    livemode: event.livemode,
    ...reasonOf(event),
    related_object: relatedTo(event.data.object),
    snapshot_event: event.id,
    type,
    ...(type === 'v1.invoice.upcoming' ? { data: upcomingData(event.data.object) } : {}),
  };
}

function reasonOf({ request }: WebhookEvent): Pick<ThinEvent, 'reason'> {
  if (request === null || request.id === null) return {};
  return {
    reason: {
      type: 'request',
      request: { id: request.id, idempotency_key: request.idempotency_key ?? '' },
    },
  };
}

function upcomingData(invoice: EventObject): object {
  const customer: unknown = Reflect.get(invoice, 'customer');
  return { customer };
}

const roots: Record<string, string> = {
  'billing.meter': '/v1/billing/meters',
  'billing_portal.configuration': '/v1/billing_portal/configurations',
  'billing_portal.session': '/v1/billing_portal/sessions',
  'checkout.session': '/v1/checkout/sessions',
  'entitlements.feature': '/v1/entitlements/features',
  'test_helpers.test_clock': '/v1/test_helpers/test_clocks',
};

function relatedTo({ object, id }: EventObject): ThinEvent['related_object'] {
  if (id === undefined) return null;
  return { id, type: object, url: `${roots[object] ?? `/v1/${object}s`}/${id}` };
}
