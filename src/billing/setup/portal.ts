/** The configuration of Stripe's billing portal: that people can pay, change their plan, and say why they leave. */

import { feedbackWords } from '../../directory/closing_reason.ts';
import type { Stripe } from '../stripe.ts';
import type { SurveyedPlan } from './plans.ts';
import { addPlans, expand, isOurs, lackingIn, mostProducts, productOf } from './portal_plans.ts';
import type { Changeable, Portal } from './portal_plans.ts';
import { mostRead, pageSize, quoted, settle } from './survey.ts';
import type { Complaint, Survey } from './survey.ts';

type PortalParameters = Stripe.BillingPortal.ConfigurationCreateParams;

const inDashboard = "Change it in Stripe's dashboard (Settings, Billing, Customer portal).";

export async function surveyPortal(survey: Survey, plans: readonly SurveyedPlan[]): Promise<void> {
  const { stripe, config } = survey;
  const { portalConfiguration: id } = config.stripe;
  const changeable = changeableOf(survey, plans);
  const complain = (portal: Portal) => complainOfPortal(survey, portal, changeable);
  const completed = (portal: Portal | undefined) =>
    portal === undefined ? undefined : addPlans(survey, portal, changeable);
  if (id !== undefined) {
    const found = await stripe.find('billingPortal.configurations.retrieve', (api) =>
      api.billingPortal.configurations.retrieve(id, { expand }),
    );
    const make = 'Set `stripe.portalConfiguration` to one of this account, or remove it.';
    await settle(survey, { what: 'portal', found: await completed(found), complain, make });
    return;
  }
  const list = await stripe.call('billingPortal.configurations.list', (api) =>
    api.billingPortal.configurations
      .list({ active: true, limit: pageSize, expand: expand.map((path) => `data.${path}`) })
      .autoPagingToArray({ limit: mostRead }),
  );
  const standard = list.find((portal) => portal.is_default);
  if (standard !== undefined && complain(standard).length === 0) {
    survey.findings.push({ what: 'portal', state: 'good', id: standard.id });
    return;
  }
  // Stripe's default one is changed in its dashboard alone; one of our own has to be named.
  const parameters = parametersOf(survey, changeable);
  const portal = await settle(survey, {
    what: 'portal',
    found: await completed(list.find((one) => isOurs(survey, one))),
    complain: (one) => [
      ...complain(one),
      [`It is not in use.`, `Set \`stripe.portalConfiguration\` to ${one.id}.`],
    ],
    make: {
      call: 'billingPortal.configurations.create',
      parameters,
      create: (api, options) => api.billingPortal.configurations.create(parameters, options),
    },
  });
  const last = survey.findings.at(-1);
  if (portal !== undefined && last?.state === 'made') {
    last.remedy = `Set \`stripe.portalConfiguration\` to ${portal.id}.`;
  }
}

/** Metered plans cannot be changed in the portal, Stripe says. */
function changeableOf({ config }: Survey, plans: readonly SurveyedPlan[]): Changeable[] {
  if (config.stripe.changes !== 'portal') return [];
  return plans
    .filter(({ plan }) => plan.offered && plan.meter === undefined)
    .map(({ plan, product, prices, missing }) => ({
      plan: plan.id,
      product,
      prices,
      missing,
      seats: plan.seats,
    }));
}

function complainOfPortal(
  survey: Survey,
  portal: Portal,
  wanted: readonly Changeable[],
): Complaint[] {
  const { active, features } = portal;
  const { subscription_cancel: cancel, subscription_update: update } = features;
  const complaints: Complaint[] = [];
  const need = (is: boolean, says: string) => {
    if (!is) complaints.push([says, inDashboard]);
  };
  need(active, 'It is switched off.');
  need(features.payment_method_update.enabled, 'People cannot change their card in it.');
  need(features.invoice_history.enabled, 'People do not see their invoices in it.');
  need(cancel.enabled, 'People cannot cancel in it.');
  need(cancel.cancellation_reason.enabled, 'It does not ask people why they cancel.');
  if (wanted.length === 0) return complaints;
  need(update.enabled, 'People cannot change their plan in it.');
  if (!update.enabled) return complaints;
  const allowed = update.default_allowed_updates;
  need(allowed.includes('price'), 'It does not let people choose another price.');
  const hasSeats = wanted.some(({ seats }) => seats !== undefined);
  need(!hasSeats || allowed.includes('quantity'), 'It does not let people change the quantity.');
  const lacking = lackingIn(portal, wanted);
  if (lacking.length > 0) {
    const isAdded = isOurs(survey, portal) && !survey.makes;
    const remedy = isAdded ? '`tollgate stripe push --yes` adds them.' : inDashboard;
    complaints.push([`People cannot change to ${quoted(lacking)} in it.`, remedy]);
  }
  return complaints;
}

function parametersOf({ config }: Survey, wanted: readonly Changeable[]): PortalParameters {
  const { issuer, brand } = config;
  const changeable = wanted
    .flatMap(({ product, ...one }) =>
      product === undefined || one.prices.length === 0 ? [] : [{ ...one, product }],
    )
    .slice(0, mostProducts);
  const hasSeats = changeable.some(({ seats }) => seats !== undefined);
  return {
    name: `Tollgate at ${new URL(issuer).host}`,
    default_return_url: `${issuer}/integrations/stripe/portal/return`,
    business_profile: {
      ...(brand.privacy !== undefined && { privacy_policy_url: brand.privacy }),
      ...(brand.terms !== undefined && { terms_of_service_url: brand.terms }),
    },
    features: {
      customer_update: { enabled: true, allowed_updates: ['name', 'email', 'address', 'tax_id'] },
      invoice_history: { enabled: true },
      payment_method_update: { enabled: true },
      subscription_cancel: {
        enabled: true,
        mode: 'at_period_end',
        cancellation_reason: {
          enabled: true,
          options: [...feedbackWords],
        },
      },
      ...(changeable.length > 0 && {
        subscription_update: {
          enabled: true,
          default_allowed_updates: [
            'price',
            'promotion_code',
            ...(hasSeats ? (['quantity'] as const) : []),
          ],
          // As on the page of ours: the difference is paid at once, and a trial goes on.
          proration_behavior: 'always_invoice',
          trial_update_behavior: 'continue_trial',
          products: changeable.map((one) => productOf(one.product, one)),
        },
      }),
    },
    metadata: { tollgate_issuer: issuer },
  };
}
