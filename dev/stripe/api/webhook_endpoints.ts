/** `/v1/webhook_endpoints`. The secret is shown when one is made, and not again. */

import type Stripe from 'stripe';
import { invalid } from '../errors.ts';
import type { WebhookEndpoint } from '../objects.ts';
import {
  bool,
  choice,
  emptyable,
  list,
  metadata,
  paging,
  parameters,
  text,
} from '../parameters.ts';
import { apiVersion, newId, now } from '../state.ts';
import { mergeMetadata, page, route } from './route.ts';
import type { Route } from './route.ts';

const maxEndpoints = 16;

const creating = parameters<Stripe.WebhookEndpointCreateParams>()({
  api_version: choice(apiVersion).optional(),
  description: emptyable(text).optional(),
  enabled_events: list(text),
  metadata: metadata.optional(),
  url: text,
});
const updating = parameters<Stripe.WebhookEndpointUpdateParams>()({
  description: emptyable(text).optional(),
  disabled: bool.optional(),
  enabled_events: list(text).optional(),
  metadata: metadata.optional(),
  url: text.optional(),
});
const listing = parameters<Stripe.WebhookEndpointListParams>()(paging);
const nothing = parameters<Stripe.WebhookEndpointRetrieveParams>()({});

export const webhookEndpointRoutes: Route[] = [
  route('POST', '/v1/webhook_endpoints', creating, (state, given) => {
    if (state.webhookEndpoints.all().length >= maxEndpoints) {
      throw invalid(`You have reached the maximum of ${maxEndpoints} test webhook endpoints.`);
    }
    requireUrl(given.url);
    const endpoint: WebhookEndpoint = {
      id: newId(state, 'we'),
      object: 'webhook_endpoint',
      api_version: given.api_version ?? null,
      application: null,
      created: now(state),
      description: given.description ?? null,
      enabled_events: given.enabled_events,
      livemode: state.livemode,
      metadata: mergeMetadata({}, given.metadata),
      secret: newId(state, 'whsec', 32),
      status: 'enabled',
      url: given.url,
    };
    return state.webhookEndpoints.add(endpoint);
  }),
  route('GET', '/v1/webhook_endpoints', listing, (state, given) =>
    page(state.webhookEndpoints.newest().map(shown), given, '/v1/webhook_endpoints'),
  ),
  route('GET', '/v1/webhook_endpoints/:id', nothing, (state, _, id) =>
    shown(state.webhookEndpoints.need(id)),
  ),
  route('POST', '/v1/webhook_endpoints/:id', updating, (state, given, id) => {
    const endpoint = state.webhookEndpoints.need(id);
    if (given.url !== undefined) requireUrl(given.url);
    if (given.url !== undefined) endpoint.url = given.url;
    if (given.description !== undefined) endpoint.description = given.description;
    if (given.enabled_events !== undefined) endpoint.enabled_events = given.enabled_events;
    if (given.disabled !== undefined) endpoint.status = given.disabled ? 'disabled' : 'enabled';
    endpoint.metadata = mergeMetadata(endpoint.metadata, given.metadata);
    return shown(endpoint);
  }),
  route('DELETE', '/v1/webhook_endpoints/:id', nothing, (state, _, id) => {
    state.webhookEndpoints.need(id);
    state.webhookEndpoints.remove(id);
    return { id, object: 'webhook_endpoint', deleted: true };
  }),
];

export function requireUrl(url: string): void {
  if (!/^https?:\/\/[^/]+/.test(url)) throw invalid('Not a valid URL', 'url', 'url_invalid');
}

function shown(endpoint: WebhookEndpoint): WebhookEndpoint {
  const { secret: _, ...rest } = endpoint;
  return rest;
}
