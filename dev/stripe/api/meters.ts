/** `/v1/billing/meters`, their events, and what these come to. */

import type Stripe from 'stripe';
import { z } from 'zod';
import { emit } from '../engine/events.ts';
import { usageOf } from '../engine/usage.ts';
import { invalid } from '../errors.ts';
import type { Meter, MeterEvent } from '../objects.ts';
import { choice, group, int, paging, parameters, text } from '../parameters.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { day, hour, minute } from '../time.ts';
import { page, route } from './route.ts';
import type { Route } from './route.ts';

const creating = parameters<Stripe.Billing.MeterCreateParams>()({
  customer_mapping: group({ event_payload_key: text.max(100), type: choice('by_id') }).optional(),
  default_aggregation: group({ formula: choice('count', 'last', 'sum') }),
  display_name: text.max(250),
  event_name: text.max(100),
  event_time_window: choice('day', 'hour').optional(),
  value_settings: group({ event_payload_key: text.max(100) }).optional(),
});
const updating = parameters<Stripe.Billing.MeterUpdateParams>()({
  display_name: text.max(250).optional(),
});
const listing = parameters<Stripe.Billing.MeterListParams>()({
  ...paging,
  status: choice('active', 'inactive').optional(),
});
const reporting = parameters<Stripe.Billing.MeterEventCreateParams>()({
  event_name: text.max(100),
  identifier: text.max(100).optional(),
  payload: z.record(z.string(), z.string().max(100)),
  timestamp: int.optional(),
});
const summing = parameters<Stripe.Billing.MeterListEventSummariesParams>()({
  ...paging,
  customer: text,
  end_time: int,
  start_time: int,
  value_grouping_window: choice('day', 'hour').optional(),
});
const nothing = parameters<Stripe.Billing.MeterRetrieveParams>()({});
const root = '/v1/billing/meters';

export const meterRoutes: Route[] = [
  route('POST', root, creating, (state, given) => {
    const taken = state.meters
      .all()
      .some((one) => one.event_name === given.event_name && one.status === 'active');
    if (taken) {
      throw invalid(
        `There is an existing meter with the same event name: ${given.event_name}`,
        'event_name',
      );
    }
    const created = now(state);
    const meter: Meter = {
      id: newId(state, state.livemode ? 'mtr' : 'mtr_test'),
      object: 'billing.meter',
      created,
      customer_mapping: given.customer_mapping ?? {
        event_payload_key: 'stripe_customer_id',
        type: 'by_id',
      },
      default_aggregation: given.default_aggregation,
      display_name: given.display_name,
      event_name: given.event_name,
      event_time_window: given.event_time_window ?? null,
      livemode: state.livemode,
      status: 'active',
      status_transitions: { deactivated_at: null },
      updated: created,
      value_settings: given.value_settings ?? { event_payload_key: 'value' },
    };
    state.meters.add(meter);
    emit(state, 'billing.meter.created', meter);
    return meter;
  }),
  route('GET', root, listing, (state, given) => {
    const rows = state.meters
      .newest()
      .filter((one) => given.status === undefined || one.status === given.status);
    return page(rows, given, root);
  }),
  route('GET', `${root}/:id`, nothing, (state, _, id) => state.meters.need(id)),
  route('POST', `${root}/:id`, updating, (state, given, id) => {
    const meter = state.meters.need(id);
    if (given.display_name !== undefined) meter.display_name = given.display_name;
    meter.updated = now(state);
    return meter;
  }),
  route('POST', `${root}/:id/deactivate`, nothing, (state, _, id) => {
    const meter = state.meters.need(id);
    meter.status = 'inactive';
    meter.status_transitions.deactivated_at = now(state);
    emit(state, 'billing.meter.deactivated', meter);
    return meter;
  }),
  route('POST', `${root}/:id/reactivate`, nothing, (state, _, id) => {
    const meter = state.meters.need(id);
    meter.status = 'active';
    meter.status_transitions.deactivated_at = null;
    emit(state, 'billing.meter.reactivated', meter);
    return meter;
  }),
  route('GET', `${root}/:id/event_summaries`, summing, summarize),
  route('POST', '/v1/billing/meter_events', reporting, report),
];

function report(state: State, given: z.infer<typeof reporting>): MeterEvent {
  const meter = state.meters
    .all()
    .find((one) => one.event_name === given.event_name && one.status === 'active');
  if (meter === undefined) {
    throw invalid(
      `No active meter found for event name ${given.event_name}.`,
      'event_name',
      'resource_missing',
    );
  }
  const customer = given.payload[meter.customer_mapping.event_payload_key];
  if (customer === undefined) {
    throw invalid(
      `The payload must have the key ${meter.customer_mapping.event_payload_key}.`,
      'payload',
    );
  }
  state.customers.need(customer, `payload[${meter.customer_mapping.event_payload_key}]`);
  const value = given.payload[meter.value_settings.event_payload_key];
  if (meter.default_aggregation.formula !== 'count' && !/^-?\d+(\.\d+)?$/.test(value ?? '')) {
    throw invalid(
      'The value must be a number.',
      `payload[${meter.value_settings.event_payload_key}]`,
    );
  }
  const at = now(state, customer);
  const timestamp = given.timestamp ?? at;
  if (timestamp < at - 35 * day || timestamp > at + 5 * minute) {
    throw invalid(
      'The timestamp must be within the past 35 calendar days and not more than 5 minutes in the future.',
      'timestamp',
    );
  }
  // An identifier counts once in a day: what was reported again is taken, and changes nothing.
  const identifier = given.identifier ?? newId(state, 'mtrevt').toLowerCase();
  if (state.meterEvents.get(identifier) !== undefined) {
    throw invalid(
      `An event already exists with identifier ${identifier}.`,
      'identifier',
      'duplicate_meter_event',
    );
  }
  const event: MeterEvent = {
    object: 'billing.meter_event',
    created: at,
    event_name: given.event_name,
    identifier,
    livemode: state.livemode,
    payload: given.payload,
    timestamp,
  };
  state.meterEvents.add({ ...event, id: identifier });
  return event;
}

function summarize(state: State, given: z.infer<typeof summing>, id: string): object {
  const meter = state.meters.need(id);
  const { customer, start_time: start, end_time: end, value_grouping_window: window } = given;
  const step = window === 'day' ? day : window === 'hour' ? hour : end - start;
  if (end <= start || start % minute !== 0 || end % minute !== 0) {
    throw invalid(
      'start_time and end_time must be whole minutes, and in this order.',
      'start_time',
    );
  }
  const rows = [];
  for (let from = start; from < end && rows.length < 1000; from += step) {
    const period = { start: from, end: Math.min(end, from + step) };
    const value = usageOf(state, meter.id, customer, period);
    if (value === 0 && window !== undefined) continue;
    rows.push({
      id: `mtrusg_${meter.id}_${period.start}`,
      object: 'billing.meter_event_summary',
      aggregated_value: value,
      end_time: period.end,
      livemode: state.livemode,
      meter: meter.id,
      start_time: period.start,
    });
  }
  return page(rows.toReversed(), given, `${root}/${id}/event_summaries`);
}
