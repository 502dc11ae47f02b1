/** Meters and features of entitlements: what plans name, and what belongs to no plan alone. */

import type { Stripe } from '../stripe.ts';
import { mostRead, pageSize, settle } from './survey.ts';
import type { Complaint, SellingConfig, Survey } from './survey.ts';

const dashboard = "in Stripe's dashboard";

/** @returns those that are there, by `event_name` */
export async function surveyMeters(survey: Survey): Promise<Map<string, Stripe.Billing.Meter>> {
  const wanted = named(survey.config, ({ meter }) => (meter === undefined ? [] : [meter]));
  if (wanted.length === 0) return new Map();
  const there = await survey.stripe.call('billing.meters.list', (api) =>
    api.billing.meters.list({ limit: pageSize }).autoPagingToArray({ limit: mostRead }),
  );
  const meters = new Map<string, Stripe.Billing.Meter>();
  for (const name of wanted) {
    const ones = there.filter((meter) => meter.event_name === name);
    const found = ones.find(({ status }) => status === 'active') ?? ones[0];
    const parameters = {
      display_name: name,
      event_name: name,
      default_aggregation: { formula: 'sum' as const },
    };
    const meter = await settle(survey, {
      what: `meter ${name}`,
      found,
      complain: complainOfMeter,
      make: {
        call: 'billing.meters.create',
        parameters,
        create: (api, options) => api.billing.meters.create(parameters, options),
      },
    });
    if (meter !== undefined) meters.set(name, meter);
  }
  return meters;
}

function complainOfMeter({ status }: Stripe.Billing.Meter): Complaint[] {
  return status === 'active'
    ? []
    : [['It is not active: what is used is not counted.', `Reactivate it ${dashboard}.`]];
}

/** @returns those that are there, by lookup key */
export async function surveyFeatures(
  survey: Survey,
): Promise<Map<string, Stripe.Entitlements.Feature>> {
  const features = new Map<string, Stripe.Entitlements.Feature>();
  for (const key of named(survey.config, (plan) => plan.features)) {
    const list = await survey.stripe.call('entitlements.features.list', (api) =>
      api.entitlements.features.list({ lookup_key: key, limit: 1 }),
    );
    const parameters = { lookup_key: key, name: key };
    const feature = await settle(survey, {
      what: `feature ${key}`,
      found: list.data[0],
      complain: complainOfFeature,
      make: {
        call: 'entitlements.features.create',
        parameters,
        create: (api, options) => api.entitlements.features.create(parameters, options),
      },
    });
    if (feature !== undefined) features.set(key, feature);
  }
  return features;
}

function complainOfFeature({ active }: Stripe.Entitlements.Feature): Complaint[] {
  return active ? [] : [['It is archived.', `Bring it back ${dashboard}, or name another.`]];
}

type Plan = SellingConfig['products'][number]['plans'][number];

/** Of plans that are paid for: Stripe never hears of the others. */
function named({ products }: SellingConfig, of: (plan: Plan) => readonly string[]): string[] {
  const plans = products.flatMap((product) => product.plans);
  return [...new Set(plans.filter(({ prices }) => prices.length > 0).flatMap(of))].toSorted();
}
