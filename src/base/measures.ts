/**
 * All that is measured, in one table: `docs/operations.md` has the same one. Values of labels come from lists of ours or
 * from the configuration, never from requests, people or accounts: each combination is a series that is kept for ever.
 */

interface Measure {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  buckets?: readonly number[];
}

/** In seconds. */
const requestBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const storeBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
const deliveryBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600];

export const measures = {
  tollgate_build_info: {
    type: 'gauge',
    help: 'Always 1. Which version runs on which runtime.',
    labels: ['version', 'runtime'],
  },
  tollgate_resident_memory_bytes: {
    type: 'gauge',
    help: 'Memory of the process, as the runtime says it.',
    labels: [],
  },
  tollgate_http_request_seconds: {
    type: 'histogram',
    help: 'Requests by route and class of status (2xx): until the answer is composed.',
    labels: ['route', 'status'],
    buckets: requestBuckets,
  },
  tollgate_token_requests_total: {
    type: 'counter',
    help: 'Answers of the token endpoint, by grant type: `issued`, or the error.',
    labels: ['grant_type', 'outcome'],
  },
  tollgate_sign_ins_total: {
    type: 'counter',
    help: 'People who came back from a provider: `signed_in`, `refused` (cancelled, too late, not registered), or `failed`.',
    labels: ['provider', 'outcome'],
  },
  tollgate_store_seconds: {
    type: 'histogram',
    help: 'Calls of the store, by operation.',
    labels: ['operation'],
    buckets: storeBuckets,
  },
  tollgate_store_errors_total: {
    type: 'counter',
    help: 'Calls of the store that failed. A write that lost against another one is none.',
    labels: ['operation'],
  },
  tollgate_outbox_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest event that waits. Of the one process that looks after the others; absent elsewhere.',
    labels: [],
  },
  tollgate_events_handled_total: {
    type: 'counter',
    help: 'Events, by handler: `done` or `failed` (and tried again).',
    labels: ['handler', 'outcome'],
  },
  tollgate_delivery_attempts_total: {
    type: 'counter',
    help: 'Requests to receivers, by what came of them.',
    labels: ['receiver', 'outcome'],
  },
  tollgate_delivery_attempt_seconds: {
    type: 'histogram',
    help: 'How long receivers took to answer.',
    labels: ['receiver'],
    buckets: deliveryBuckets,
  },
  tollgate_delivery_lag_seconds: {
    type: 'histogram',
    help: 'From an event to the start of its first delivery.',
    labels: ['receiver'],
    buckets: deliveryBuckets,
  },
  tollgate_deliveries_dead_total: {
    type: 'counter',
    help: 'Deliveries that were given up. They can be sent again.',
    labels: ['receiver'],
  },
  tollgate_delivery_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest delivery that waits for a receiver; 0 for none. All processes say the same.',
    labels: ['receiver'],
  },
  tollgate_receiver_state: {
    type: 'gauge',
    help: 'Whether a receiver is `ok`, `failing` (left alone for a while), `held` or `disabled`: 1 for the one that it is.',
    labels: ['receiver', 'state'],
  },
  tollgate_delivery_lanes_waiting: {
    type: 'gauge',
    help: 'Lanes of deliveries that wait for a place at this process.',
    labels: [],
  },
  tollgate_delivery_requests: {
    type: 'gauge',
    help: 'Requests to receivers that are under way.',
    labels: [],
  },
  tollgate_session_event_connections: {
    type: 'gauge',
    help: 'Pages that listen to `/session/events`.',
    labels: [],
  },
  tollgate_billing_webhooks_total: {
    type: 'counter',
    help: 'Events of Stripe that came: `stored`, `duplicate`, `ignored`, `refused` (not signed, too large), or `failed` (Stripe sends them again).',
    labels: ['outcome'],
  },
  tollgate_billing_inbox_waiting: {
    type: 'gauge',
    help: 'Events of Stripe that are stored and not done with; counted up to 1000. All processes say the same.',
    labels: [],
  },
  tollgate_billing_inbox_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest of them; 0 for none.',
    labels: [],
  },
  tollgate_billing_drift_accounts: {
    type: 'gauge',
    help: 'Accounts that differed from Stripe when all were last compared. All processes say the same.',
    labels: [],
  },
  tollgate_mails_total: {
    type: 'counter',
    help: 'E-mails, by what came of an attempt: `sent`, `failed` (and tried again), `dead` (given up), or `dropped` (nothing to say any more).',
    labels: ['outcome'],
  },
  tollgate_mails_waiting: {
    type: 'gauge',
    help: 'E-mails that are to be sent; counted up to 1000. All processes say the same.',
    labels: [],
  },
  tollgate_mails_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest of them; 0 for none.',
    labels: [],
  },
  tollgate_reloads_total: {
    type: 'counter',
    help: 'How often running processes took up other `clients` (and what else may change), or other `keys`.',
    labels: ['what'],
  },
} as const satisfies Record<string, Measure>;

type Table = typeof measures;
export type MeasureName = keyof Table;
type OfType<Type> = {
  [Name in MeasureName]: Table[Name]['type'] extends Type ? Name : never;
}[MeasureName];
export type Labels<Name extends MeasureName> = Record<Table[Name]['labels'][number], string>;

/** What the rooms count with. */
export interface Measures {
  count<Name extends OfType<'counter'>>(name: Name, labels: Labels<Name>): void;
  observe<Name extends OfType<'histogram'>>(
    name: Name,
    labels: Labels<Name>,
    seconds: number,
  ): void;
  /** @param value undefined: it is not known here */
  set<Name extends OfType<'gauge'>>(
    name: Name,
    labels: Labels<Name>,
    value: number | undefined,
  ): void;
  /** Whenever somebody looks: what is only then worth finding out. */
  whenAsked(tell: (measures: Measures) => void): void;
}

/** Where nothing is measured. */
export const noMeasures: Measures = {
  count: () => undefined,
  observe: () => undefined,
  set: () => undefined,
  whenAsked: () => undefined,
};
