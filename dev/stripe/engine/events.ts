/** Events: the snapshot that is kept for 30 days, and the thin ones that go with it. */

import type { WebhookEvent } from '../objects.ts';
import { apiVersion, newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { thinOf, thinTypes } from './thin_events.ts';

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
  state.events.trim(maxEvents);
  state.thinEvents.trim(2 * maxEvents);
  state.agenda.dirty.add(customer ?? '');
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
function differences(before: object, after: object): object | undefined {
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
