/**
 * `/account/billing`: how an account stands with each product, for everybody who belongs to it, and what who may pay can
 * do about it. An app or an e-mail may link here in whatever state the account is. It is read from our own documents, so
 * it is there when Stripe is not; the links lead on to where Stripe is asked.
 */

import type { ParameterizedContext } from 'koa';
import { mayPay, namesOfOwners } from '../billing/payers.ts';
import type { PriceConfig, ProductConfig } from '../config.ts';
import type { Account } from '../directory/accounts.ts';
import { isOwner } from '../directory/rights.ts';
import { singleQuery } from '../web/form.ts';
import type { Form } from '../web/form.ts';
import { sendPage } from '../web/page.ts';
import { accountBillingPage } from '../../views/account_billing.ts';
import type {
  AccountBillingView,
  ProductBillingView,
  StateName,
} from '../../views/account_billing.ts';
import { money } from '../../views/money.ts';
import { eachOf } from '../../views/plans.ts';
import { waitingPage } from '../../views/signup.ts';
import { texts } from '../../views/texts.ts';
import { backTo, memberOf, signupAddress } from './account_request.ts';
import type { AccountDependencies } from './account_request.ts';
import { factsOf, liveOf, remedyFor, stateOf } from './account_state.ts';
import type { Asked } from './account_state.ts';
import { linkProblem } from './errors.ts';
import { requireNavigation, textOf } from './link_query.ts';
import { findProduct } from './signin.ts';

/** `GET /account/billing` */
export async function showBilling(
  ctx: ParameterizedContext,
  deps: AccountDependencies,
): Promise<void> {
  requireNavigation(ctx);
  const { config, billing, clock, directory } = deps;
  const query = singleQuery(ctx);
  const named = findProduct(config, textOf(query, 'product', 64));
  const back = backTo(query, deps);
  const member = await memberOf(ctx, deps, query);
  if (member === undefined) return;
  if (member.is === 'without') return showWaiting(ctx, deps, member.user);
  const { account, roles } = member;
  const products = (named === undefined ? config.products : [named]).filter(
    ({ id, plans }) => plans.length > 0 || account.subscriptions?.[id] !== undefined,
  );
  if (products.length === 0) throw linkProblem('billing_unavailable');
  const pays = mayPay(roles, config);
  const ways = pays ? waysOf(deps, { account, named, query, back }) : undefined;
  const pending = await billing.signups.pending(account.id);
  const terms = { config, now: clock() };
  const views = products.map((product) => {
    const plan = pending.find((one) => one.product === product.id)?.plan;
    const view = viewOf({ account, product, pending: plan, terms }, ways);
    return account.closing === undefined ? view : endingWithAccount(view);
  });
  const view = {
    account: account.name,
    products: views,
    more: ways === undefined ? [] : moreOf(ways, account, views),
    ask: pays ? undefined : await namesOfOwners(directory, account),
    back,
    closing: account.closing && {
      at: account.closing.endsAt,
      keep: isOwner(roles)
        ? `/account/close?${new URLSearchParams({ account: account.id })}`
        : undefined,
    },
  };
  sendPage(ctx, accountBillingPage(view, config.brand));
}

/** Their account comes with their payment. @throws {Problem} `account_missing` (403): nothing is on its way */
async function showWaiting(
  ctx: ParameterizedContext,
  { config, billing }: AccountDependencies,
  user: string,
): Promise<void> {
  const unfinished = await billing.signups.unfinished(user);
  if (!unfinished.some(({ document }) => document.state === 'pending')) {
    throw linkProblem('account_missing');
  }
  sendPage(ctx, waitingPage({ goOn: config.signin.success }, config.brand));
}

/** Where something is done about it. */
interface Ways {
  portal(of: { product?: string; flow?: string }): string;
  change(product: string, plan: string, period: string): string;
  signup(product: string): string;
  /** Whether Stripe has something of the account that can be looked at. */
  hasPortal: boolean;
}

