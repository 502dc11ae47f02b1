/** `/v1/checkout/sessions/:id/line_items` */

import type Stripe from 'stripe';
import { paging, parameters } from '../parameters.ts';
import { page, route } from './route.ts';
import type { Route } from './route.ts';

const listing = parameters<Stripe.Checkout.SessionListLineItemsParams>()(paging);

export const listLines: Route = route(
  'GET',
  '/v1/checkout/sessions/:id/line_items',
  listing,
  (state, given, id) =>
    page(state.checkoutWork.need(id).lines, given, `/v1/checkout/sessions/${id}/line_items`),
);
