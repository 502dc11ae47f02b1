/** Checkout, as a person meets it: `/c/pay/<id of the session>`. */

import type { CheckoutOutcome, StripeSimulator } from '../contract.ts';
import { attempt } from './attempt.ts';
import { addressOf, checkoutView } from './checkout_views.ts';
import type { Reply, Visit } from './frame.ts';

type Checkout = StripeSimulator['checkout'];

export function checkoutPages({ checkout }: StripeSimulator) {
  return async ({ method, path, form }: Visit): Promise<Reply | undefined> => {
    const [id = '', what = '', ...rest] = path;
    if (id === '' || rest.length > 0) return undefined;
    switch (`${method} ${what}`) {
      case 'GET ':
        return checkoutView(checkout.view(id));
      case 'GET leave': {
        const { redirect } = await checkout.leave(id);
        return { location: redirect ?? addressOf(id) };
      }
      case 'POST ':
        return told(checkout, id, () => pay(checkout, id, form));
      case 'POST authenticate':
        return told(checkout, id, () => checkout.authenticate(id, form.get('answer') === 'allow'));
      case 'POST code':
        return changed(checkout, id, () => checkout.applyCode(id, (form.get('code') ?? '').trim()));
      case 'POST quantity':
        return changed(checkout, id, () =>
          checkout.setQuantity(id, form.get('item') ?? '', Number(form.get('quantity'))),
        );
      case 'POST settle':
        return changed(checkout, id, () =>
          checkout.settle(id, form.get('outcome') === 'succeeded' ? 'succeeded' : 'failed'),
        );
      default:
        return undefined;
    }
  };
}

function pay(checkout: Checkout, id: string, form: URLSearchParams): Promise<CheckoutOutcome> {
  const email = form.get('email');
  return checkout.pay(id, {
    card: form.get('card') ?? '',
    ...(email === null ? {} : { billing: { email: email.slice(0, 500) } }),
  });
}

/** Goes where the outcome leads, or says on the page why it leads nowhere. */
async function told(
  checkout: Checkout,
  id: string,
  work: () => Promise<CheckoutOutcome>,
): Promise<Reply> {
  const done = await attempt(work);
  if ('trouble' in done) return checkoutView(checkout.view(id), done.trouble);
  switch (done.value.kind) {
    case 'completed':
      return { location: done.value.redirect };
    case 'declined':
      return checkoutView(checkout.view(id), done.value.message);
    case 'requires_action':
      return { location: addressOf(id) };
  }
}

/** The page again, so that loading it anew does nothing twice. */
async function changed(checkout: Checkout, id: string, work: () => unknown): Promise<Reply> {
  const done = await attempt(work);
  return 'trouble' in done
    ? checkoutView(checkout.view(id), done.trouble)
    : { location: addressOf(id) };
}
