/** A price at Stripe, held against what the configuration says of it. */

import type { PlanConfig, PriceConfig } from '../../config.ts';
import type { Stripe } from '../stripe.ts';
import type { Complaint } from './survey.ts';

interface WantedPrice {
  plan: PlanConfig;
  price: PriceConfig;
  /** Id of the plan's meter at Stripe, where that is there. */
  meter: string | undefined;
}

/** What is charged is what Stripe says; a page of ours that says otherwise would be a lie. */
export function complainOfPrice(found: Stripe.Price, wanted: WantedPrice): Complaint[] {
  return [
    ...complainOfLife(found, wanted.price),
    ...complainOfPeriod(found, wanted),
    ...complainOfAmount(found, wanted.price),
    ...complainOfUsage(found, wanted),
  ];
}

function complainOfLife({ active }: Stripe.Price, { lookupKey }: PriceConfig): Complaint[] {
  if (active) return [];
  const other =
    lookupKey === undefined
      ? 'name another in the configuration'
      : `give its lookup key ${lookupKey} to another price`;
  return [['It is archived, so nobody can buy it.', `Bring it back at Stripe, or ${other}.`]];
}

function complainOfPeriod({ recurring }: Stripe.Price, { price, plan }: WantedPrice): Complaint[] {
  if (recurring === null) {
    return [['It is paid once, and does not recur.', 'Name a price that recurs.']];
  }
  const { interval, interval_count: times, trial_period_days: days } = recurring;
  const complaints: Complaint[] = [];
  if (interval !== price.period || times !== 1) {
    const every = times === 1 ? interval : `${times} ${interval}s`;
    const remedy = 'Set the period of that price, or name another price.';
    complaints.push([`It is for every ${every}, not for every ${price.period}.`, remedy]);
  }
  if (days !== null && days !== plan.trialDays) {
    const says = `It has a trial of its own: ${days} days, not ${plan.trialDays ?? 0}.`;
    complaints.push([says, 'Set `trialDays` to that, or name a price without one.']);
  }
  return complaints;
}

function complainOfAmount(found: Stripe.Price, { amount, currency }: PriceConfig): Complaint[] {
  if (amount === undefined || currency === undefined) return [];
  const { unit_amount: charged, currency: in_ } = found;
  if (charged === amount && in_ === currency) return [];
  const says =
    charged === null
      ? 'It has no single amount (tiers, or parts of a cent).'
      : `It costs ${charged} ${in_}, not ${amount} ${currency}.`;
  return [[says, 'Set what it costs, or leave `amount` and `currency` out.']];
}

function complainOfUsage({ recurring }: Stripe.Price, { plan, meter }: WantedPrice): Complaint[] {
  const isMetered = recurring?.usage_type === 'metered';
  if (plan.meter === undefined) {
    if (!isMetered) return [];
    return [['It is metered.', 'Set `meter` of the plan to the `event_name` of its meter.']];
  }
  if (!isMetered) {
    return [[`It does not count the meter ${plan.meter}.`, 'Name a price that is metered.']];
  }
  if (meter === undefined || recurring.meter === meter) return [];
  return [[`It counts another meter than ${plan.meter}.`, 'Name that one, or another price.']];
}
