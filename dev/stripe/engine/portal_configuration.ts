/** The whole configuration of the portal. */

import type { PortalConfiguration } from '../objects.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';

type Features = PortalConfiguration['features'];

/** What an account has that has saved its settings once and changed nothing. */
export function ensureDefaultConfiguration(state: State): void {
  if (state.portalConfigurations.size() > 0) return;
  const configuration = newConfiguration(state);
  configuration.is_default = true;
  state.portalConfigurations.add(configuration);
}

/** @param id of one; the default where left out. @throws {ApiError} */
export function configurationOf(state: State, id: string | undefined): PortalConfiguration {
  if (id !== undefined) return state.portalConfigurations.need(id, 'configuration');
  const found = state.portalConfigurations.all().find((one) => one.is_default);
  return found ?? newConfiguration(state);
}

export function newConfiguration(state: State): PortalConfiguration {
  const created = now(state);
  return {
    id: newId(state, 'bpc'),
    object: 'billing_portal.configuration',
    active: true,
    application: null,
    business_profile: { headline: null, privacy_policy_url: null, terms_of_service_url: null },
    created,
    default_return_url: null,
    features: newFeatures(),
    is_default: false,
    livemode: state.livemode,
    login_page: { enabled: false, url: null },
    metadata: {},
    name: null,
    updated: created,
  };
}

function newFeatures(): Features {
  return {
    customer_update: { allowed_updates: ['email', 'address', 'name', 'phone'], enabled: true },
    invoice_history: { enabled: true },
    payment_method_update: { enabled: true, payment_method_configuration: null },
    subscription_cancel: {
      cancellation_reason: {
        enabled: true,
        feedback_options: null,
        options: [
          'too_expensive',
          'missing_features',
          'switched_service',
          'unused',
          'customer_service',
          'too_complex',
          'low_quality',
          'other',
        ],
      },
      enabled: true,
      mode: 'at_period_end',
      proration_behavior: 'none',
    },
    subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
    subscription_update: {
      billing_cycle_anchor: null,
      default_allowed_updates: [],
      enabled: false,
      products: [],
      proration_behavior: 'none',
      schedule_at_period_end: { conditions: [] },
      trial_update_behavior: 'end_trial',
    },
  };
}
