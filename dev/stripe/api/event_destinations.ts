/** `/v2/core/event_destinations`: JSON, and thin events. */

import type Stripe from 'stripe';
import { z } from 'zod';
import { invalid } from '../errors.ts';
import type { EventDestination } from '../objects.ts';
import { int, list, text } from '../parameters.ts';
import { newId, nowMs } from '../state.ts';
import type { State } from '../state.ts';
import { mergeMetadata, route } from './route.ts';
import type { Route } from './route.ts';
import { requireUrl } from './webhook_endpoints.ts';

/** As `parameters` for forms: names that are not Stripe's do not compile. */
function body<P>() {
  return <S extends { [K in keyof S]: K extends keyof P ? z.ZodType : never }>(shape: S) =>
    z.strictObject({ ...shape, expand: z.array(z.string()).optional() });
}

const includes = z
  .array(z.enum(['webhook_endpoint.signing_secret', 'webhook_endpoint.url']))
  .optional();
const common = {
  description: z.string().max(500).optional(),
  include: includes,
  metadata: z.record(z.string(), z.string()).optional(),
};
const creating = body<Stripe.V2.Core.EventDestinationCreateParams>()({
  ...common,
  enabled_events: z.array(z.string()).min(1),
  event_payload: z.enum(['snapshot', 'thin']),
  events_from: z.array(z.string()).optional(),
  name: z.string().min(1),
  snapshot_api_version: z.string().optional(),
  type: z.enum(['webhook_endpoint']),
  webhook_endpoint: z.strictObject({ url: z.string() }),
});
const updating = body<Stripe.V2.Core.EventDestinationUpdateParams>()({
  ...common,
  enabled_events: z.array(z.string()).min(1).optional(),
  name: z.string().min(1).optional(),
  webhook_endpoint: z.strictObject({ url: z.string() }).optional(),
});
const asking = z.strictObject({
  include: list(text).optional(),
  limit: int.optional(),
  page: int.optional(),
  expand: z.array(z.string()).optional(),
});

const root = '/v2/core/event_destinations';

export const eventDestinationRoutes: Route[] = [
  route('POST', root, creating, (state, given) => {
    requireUrl(given.webhook_endpoint.url);
    const wrong = given.enabled_events.find(
      (type) => type !== '*' && isThin(type) !== (given.event_payload === 'thin'),
    );
    if (wrong !== undefined) {
      throw invalid(`${wrong} is no event of ${given.event_payload} payloads.`, 'enabled_events');
    }
    const at = iso(state);
    const destination: EventDestination = {
      id: newId(state, state.livemode ? 'ed' : 'ed_test'),
      object: 'v2.core.event_destination',
      created: at,
      description: given.description ?? '',
      enabled_events: given.enabled_events,
      event_payload: given.event_payload,
      events_from: given.events_from ?? ['@self'],
      livemode: state.livemode,
      metadata: given.metadata ?? {},
      name: given.name,
      ...(given.snapshot_api_version === undefined
        ? {}
        : { snapshot_api_version: given.snapshot_api_version }),
      status: 'enabled',
      type: 'webhook_endpoint',
      updated: at,
      webhook_endpoint: {
        url: given.webhook_endpoint.url,
        signing_secret: newId(state, 'whsec', 32),
      },
    };
    state.eventDestinations.add(destination);
    return shown(destination, given.include);
  }),
  route('GET', root, asking, (state, given) => ({
    data: state.eventDestinations.newest().map((one) => shown(one, given.include)),
    next_page_url: null,
    previous_page_url: null,
  })),
  route('GET', `${root}/:id`, asking, (state, given, id) =>
    shown(state.eventDestinations.need(id), given.include),
  ),
  route('POST', `${root}/:id`, updating, (state, given, id) => {
    const destination = state.eventDestinations.need(id);
    if (given.webhook_endpoint !== undefined) {
      requireUrl(given.webhook_endpoint.url);
      destination.webhook_endpoint = { ...destination.webhook_endpoint, ...given.webhook_endpoint };
    }
    if (given.description !== undefined) destination.description = given.description;
    if (given.enabled_events !== undefined) destination.enabled_events = given.enabled_events;
    if (given.name !== undefined) destination.name = given.name;
    destination.metadata = mergeMetadata(destination.metadata ?? {}, given.metadata);
    destination.updated = iso(state);
    return shown(destination, given.include);
  }),
  route('DELETE', `${root}/:id`, asking, (state, _, id) => {
    state.eventDestinations.need(id);
    state.eventDestinations.remove(id);
    return { id, object: 'v2.core.event_destination' };
  }),
  route('POST', `${root}/:id/disable`, asking, (state, _, id) => setStatus(state, id, 'disabled')),
  route('POST', `${root}/:id/enable`, asking, (state, _, id) => setStatus(state, id, 'enabled')),
];

function isThin(type: string): boolean {
  return /^v[12]\./.test(type);
}

function setStatus(state: State, id: string, status: 'enabled' | 'disabled'): EventDestination {
  const destination = state.eventDestinations.need(id);
  destination.status = status;
  if (status === 'disabled') destination.status_details = { disabled: { reason: 'user' } };
  else delete destination.status_details;
  destination.updated = iso(state);
  return shown(destination, undefined);
}

/** The address and, when it is made, the secret are told to those who ask for them. */
function shown(
  destination: EventDestination,
  include: readonly string[] | undefined,
): EventDestination {
  const { webhook_endpoint: endpoint, ...rest } = destination;
  return {
    ...rest,
    webhook_endpoint: {
      ...(include?.includes('webhook_endpoint.url') === true && endpoint?.url !== undefined
        ? { url: endpoint.url }
        : {}),
      ...(include?.includes('webhook_endpoint.signing_secret') === true &&
      endpoint?.signing_secret !== undefined
        ? { signing_secret: endpoint.signing_secret }
        : {}),
    },
  };
}

function iso(state: State): string {
  return new Date(nowMs(state)).toISOString();
}
