/**
 * What is read of an event of Stripe: who it is about, and nothing else. What has changed is asked afterwards, so the
 * version of the API that a payload has, and the order in which events arrive, mean nothing.
 */

/** An event as the inbox keeps it. */
export interface Arrival {
  /** Of the snapshot event, also where a thin one came for it: both are one. */
  id: string;
  type: string;
  customer?: string;
  object?: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** What is judged before it is believed. */
export interface Envelope {
  type: string;
  live: boolean | undefined;
  /** The Stripe account that it belongs to, where it says one. */
  account: string | undefined;
  isThin: boolean;
  arrival: Arrival | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const idShape = /^[A-Za-z0-9_-]{3,255}$/;
const customerShape = /^cus_[A-Za-z0-9_-]{1,250}$/;

/** Of a value that was verified to be Stripe's. Whatever is missing in it, it does not throw. */
export function readEnvelope(value: unknown, now: number): Envelope {
  const event = fieldsOf(value);
  const isThin = event.object === 'v2.core.event';
  const type = typeof event.type === 'string' ? event.type.slice(0, 200) : 'unknown';
  const live = typeof event.livemode === 'boolean' ? event.livemode : undefined;
  const arrival = isThin ? thinArrival(event, type, now) : snapshotArrival(event, type, now);
  return { type, live, account: accountOf(event), isThin, arrival };
}

function snapshotArrival(event: Fields, type: string, now: number): Arrival | undefined {
  const id = idIn(event.id);
  if (id === undefined) return undefined;
  const object = fieldsOf(fieldsOf(event.data).object);
  const about = idIn(object.id);
  const customer = object.object === 'customer' ? about : referenceIn(object.customer);
  const at = typeof event.created === 'number' ? event.created * 1000 : now;
  return arrivalOf({ id, type, customer, object: about, at });
}

function thinArrival(event: Fields, type: string, now: number): Arrival | undefined {
  const id = idIn(event.snapshot_event) ?? idIn(event.id);
  if (id === undefined) return undefined;
  const related = fieldsOf(event.related_object);
  const object = idIn(related.id);
  // The summary of entitlements has no id: its address names the customer.
  const named = typeof related.url === 'string' ? /[?&]customer=([^&]+)/.exec(related.url) : null;
  const customer = [object, named?.[1]].find((one) => one !== undefined && customerShape.test(one));
  const created = typeof event.created === 'string' ? Date.parse(event.created) : Number.NaN;
  return arrivalOf({ id, type, customer, object, at: Number.isNaN(created) ? now : created });
}

function arrivalOf(all: {
  id: string;
  type: string;
  customer: string | undefined;
  object: string | undefined;
  at: number;
}): Arrival {
  const { customer, object, ...rest } = all;
  return {
    ...rest,
    ...(customer === undefined ? {} : { customer }),
    ...(object === undefined ? {} : { object }),
  };
}

/** Snapshots of connected accounts have `account`; thin events a context, `acct_…` or `org_…/acct_…`. */
function accountOf({ account, context }: Fields): string | undefined {
  if (typeof account === 'string') return account;
  return typeof context === 'string' && context !== '' ? context.split('/').at(-1) : undefined;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function idIn(value: unknown): string | undefined {
  return typeof value === 'string' && idShape.test(value) ? value : undefined;
}

/** An id, or an object that has one. */
function referenceIn(value: unknown): string | undefined {
  return idIn(value) ?? idIn(fieldsOf(value).id);
}
