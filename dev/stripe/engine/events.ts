/** Events: the snapshot that Stripe keeps for 30 days, and the thin ones that go with it. */

import type { Subscription, ThinEvent, WebhookEvent } from '../objects.ts';
import { apiVersion, newId, now } from '../state.ts';
import type { State } from '../state.ts';

const maxEvents = 20_000;

interface Emitting {
  /** What had other values before, as it was. */
  previous?: object;
  /** Whose test clock dates it. */
  customer?: string | null;
  /** Finer thin events beside those that follow from the type. */
  thin?: readonly string[];
}

type EventObject = WebhookEvent['data']['object'];

export function emit(
  state: State,
  type: WebhookEvent['type'],
  object: EventObject,
  { previous, customer, thin: finer = [] }: Emitting = {},
): WebhookEvent {
  const event: WebhookEvent = {
    id: newId(state, 'evt'),
    object: 'event',
    api_version: apiVersion,
    created: now(state, customer),
    data: {
      object: structuredClone(object),
      ...(previous === undefined ? {} : { previous_attributes: structuredClone(previous) }),
    },
    livemode: state.livemode,
    pending_webhooks: state.webhookEndpoints.all().length,
    request: state.request ?? { id: null, idempotency_key: null },
    type,
  };
  state.events.add(event);
  const types = [...thinTypes(type, object, previous), ...finer];
  const thin = types.map((one) => thinOf(state, one, event));
  for (const one of thin) state.thinEvents.add(one);
  for (const kept of [state.events, state.thinEvents]) {
    const oldest = kept.size() > maxEvents ? kept.first() : undefined;
    if (oldest !== undefined) kept.remove(oldest.id);
  }
  for (const hear of state.heard) hear(event, thin);
  return event;
}

/**
 * Does something to an object, and says with an event `<name>.updated` what has changed.
 * @returns whether anything has
 */
export function change<T extends EventObject>(
  state: State,
  type: WebhookEvent['type'],
  object: T,
  customer: string | null,
  act: () => void,
): boolean {
  const before = structuredClone(object);
  act();
  const previous = differences(before, object);
  if (previous === undefined) return false;
  emit(state, type, object, { previous, customer });
  return true;
}

/** The values that `before` had and `after` has not: nested for what is nested, whole for lists. */
export function differences(before: object, after: object): object | undefined {
  const found: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const was: unknown = Reflect.get(before, key);
    const is: unknown = Reflect.get(after, key);
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    const nested = isPlain(was) && isPlain(is) ? differences(was, is) : undefined;
    found[key] = nested ?? was ?? null;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

function isPlain(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Reflect.get(value, 'object') !== 'list'
  );
}

/** Each snapshot type has its thin one; subscriptions and entitlements have finer ones beside it. */
function thinTypes(type: string, object: EventObject, previous: object | undefined): string[] {
  const types = [`v1.${type}`];
  if (object.object === 'subscription' && 'status' in object && typeof object.status === 'string') {
    types.push(...finerTypes(type, object.status, previous));
  }
  return types;
}

const announced = ['active', 'incomplete', 'incomplete_expired', 'past_due', 'trialing', 'unpaid'];

function finerTypes(type: string, status: Subscription['status'], previous?: object): string[] {
  const name = 'v1.customer.subscription';
  const finer: string[] = [];
  const begun = type === 'customer.subscription.created';
  const changed = (key: string) => previous !== undefined && key in previous;
  if ((begun || changed('status')) && announced.includes(status)) finer.push(`${name}.${status}`);
  if (changed('cancel_at')) finer.push(`${name}.cancel_at_changed`);
  if (changed('default_payment_method')) finer.push(`${name}.default_payment_method_changed`);
  return finer;
}

function thinOf(state: State, type: string, event: WebhookEvent): ThinEvent {
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
