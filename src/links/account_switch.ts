/**
 * `/account/switch/:product`: an app's link to another plan. Nothing changes by a link alone: it is confirmed in Stripe's
 * portal, or on a page of ours that says what is paid today. What that page showed is sealed into its form, and taken
 * only while it is still so.
 */

import type { ParameterizedContext } from 'koa';
import { randomToken } from '../base/ids.ts';
import type { Change, Preview } from '../billing/switching.ts';
import type { Account } from '../directory/accounts.ts';
import type { PriceConfig, ProductConfig } from '../config.ts';
import { readForm, singleQuery } from '../web/form.ts';
import type { Form } from '../web/form.ts';
import { continueTo, sendPage } from '../web/page.ts';
import { changePage, changedPage } from '../../views/billing.ts';
import type { PlanFacts } from '../../views/billing.ts';
import { money } from '../../views/money.ts';
import { texts } from '../../views/texts.ts';
import { portalReturn, syncNow } from './account.ts';
import { backTo, payerOf, signupAddress } from './account_request.ts';
import type { AccountDependencies } from './account_request.ts';
import { linkProblem } from './errors.ts';
import { invalid, requireNavigation, textOf } from './link_query.ts';
import { findProduct } from './signin.ts';

const label = 'plan_change';
const formLimitBytes = 16 * 1024;
/** A page that stood longer is reckoned anew. */
const goodForMs = 15 * 60_000;

/** What somebody saw, and agreed to with the button. */
interface Agreed {
  account: string;
  wish: { plan: string; period: string; quantity?: number };
  priceId: string;
  preview: Preview;
  at: number;
  /** Of this page alone. */
  attempt: string;
  /** Absent: nobody said where to go on to. */
  back?: string;
}

interface Asked {
  account: Account;
  product: ProductConfig;
  /** Where the browser goes by default. */
  back: string;
  wantsBack: boolean;
  message?: string;
}

/** `GET /account/switch/:product` */
export async function beginSwitch(
  ctx: ParameterizedContext,
  deps: AccountDependencies,
  id: string,
): Promise<void> {
  requireNavigation(ctx);
  const { config, billing } = deps;
  const product = findProduct(config, id);
  if (product === undefined)
    throw linkProblem('product_unknown', { details: { parameter: 'product' } });
  const query = singleQuery(ctx);
  const wish = wishOf(query, id);
  const back = backTo(query, deps);
  const payer = await payerOf(ctx, deps, query);
  if (payer === undefined) return;
  const { account } = payer;
  const prepared = await billing.switching.prepare(account, wish);
  const returnUrl = portalReturn(deps, account.id, back);
  switch (prepared.is) {
    case 'subscribe':
      return continueTo(ctx, signupAddress(deps, { account: account.id, product: id, query }));
    case 'end': {
      const { customer, subscription } = prepared;
      const url = await billing.portal.open({ customer, subscription, returnUrl, flow: 'cancel' });
      return continueTo(ctx, url);
    }
    case 'same': {
      // Perhaps since a moment ago, by a change of which we have not heard.
      await syncNow(deps, account.id);
      const view = { account: account.name, plan: prepared.plan.name, changed: false, back };
      return sendPage(ctx, changedPage(view, config.brand));
    }
    case 'change': {
      const { change } = prepared;
      if (config.stripe?.changes !== 'page') {
        return continueTo(
          ctx,
          await billing.portal.confirm({ ...change, price: change.priceId, returnUrl }),
        );
      }
      const wantsBack = query.has('return_to');
      await showChange(ctx, deps, change, { account, product, back, wantsBack });
    }
  }
}

function wishOf(query: Form, product: string) {
  const quantity = textOf(query, 'quantity', 9);
  if (quantity !== undefined && !/^[1-9]\d*$/.test(quantity)) throw invalid('quantity');
  return {
    product,
    plan: textOf(query, 'plan', 64),
    period: textOf(query, 'period', 16),
    quantity: quantity === undefined ? undefined : Number(quantity),
  };
}