interface Way {
  account: Account;
  named: ProductConfig | undefined;
  query: Form;
  back: string;
}

/** Whoever came from nowhere in particular comes back here, and sees what has become of it. */
function waysOf(deps: AccountDependencies, { account, named, query, back }: Way): Ways {
  const { id, customer, customerGoneAt } = account;
  const here = new URLSearchParams({ account: id, ...(named && { product: named.id }) });
  const page = `${deps.config.issuer}/account/billing?${here}`;
  const shared = { account: id, return_to: query.get('return_to') ? back : page };
  return {
    portal: (of) => `/account/portal?${new URLSearchParams({ ...of, ...shared })}`,
    change: (product, plan, period) =>
      `/account/switch/${encodeURIComponent(product)}?${new URLSearchParams({ plan, period, ...shared })}`,
    signup: (product) => {
      const kept = new Map([['return_to', query.get('return_to') ?? '']]);
      return signupAddress(deps, { account: id, product, query: kept });
    },
    hasPortal: customer !== undefined && customerGoneAt === undefined,
  };
}

/** @param ways absent for who may not pay: they see how it stands, and nothing to do */
function viewOf(asked: Asked, ways: Ways | undefined): ProductBillingView {
  const { product } = asked;
  const state = stateOf(asked);
  const view = { product: product.name, state, plan: factsOf(asked), changes: [] };
  if (ways === undefined) return view;
  const remedy = remedyFor(asked, state);
  const href =
    remedy === 'subscribe'
      ? ways.signup(product.id)
      : ways.portal({
          product: product.id,
          ...(remedy === 'card' && { flow: 'payment_method' }),
        });
  const canCancel = ways.hasPortal && liveOf(asked) !== undefined && state.is !== 'ending';
  return {
    ...view,
    action: remedy === undefined ? undefined : { is: remedy, href },
    changes: mayChange.has(state.is) ? changesOf(asked, ways) : [],
    cancel: canCancel ? ways.portal({ product: product.id, flow: 'cancel' }) : undefined,
  };
}

/** What is owed is owed, and all else ends with the account. */
function endingWithAccount({ action, ...view }: ProductBillingView): ProductBillingView {
  const { cancel: _cancel, ...rest } = view;
  return { ...rest, changes: [], ...(action?.is === 'pay' ? { action } : {}) };
}

/** Who owes something pays first, and what is going to end is kept first. */
const mayChange: ReadonlySet<StateName> = new Set(['active', 'trialing', 'trial_without_card']);

/** What is offered beside what they have. Ending the plan is no other plan, so none of the free ones. */
function changesOf(asked: Asked, { change }: Ways): ProductBillingView['changes'] {
  const { product } = asked;
  const has = liveOf(asked);
  return product.plans
    .filter(({ offered }) => offered)
    .flatMap((plan) =>
      plan.prices
        .filter(({ period }) => plan.id !== has?.plan || period !== has.period)
        .map((price) => ({
          plan: plan.name,
          period: price.period,
          amount: amountOf(price),
          per: eachOf(plan),
          href: change(product.id, plan.id, price.period),
        })),
    );
}

function amountOf({ amount, currency }: PriceConfig): string | undefined {
  if (amount === undefined || currency === undefined) return undefined;
  return money(amount, currency, texts.language);
}

/** Invoices and payment methods are the account's, whatever they are for. */
function moreOf(
  { portal, hasPortal }: Ways,
  { subscriptions = {} }: Account,
  products: readonly ProductBillingView[],
): AccountBillingView['more'] {
  if (!hasPortal || Object.keys(subscriptions).length === 0) return [];
  const invoices = { is: 'invoices', href: portal({ flow: 'invoices' }) } as const;
  const isOffered = products.some(({ action }) => action?.is === 'card');
  const href = portal({ flow: 'payment_method' });
  return isOffered ? [invoices] : [{ is: 'paymentMethod', href }, invoices];
}
