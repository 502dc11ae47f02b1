/** All that the configuration wants at Stripe, in the order in which one needs the other. */

import type { Clock } from '../../base/clock.ts';
import type { StripeClient } from '../stripe.ts';
import { surveyEndpoint } from './endpoint.ts';
import { surveyFeatures, surveyMeters } from './features.ts';
import { surveyPlans } from './plans.ts';
import { surveyPortal } from './portal.ts';
import type { Finding, SellingConfig, Survey } from './survey.ts';

export type { Finding, SellingConfig } from './survey.ts';

export interface SetupOptions {
  stripe: StripeClient;
  config: SellingConfig;
  clock: Clock;
  /** Makes what is missing. Otherwise nothing at Stripe is changed. */
  makes: boolean;
  /** Of the two kinds of events: which are asked for where there are none yet. */
  thin: boolean;
}

export interface SetupResult {
  findings: Finding[];
  /** What the webhooks are signed with, if they were made now. Stripe tells it once. */
  secret: string | undefined;
}

/**
 * @throws {Problem} as `StripeClient.call`. What was made before is found by the next run.
 */
export async function setUpStripe(options: SetupOptions): Promise<SetupResult> {
  const { thin, ...rest } = options;
  const survey: Survey = { ...rest, findings: [] };
  const meters = await surveyMeters(survey);
  const features = await surveyFeatures(survey);
  const plans = await surveyPlans(survey, { meters, features });
  await surveyPortal(survey, plans);
  // Last, since its secret is told once only: nothing that could fail comes after it.
  const { secret } = await surveyEndpoint(survey, thin);
  return { findings: survey.findings, secret };
}

/** Whose the key is, for people who are about to change something; unknown where the key may not ask. */
export async function accountOf(stripe: StripeClient): Promise<string | undefined> {
  try {
    return (await stripe.api.accounts.retrieveCurrent()).id;
  } catch {
    return undefined;
  }
}