async function showChange(
  ctx: ParameterizedContext,
  deps: AccountDependencies,
  change: Change,
  asked: Asked,
): Promise<void> {
  const { config, secrets, csrf, clock } = deps;
  const preview = await deps.billing.switching.preview(change);
  const { account, product, back, wantsBack, message } = asked;
  const { plan, price, quantity, priceId } = change;
  const agreed: Agreed = {
    account: account.id,
    wish: { plan: plan.id, period: price.period, ...(quantity === undefined ? {} : { quantity }) },
    priceId,
    preview,
    at: clock(),
    attempt: randomToken(),
    ...(wantsBack ? { back } : {}),
  };
  const action = `/account/switch/${encodeURIComponent(product.id)}`;
  const inWords = (amount: number, currency: string) => money(amount, currency, texts.language);
  const { due, credit, currency } = preview;
  const view = {
    action,
    csrf: csrf.token(ctx),
    fields: { agreed: secrets.seal(label, JSON.stringify(agreed), product.id) },
    now: factsNow(change, product, inWords),
    next: factsNext(change, price, inWords),
    today: due > 0 ? inWords(due, currency) : undefined,
    credit: credit > 0 ? inWords(credit, currency) : undefined,
    trialing: change.trialing,
    message,
    back,
  };
  sendPage(ctx, changePage(view, config.brand), message === undefined ? 200 : 409);
}

type InWords = (amount: number, currency: string) => string;

function factsNow({ now }: Change, product: ProductConfig, inWords: InWords): PlanFacts {
  const plan = product.plans.find(({ id }) => id === now.plan);
  return {
    plan: plan?.name ?? texts.selectAccount.plan(now.plan),
    period: now.period,
    seats: plan?.seats === undefined ? undefined : now.quantity,
    // Of what is metered it is the price of one.
    amount:
      now.amount === undefined || plan?.meter !== undefined
        ? undefined
        : inWords(now.amount, now.currency),
  };
}

/** The price is said where the configuration says it; what is paid today is Stripe's word. */
function factsNext({ plan, quantity }: Change, price: PriceConfig, inWords: InWords): PlanFacts {
  const { amount, currency, period } = price;
  const known = amount !== undefined && currency !== undefined && plan.meter === undefined;
  return {
    plan: plan.name,
    period,
    seats: plan.seats === undefined ? undefined : quantity,
    amount: known ? inWords(amount * (quantity ?? 1), currency) : undefined,
  };
}

/** `POST /account/switch/:product`: the button of our own page. */
export async function confirmSwitch(
  ctx: ParameterizedContext,
  deps: AccountDependencies,
  id: string,
): Promise<void> {
  const { config, billing, csrf } = deps;
  const product = findProduct(config, id);
  const form = await readForm(ctx, formLimitBytes);
  csrf.require(ctx, form);
  const agreed = openAgreed(deps, form.get('agreed') ?? '', id);
  if (product === undefined || agreed === undefined) throw invalid('agreed');
  // Whoever lost the right meanwhile, or is somebody else by now, changes nothing.
  const payer = await payerOf(ctx, deps, new Map([['account', agreed.account]]));
  if (payer === undefined) return;
  const { account } = payer;
  const back = agreed.back ?? config.signin.success;
  const prepared = await billing.switching.prepare(account, { product: id, ...agreed.wish });
  if (prepared.is === 'subscribe' || prepared.is === 'end') {
    return continueTo(
      ctx,
      signupAddress(deps, { account: account.id, product: id, query: new Map() }),
    );
  }
  if (prepared.is === 'change') {
    const { change } = prepared;
    if (!(await isStillSo(deps, change, agreed))) {
      const message = texts.billing.change.moved;
      const wantsBack = agreed.back !== undefined;
      return showChange(ctx, deps, change, { account, product, back, wantsBack, message });
    }
    await billing.switching.apply(change, agreed.preview, agreed.attempt);
  }
  // Done now, or before: by a double click, or by what was stopped in the middle.
  await syncNow(deps, account.id);
  if (agreed.back !== undefined) return continueTo(ctx, agreed.back);
  const plan = product.plans.find((one) => one.id === agreed.wish.plan);
  const view = { account: account.name, plan: plan?.name ?? agreed.wish.plan, changed: true, back };
  sendPage(ctx, changedPage(view, config.brand));
}

function openAgreed({ secrets }: AccountDependencies, sealed: string, product: string) {
  try {
    return JSON.parse(secrets.open(label, sealed, product)) as Agreed;
  } catch {
    return undefined;
  }
}

/** The price shown is the price charged: reckoned for the same moment, it comes to the same. */
async function isStillSo(
  { billing, clock }: AccountDependencies,
  change: Change,
  { preview, priceId, at }: Agreed,
): Promise<boolean> {
  if (clock() - at > goodForMs || change.priceId !== priceId) return false;
  const { due, credit, currency } = await billing.switching.preview(change, preview.prorationDate);
  return due === preview.due && credit === preview.credit && currency === preview.currency;
}
