/**
 * Where Stripe sends its events: `POST /integrations/stripe/events`. Outside of cookies, CSRF and what limits browsers:
 * who may speak here is decided by the signature alone, over the bytes as they came.
 */

import Router from '@koa/router';
import { Problem } from '../base/errors.ts';
import type { Measures } from '../base/measures.ts';
import type { Webhooks } from '../billing/webhooks.ts';
import { readBody } from '../web/form.ts';
import type { LimitRule, Limits } from '../web/limits.ts';

export interface StripeEventsDependencies {
  webhooks: Webhooks;
  limits: Limits;
  measures: Measures;
}

const stripeEventsPath = '/integrations/stripe/events';

/** Events of Stripe have some kilobytes. */
const longestBody = 512 * 1024;
/** Stripe sends from a handful of addresses, and a lot at once when many renew in the same hour. */
const limit: LimitRule = {
  name: 'stripe_events',
  limit: 20_000,
  windowSeconds: 60,
  whenStoreFails: 'open',
};

export function routes({ webhooks, limits, measures }: StripeEventsDependencies): Router {
  const router = new Router();
  const count = (outcome: string) => measures.count('tollgate_billing_webhooks_total', { outcome });
  router.use(stripeEventsPath, (ctx, next) => {
    // A program, whatever it says that it accepts.
    ctx.req.headers.accept = 'application/json';
    return next();
  });
  router.post(stripeEventsPath, limits.byAddress(limit), async (ctx) => {
    try {
      // Stripe never compresses: it is no request of Stripe's, and its signature would be of other bytes.
      if (ctx.get('Content-Encoding') !== '') throw compressed();
      const body = await readBody(ctx, longestBody);
      const taken = await webhooks.receive(body, ctx.get('Stripe-Signature'));
      count(taken);
      ctx.body = { received: true };
    } catch (error) {
      count(error instanceof Problem && error.status < 500 ? 'refused' : 'failed');
      throw error;
    }
  });
  router.all(stripeEventsPath, (ctx) => {
    ctx.set('Allow', 'POST');
    throw new Problem('method_not_allowed', 405, 'This address does not take that.');
  });
  return router;
}

function compressed(): Problem {
  return new Problem('signature_invalid', 400, 'The body must not be compressed.', {
    isLogged: true,
  });
}
