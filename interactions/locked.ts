/**
 * The account has no access, and the product is configured to lock it out: who may pay finds the way, others whom to
 * ask. Whoever comes back after paying goes on.
 */

import { mayPay, namesOfOwners } from '../src/billing/payers.ts';
import { isLockedOut, remedyOf, standingOf } from '../src/billing/policy.ts';
import type { Remedy } from '../src/billing/policy.ts';
import type { Membership } from '../src/directory/access.ts';
import type { Form } from '../src/web/form.ts';
import { lockedPage } from '../views/billing.ts';
import { texts } from '../views/texts.ts';
import { denied } from './prompt.ts';
import type { InteractionDependencies, Outcome, Prompt, Visit } from './prompt.ts';

/** The prompt is over, and the authorization request looks at everything afresh. */
const goOn: Outcome = { result: { locked: {} } };

async function show(deps: InteractionDependencies, visit: Visit): Promise<Outcome> {
  const { user, account, products, client } = visit.conversation;
  if (user === undefined || account === undefined) return goOn;
  const acting = await deps.directory.membership(user, account);
  const terms = { config: deps.config, now: deps.clock() };
  const locked = (product: string) =>
    acting !== undefined && isLockedOut(acting.account, product, terms);
  const [product] = products;
  if (acting === undefined || product === undefined || !products.every(locked)) return goOn;

  const remedy = remedyOf(standingOf(acting.account, product, terms));
  const pays = deps.config.stripe !== undefined && mayPay(acting.roles, deps.config);
  const view = {
    form: visit.form,
    account: acting.account.name,
    app: client.name,
    remedy,
    pay: pays ? payAddress(deps, { acting, product, remedy, back: visit.form.action }) : undefined,
    ask: await namesOfOwners(deps.directory, acting.account),
  };
  return { status: 403, page: lockedPage(view, deps.config.brand) };
}

function payAddress(
  { config }: InteractionDependencies,
  way: { acting: Membership; product: string; remedy: Remedy; back: string },
): string {
  const { acting, product, remedy, back } = way;
  const query = new URLSearchParams({ account: acting.account.id, product });
  if (remedy === 'subscribe') return `/signup?${query}`;
  query.set('return_to', `${config.issuer}${back}`);
  return `/account/portal?${query}`;
}

async function submit(deps: InteractionDependencies, visit: Visit, fields: Form): Promise<Outcome> {
  if (fields.has('choose')) {
    return { address: await deps.conversations.chooseAgain(visit.conversation) };
  }
  if (fields.has('leave')) return denied(texts.denied.locked);
  return show(deps, visit);
}

export const locked: Prompt = { show, submit };
