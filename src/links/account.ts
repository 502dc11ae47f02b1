/**
 * `/account/portal`: an app's link to Stripe's portal, for who may pay. The way back goes by our own host, where the
 * account is made what Stripe says before the browser goes on: the first token after it is true.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { ParameterizedContext } from 'koa';
import { portalFlows } from '../billing/portal.ts';
import type { PortalFlow } from '../billing/portal.ts';
import { isDead } from '../billing/subscription_state.ts';
import type { Account } from '../directory/accounts.ts';
import { singleQuery } from '../web/form.ts';
import type { Form } from '../web/form.ts';
import { continueTo } from '../web/page.ts';
import { backTo, payerOf, signupAddress } from './account_request.ts';
import type { AccountDependencies } from './account_request.ts';
import { invalid, requireNavigation, textOf } from './link_query.ts';
import { findProduct } from './signin.ts';

export const portalReturnPath = '/integrations/stripe/portal/return';
const label = 'portal_return';
/** Stripe may be slow: whoever comes back waits no longer, and the webhook does the rest. */
const longestSyncMs = 6000;

/** `GET /account/portal` */
export async function openPortal(
  ctx: ParameterizedContext,
  deps: AccountDependencies,
): Promise<void> {
  requireNavigation(ctx);
  const { config, billing } = deps;
  const query = singleQuery(ctx);
  const flow = flowOf(query);
  const named = findProduct(config, textOf(query, 'product', 64))?.id;
  const back = backTo(query, deps);
  const payer = await payerOf(ctx, deps, query);
  if (payer === undefined) return;
  const { account } = payer;
  const product = named ?? productOf(account, deps);
  const { customer } = account;
  if (customer === undefined || !hasSomethingThere(account, { flow, named })) {
    const address = signupAddress(deps, { account: account.id, product, query });
    return continueTo(ctx, address);
  }
  const subscription = product === undefined ? undefined : account.subscriptions?.[product];
  const url = await billing.portal.open({
    customer,
    flow,
    returnUrl: portalReturn(deps, account.id, back),
    subscription:
      subscription === undefined || isDead(subscription) ? undefined : subscription.subscription,
  });
  continueTo(ctx, url);
}

/**
 * What is over still has invoices and a payment method, which a link may name; but on the portal's front page nobody can
 * subscribe again, so without a flow it takes a live subscription: of the product that the link names, or any.
 */
function hasSomethingThere(
  { subscriptions = {}, customerGoneAt }: Account,
  { flow, named }: { flow: PortalFlow | undefined; named: string | undefined },
): boolean {
  if (customerGoneAt !== undefined) return false;
  if (flow !== undefined) return Object.keys(subscriptions).length > 0;
  const meant = named === undefined ? Object.values(subscriptions) : [subscriptions[named]];
  return meant.some((one) => one !== undefined && !isDead(one));
}

function flowOf(query: Form): PortalFlow | undefined {
  const value = textOf(query, 'flow', 64);
  const flow = portalFlows.find((one) => one === value);
  if (value !== undefined && flow === undefined) throw invalid('flow');
  return flow;
}

/** The one that there is a live subscription to, or was one to, otherwise the first that is sold. */
function productOf(
  { subscriptions = {} }: Account,
  { config }: AccountDependencies,
): string | undefined {
  const sold = config.products.filter(({ plans }) => plans.length > 0).map(({ id }) => id);
  const had = sold.filter((id) => subscriptions[id] !== undefined);
  const live = had.find((id) => !isDead(subscriptions[id] ?? { status: '' }));
  return live ?? had[0] ?? sold[0];
}

/** Our own address, to which Stripe sends the browser back: sealed, so that it leads nowhere else. */
export function portalReturn(
  { config, secrets }: AccountDependencies,
  account: string,
  back: string,
): string {
  const state = secrets.seal(label, JSON.stringify({ account, back }), portalReturnPath);
  return `${config.issuer}${portalReturnPath}?state=${state}`;
}

/** `GET /integrations/stripe/portal/return` */
export async function returnFromPortal(
  ctx: ParameterizedContext,
  deps: AccountDependencies,
): Promise<void> {
  const state = openState(deps, singleQuery(ctx).get('state') ?? '');
  if (state === undefined) return continueTo(ctx, deps.config.signin.success);
  await syncNow(deps, state.account);
  continueTo(ctx, state.back);
}

function openState({ secrets }: AccountDependencies, sealed: string) {
  try {
    const state = secrets.open(label, sealed, portalReturnPath);
    return JSON.parse(state) as { account: string; back: string };
  } catch {
    // Altered, or sealed with a secret that is gone.
    return undefined;
  }
}

/** Makes the account what Stripe says, as far as Stripe answers in time. */
export async function syncNow(
  { directory, billing, log }: AccountDependencies,
  id: string,
): Promise<void> {
  const customer = (await directory.account(id))?.customer;
  if (customer === undefined) return;
  const late = new AbortController();
  try {
    await Promise.race([
      billing.sync.customer(customer),
      delay(longestSyncMs, undefined, { signal: late.signal }).then(() => {
        throw new Error('Stripe took too long');
      }),
    ]);
  } catch (error) {
    log.warn('an account is made what Stripe says later', { account: id, error });
  } finally {
    late.abort();
  }
}
