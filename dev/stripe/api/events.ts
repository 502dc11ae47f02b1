/** `/v1/events`: of the last 30 days; and `/v2/core/events`, the thin ones. */

import type Stripe from 'stripe';
import { z } from 'zod';
import { missing } from '../errors.ts';
import type { ThinEvent, WebhookEvent } from '../objects.ts';
import { bool, int, list, paging, parameters, range, text } from '../parameters.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { day } from '../time.ts';
import { page, route, within } from './route.ts';
import type { Route } from './route.ts';

const kept = 30 * day;

const listing = parameters<Stripe.EventListParams>()({
  ...paging,
  created: range.optional(),
  delivery_success: bool.optional(),
  type: text.optional(),
  types: list(text).optional(),
});
const nothing = parameters<Stripe.EventRetrieveParams>()({});
const listingThin = z.strictObject({
  limit: int.optional(),
  object_id: text.optional(),
  page: int.optional(),
  types: list(text).optional(),
  expand: list(text).optional(),
});

export const eventRoutes: Route[] = [
  route('GET', '/v1/events', listing, (state, given) => {
    const rows = state.events
      .newest()
      .filter(
        (one) =>
          isKept(state, one) &&
          (given.type === undefined ||
            one.type === given.type ||
            startsWith(given.type, one.type)) &&
          (given.types === undefined || given.types.includes(one.type)) &&
          within(one.created, given.created),
      );
    return page(rows, given, '/v1/events');
  }),
  route('GET', '/v1/events/:id', nothing, (state, _, id) => {
    const event = state.events.need(id);
    if (!isKept(state, event)) throw missing('event', id);
    return event;
  }),
  route('GET', '/v2/core/events', listingThin, (state, given) => {
    const rows = state.thinEvents
      .newest()
      .filter(
        (one) =>
          (given.object_id === undefined || one.related_object?.id === given.object_id) &&
          (given.types === undefined || given.types.includes(one.type)),
      );
    const from = given.page ?? 0;
    const limit = given.limit ?? 10;
    const url = (at: number) => {
      const query = new URLSearchParams({ limit: String(limit), page: String(at) });
      if (given.object_id !== undefined) query.set('object_id', given.object_id);
      for (const [index, type] of (given.types ?? []).entries()) query.set(`types[${index}]`, type);
      return `/v2/core/events?${query.toString()}`;
    };
    return {
      data: rows.slice(from, from + limit),
      next_page_url: rows.length > from + limit ? url(from + limit) : null,
      previous_page_url: from > 0 ? url(Math.max(0, from - limit)) : null,
    };
  }),
  route('GET', '/v2/core/events/:id', nothing, (state, _, id): ThinEvent =>
    state.thinEvents.need(id),
  ),
];

/** `customer.*` is a prefix. */
function startsWith(wanted: string, type: string): boolean {
  return wanted.endsWith('*') && type.startsWith(wanted.slice(0, -1));
}

function isKept(state: State, event: WebhookEvent): boolean {
  return event.created > now(state) - kept;
}
