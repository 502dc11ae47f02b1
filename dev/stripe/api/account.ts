/** `/v1/account` */

import type Stripe from 'stripe';
import { missing } from '../errors.ts';
import type { Account } from '../objects.ts';
import { parameters } from '../parameters.ts';
import type { State } from '../state.ts';
import { route } from './route.ts';
import type { Route } from './route.ts';

const nothing = parameters<Stripe.AccountRetrieveParams>()({});

export const accountRoutes: Route[] = [
  route('GET', '/v1/account', nothing, (state) => accountOf(state)),
  route('GET', '/v1/accounts/:id', nothing, (state, _, id) => {
    if (id !== state.accountId) throw missing('account', id);
    return accountOf(state);
  }),
];

/** Of a company that may charge. Its requirements and settings are not simulated. */
function accountOf(state: State): Account {
  return {
    id: state.accountId,
    object: 'account',
    business_profile: {
      annual_revenue: null,
      estimated_worker_count: null,
      mcc: null,
      minority_owned_business_designation: null,
      name: state.settings.merchant,
      product_description: null,
      specified_commercial_transactions_act_url: null,
      support_address: null,
      support_email: null,
      support_phone: null,
      support_url: null,
      url: null,
    },
    business_type: 'company',
    capabilities: { card_payments: 'active', sepa_debit_payments: 'active', transfers: 'active' },
    charges_enabled: true,
    controller: { type: 'account' },
    country: 'US',
    created: 1_700_000_000,
    default_currency: 'usd',
    details_submitted: true,
    email: 'owner@example.com',
    metadata: {},
    payouts_enabled: true,
    type: 'standard',
  };
}
