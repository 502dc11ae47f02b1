/** What the links about an account share: who may follow them, what they are about, and where they lead back to. */

import type { ParameterizedContext } from 'koa';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Billing } from '../billing/billing.ts';
import { mayPay, namesOfOwners } from '../billing/payers.ts';
import type { Config } from '../config.ts';
import type { Account } from '../directory/accounts.ts';
import type { Csrf } from '../web/csrf.ts';
import type { Form } from '../web/form.ts';
import { continueTo, sendPage } from '../web/page.ts';
import { closedPage, notPayerPage, whichAccountPage } from '../../views/billing.ts';
import { findActing } from './acting.ts';
import type { ActingDependencies, Found } from './acting.ts';
import { linkProblem } from './errors.ts';
import { textOf } from './link_query.ts';
import { appOrigins, returnTarget } from './origins.ts';

export interface AccountDependencies extends ActingDependencies {
  config: Config;
  billing: Billing;
  secrets: Secrets;
  csrf: Csrf;
  clock: Clock;
  log: Log;
}

/** Somebody who may pay for this account. */
export interface Payer {
  user: string;
  account: Account;
}

export function backTo(query: Form, { config }: AccountDependencies): string {
  return returnTarget(query.get('return_to'), config, config.signin.success);
}

type Member = Extract<Found, { is: 'acting' | 'without' }>;

/**
 * Finds who follows the link, whatever their role. Who is not signed in, has to choose, or had an account that is closed
 * gets the page for it: then there is nothing more to do.
 * @throws {Problem} `account_foreign` (403)
 */
export async function memberOf(
  ctx: ParameterizedContext,
  deps: AccountDependencies,
  query: Form,
): Promise<Member | undefined> {
  const { config } = deps;
  const found = await findActing(ctx, deps, textOf(query, 'account'));
  const back = backTo(query, deps);
  if (found.is === 'nobody') {
    const signin = new URLSearchParams({ return_to: `${config.issuer}${here(ctx)}` });
    const account = textOf(query, 'account');
    if (account !== undefined) signin.set('account', account);
    continueTo(ctx, `/signin?${signin}`);
    return undefined;
  }
  if (found.is === 'several') {
    const rows = found.accounts.map(({ id, name }) => ({ name, href: here(ctx, { account: id }) }));
    sendPage(ctx, whichAccountPage(rows, config.brand));
    return undefined;
  }
  if (found.is === 'closed') {
    sendPage(ctx, closedPage({ account: found.account.name, back }, config.brand), 403);
    return undefined;
  }
  return found;
}

/**
 * Finds who follows the link. Whoever may not gets the page that says why: then there is nothing more to do.
 * @throws {Problem} `account_foreign`, `account_missing` (403)
 */
export async function payerOf(
  ctx: ParameterizedContext,
  deps: AccountDependencies,
  query: Form,
): Promise<Payer | undefined> {
  const { config, directory } = deps;
  const found = await memberOf(ctx, deps, query);
  if (found === undefined) return undefined;
  if (found.is === 'without') throw linkProblem('account_missing');
  if (mayPay(found.roles, config)) return found;
  const back = backTo(query, deps);
  const ask = await namesOfOwners(directory, found.account);
  sendPage(ctx, notPayerPage({ account: found.account.name, ask, back }, config.brand), 403);
  return undefined;
}

/** The address of this request, on our own host. */
function here(ctx: ParameterizedContext, more: Record<string, string> = {}): string {
  const query = new URLSearchParams(ctx.querystring);
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  return query.size === 0 ? ctx.path : `${ctx.path}?${query}`;
}

/** To where somebody without a subscription gets one. A sign-up ends at an app, so of `return_to` only that goes with it. */
export function signupAddress(
  { config }: Pick<AccountDependencies, 'config'>,
  { account, product, query }: { account: string; product: string | undefined; query: Form },
): string {
  const signup = new URLSearchParams({ account });
  if (product !== undefined) signup.set('product', product);
  for (const name of ['plan', 'period', 'quantity', 'return_to']) {
    const value = query.get(name);
    if (value !== undefined && value !== '') signup.set(name, value);
  }
  const back = URL.parse(signup.get('return_to') ?? '');
  if (back !== null && !appOrigins(config).has(back.origin)) signup.delete('return_to');
  return `/signup?${signup}`;
}
