/**
 * Stripe's billing portal: a session of it for an account, at the page that is wanted or at its front page. The URL of
 * a session is as good as its owner: it goes to the browser, and nowhere else.
 */

import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { StripeConfig } from '../config.ts';
import type { Stripe, StripeClient } from './stripe.ts';

/** Pages of the portal that links may name. Stripe has none for `invoices`: they are on its front page. */
export const portalFlows = ['payment_method', 'cancel', 'invoices'] as const;
export type PortalFlow = (typeof portalFlows)[number];

export interface PortalWish {
  customer: string;
  /** Where the browser comes back to, on our own host. */
  returnUrl: string;
  flow?: PortalFlow | undefined;
  /** Of the product, for `cancel`: a live one. */
  subscription?: string | undefined;
}

/** A change that the customer confirms there. */
export interface PortalChange {
  customer: string;
  returnUrl: string;
  subscription: string;
  item: string;
  price: string;
  quantity?: number | undefined;
}

export interface Portal {
  /**
   * A flow that Stripe refuses (switched off in its configuration, or not for this subscription) becomes the front page.
   * @returns the URL of a session
   * @throws {Problem} `stripe_unavailable` (503), `stripe_refused` (502)
   */
  open(wish: PortalWish): Promise<string>;
  /** @throws {Problem} `change_not_possible` (409): Stripe refuses this change; `stripe_unavailable` (503) */
  confirm(change: PortalChange): Promise<string>;
}

type Flow = Stripe.BillingPortal.SessionCreateParams.FlowData;

export function createPortal(deps: {
  stripe: StripeClient;
  config: Pick<StripeConfig, 'portalConfiguration'>;
  log: Log;
}): Portal {
  const { stripe, config, log } = deps;

  async function session(customer: string, returnUrl: string, flow?: Flow): Promise<string> {
    const { portalConfiguration: configuration } = config;
    const { url } = await stripe.call('billingPortal.sessions.create', (api) =>
      api.billingPortal.sessions.create({
        customer,
        return_url: returnUrl,
        ...(configuration === undefined ? {} : { configuration }),
        ...(flow === undefined ? {} : { flow_data: { ...flow, ...after(returnUrl) } }),
      }),
    );
    return url;
  }

  return {
    async open({ customer, returnUrl, ...wish }) {
      const flow = flowOf(wish);
      try {
        return await session(customer, returnUrl, flow);
      } catch (error) {
        if (flow === undefined || !isRefusal(error)) throw error;
        log.info('the portal refused a flow: its front page instead', { flow: flow.type });
        return session(customer, returnUrl);
      }
    },
    async confirm({ customer, returnUrl, subscription, item: id, price, quantity }) {
      const item = { id, price, ...(quantity === undefined ? {} : { quantity }) };
      const flow: Flow = {
        type: 'subscription_update_confirm',
        subscription_update_confirm: { subscription, items: [item] },
      };
      try {
        return await session(customer, returnUrl, flow);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        throw changeNotPossible(error);
      }
    },
  };
}

function after(returnUrl: string): Pick<Flow, 'after_completion'> {
  return { after_completion: { type: 'redirect', redirect: { return_url: returnUrl } } };
}

function flowOf({ flow, subscription }: Pick<PortalWish, 'flow' | 'subscription'>) {
  if (flow === 'payment_method') return { type: 'payment_method_update' } satisfies Flow;
  if (flow !== 'cancel' || subscription === undefined) return undefined;
  return { type: 'subscription_cancel', subscription_cancel: { subscription } } satisfies Flow;
}

function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.code === 'stripe_refused';
}

export function changeNotPossible(cause?: unknown): Problem {
  const sentence = 'This plan has to be changed by the people who run this site: ask them.';
  return new Problem('change_not_possible', 409, sentence, { cause });
}
