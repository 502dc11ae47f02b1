/** What the meters say that a customer has used. */

import type { State } from '../state.ts';

/** Of the events in a period, by the meter's formula. */
export function usageOf(
  state: State,
  meterId: string,
  customer: string,
  period: { start: number; end: number },
): number {
  const meter = state.meters.get(meterId);
  if (meter === undefined) return 0;
  const values = state.meterEvents
    .all()
    .filter(
      (event) =>
        event.event_name === meter.event_name &&
        event.payload[meter.customer_mapping.event_payload_key] === customer &&
        event.timestamp >= period.start &&
        event.timestamp < period.end,
    )
    .toSorted((a, b) => a.timestamp - b.timestamp)
    .map((event) => Number(event.payload[meter.value_settings.event_payload_key] ?? 0));
  switch (meter.default_aggregation.formula) {
    case 'count':
      return values.length;
    case 'last':
      return values.at(-1) ?? 0;
    default:
      return values.reduce((sum, value) => sum + value, 0);
  }
}
