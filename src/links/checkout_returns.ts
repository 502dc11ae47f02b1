/**
 * Where Stripe Checkout sends browsers back to. Nothing is believed of what they bring but which session it was, and that
 * only of who began it (S6): what became of it is asked of Stripe.
 */

import type { ParameterizedContext } from 'koa';
import { checkoutUnknown } from '../billing/checkout.ts';
import { singleQuery } from '../web/form.ts';
import { continueTo, sendPage } from '../web/page.ts';
import {
  canceledPage,
  failedPage,
  momentPage,
  unpaidPage,
  waitingPage,
} from '../../views/signup.ts';
import { textOf } from './link_query.ts';
import { activeUser, fail, finish, signIn, withRetry } from './signup.ts';
import type { SignupDependencies } from './signup.ts';
import { addressOf, linkOf } from './signup_request.ts';

const successPath = '/integrations/stripe/checkout/success';
const canceledPath = '/integrations/stripe/checkout/canceled';
/** How often the page looks again by itself: within about half a minute. */
const mostLooks = 10;
const lookAfterSeconds = 3;

/** `GET /integrations/stripe/checkout/success?session_id=` */
export async function returnFromCheckout(
  ctx: ParameterizedContext,
  dependencies: SignupDependencies,
): Promise<void> {
  const { config, billing } = dependencies;
  const query = singleQuery(ctx);
  const session = query.get('session_id') ?? '';
  if (!/^cs_\w{1,250}$/.test(session)) {
    throw checkoutUnknown();
  }
  const looks = Math.min(mostLooks, Number(/^\d{1,2}$/.exec(query.get('look') ?? '')?.[0] ?? 0));
  const address = (look: number) =>
    `${successPath}?${new URLSearchParams({ session_id: session, ...(look > 0 && { look: String(look) }) })}`;
  const user = await activeUser(ctx, dependencies);
  if (user === undefined) return signIn(ctx, dependencies, { next: address(0) });
  const step = await billing.signups.returned(session, user).catch((error: unknown) => {
    throw withRetry(error, address(0), 'payment_unconfirmed');
  });
  switch (step.at) {
    case 'done':
      return finish(ctx, dependencies, step);
    case 'pending':
      return sendPage(ctx, waitingPage({ goOn: config.signin.success }, config.brand));
    case 'failed': {
      if (config.signup.failed !== undefined) return fail(ctx, config, failureOf(step.document));
      const view = {
        expired: step.document.state !== 'failed',
        again: addressOf(linkOf(step.document)),
      };
      return sendPage(ctx, failedPage(view, config.brand), 402);
    }
    case 'unpaid': {
      if (looks < mostLooks) {
        const view = { address: address(looks + 1), afterSeconds: lookAfterSeconds };
        return sendPage(ctx, momentPage(view, config.brand));
      }
      const view = { look: address(0), pay: addressOf(linkOf(step.document)) };
      return sendPage(ctx, unpaidPage(view, config.brand));
    }
    default:
      throw new Error(`a return from Checkout leads to ${step.at}`);
  }
}

function failureOf({ state }: { state: string }): 'payment_failed' | 'checkout_expired' {
  return state === 'failed' ? 'payment_failed' : 'checkout_expired';
}

/** `GET /integrations/stripe/checkout/canceled?signup=`: they left Checkout. Nothing is lost. */
export async function leaveCheckout(
  ctx: ParameterizedContext,
  dependencies: SignupDependencies,
): Promise<void> {
  const { config, billing } = dependencies;
  const query = singleQuery(ctx);
  const signup = textOf(query, 'signup', 400);
  const user = await activeUser(ctx, dependencies);
  const document =
    user === undefined || signup === undefined
      ? undefined
      : await billing.signups.canceled(signup, user).catch((error: unknown) => {
          const retry = `${canceledPath}?${new URLSearchParams({ signup })}`;
          throw withRetry(error, retry);
        });
  // Paid in another tab, or just before.
  if (document?.state === 'done') {
    const { account, product, returnTo } = document;
    return finish(ctx, dependencies, { account, product, ...(returnTo && { returnTo }) });
  }
  if (document?.state === 'pending') {
    return sendPage(ctx, waitingPage({ goOn: config.signin.success }, config.brand));
  }
  if (config.signup.canceled !== undefined) return continueTo(ctx, config.signup.canceled);
  const product = config.products.find(({ id }) => id === query.get('product'))?.id;
  const goOn = addressOf(document === undefined ? { product } : linkOf(document));
  const plans = config.signup.plans ?? '/signup';
  sendPage(ctx, canceledPage({ goOn, plans }, config.brand));
}
