/** The whole customer. */

import type { Customer } from '../objects.ts';
import { newId } from '../state.ts';
import type { State } from '../state.ts';

export function newCustomer(
  state: State,
  known: { created: number; test_clock: string | null },
): Customer {
  return {
    id: newId(state, 'cus', 14),
    object: 'customer',
    address: null,
    balance: 0,
    created: known.created,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: newId(state, '', 8).slice(1).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: state.livemode,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: known.test_clock,
  };
}
