/** The customer portal, as a person meets it: `/p/session/<id of the session>`. */

import type { PlanChange, PortalOutcome, PortalView, StripeSimulator } from '../contract.ts';
import type { PortalSession } from '../objects.ts';
import { attempt } from './attempt.ts';
import type { Reply, Shown, Visit } from './frame.ts';
import { cancelView, confirmView, pauseView, plansView } from './portal_changes.ts';
import { bankView, customerView, doneView, homeView, paymentView } from './portal_home.ts';
import { addressOf } from './portal_parts.ts';

type Portal = StripeSimulator['portal'];

/** Where a form leads, by the last part of its address. */
type Deed = (portal: Portal, id: string, form: URLSearchParams) => Promise<PortalOutcome>;

const deeds: Readonly<Record<string, Deed>> = {
  cancel(portal, id, form) {
    const [reason, comment] = [textOf(form, 'reason'), textOf(form, 'comment')];
    return portal.cancel(id, {
      ...subscriptionIn(form),
      ...(reason === undefined ? {} : { reason }),
      ...(comment === undefined ? {} : { comment }),
    });
  },
  resume: (portal, id, form) => portal.resume(id, subscriptionIn(form)),
  pause: (portal, id, form) => portal.pause(id, subscriptionIn(form)),
  plan: (portal, id, form) => portal.updatePlan(id, changeIn(form)),
  card: (portal, id, form) => portal.setCard(id, form.get('card') ?? ''),
  pay(portal, id, form) {
    const invoice = textOf(form, 'invoice');
    return portal.payInvoice(id, invoice === undefined ? {} : { invoice });
  },
  authenticate: (portal, id, form) => portal.authenticate(id, form.get('answer') === 'allow'),
  customer(portal, id, form) {
    const [name, email] = [textOf(form, 'name'), textOf(form, 'email')];
    return portal.updateCustomer(id, {
      ...(name === undefined ? {} : { name }),
      ...(email === undefined ? {} : { email }),
    });
  },
};

export function portalPages({ portal }: StripeSimulator) {
  return async ({ method, path, query, form }: Visit): Promise<Reply | undefined> => {
    const [id = '', what = '', ...rest] = path;
    if (id === '' || rest.length > 0) return undefined;
    if (method === 'GET' && what === 'leave') {
      const { redirect } = await portal.leave(id);
      return { location: redirect ?? `${addressOf(id)}/home` };
    }
    if (method === 'GET') return shown(portal, id, what, query);
    const deed = deeds[what];
    if (deed === undefined) return undefined;
    const done = await attempt(() => deed(portal, id, form));
    if ('trouble' in done) {
      const again = shown(portal, id, pageOf[what] ?? 'home', form, done.trouble);
      return again === undefined ? undefined : { ...again, status: 402 };
    }
    if (done.value.requiresAction) return { location: `${addressOf(id)}/bank` };
    return { location: done.value.redirect ?? `${addressOf(id)}/done?what=${what}` };
  };
}

/** Where what was refused is asked again. */
const pageOf: Readonly<Record<string, string>> = {
  cancel: 'cancel',
  pause: 'pause',
  plan: 'confirm',
  card: 'payment',
  customer: 'customer',
};

function shown(
  portal: Portal,
  id: string,
  what: string,
  query: URLSearchParams,
  trouble?: string,
): Shown | undefined {
  const view = portal.view(id);
  const { page, parameters } =
    what === '' ? beginning(view.session) : { page: what, parameters: query };
  const subscription = parameters.get('subscription') ?? undefined;
  switch (page) {
    case 'home':
      return homeView(view, trouble);
    case 'done':
      return doneView(view, parameters.get('what') ?? '');
    case 'bank':
      return bankView(view);
    case 'payment':
      return paymentView(view, trouble);
    case 'customer':
      return customerView(view, trouble);
    case 'cancel':
      return cancelView(view, subscription, trouble);
    case 'pause':
      return pauseView(view, subscription, trouble);
    case 'plan':
      return plansView(view, subscription);
    case 'confirm':
      return confirmed(portal, view, changeIn(parameters), trouble);
    default:
      return undefined;
  }
}

/** A session with a flow goes right to its page. */
function beginning({ flow }: PortalSession): { page: string; parameters: URLSearchParams } {
  const subscription =
    flow?.subscription_cancel?.subscription ??
    flow?.subscription_update?.subscription ??
    flow?.subscription_update_confirm?.subscription ??
    flow?.subscription_pause?.subscription;
  const [item] = flow?.subscription_update_confirm?.items ?? [];
  const parameters = new URLSearchParams({
    ...(subscription === undefined ? {} : { subscription }),
    ...(typeof item?.price === 'string' ? { price: item.price } : {}),
    ...(item?.quantity === undefined ? {} : { quantity: String(item.quantity) }),
  });
  return { page: flowPages[flow?.type ?? ''] ?? 'home', parameters };
}

const flowPages: Readonly<Record<string, string>> = {
  payment_method_update: 'payment',
  customer_update: 'customer',
  subscription_cancel: 'cancel',
  subscription_pause: 'pause',
  subscription_update: 'plan',
  subscription_update_confirm: 'confirm',
};

function confirmed(
  portal: Portal,
  view: PortalView,
  change: PlanChange,
  trouble: string | undefined,
): Shown {
  return confirmView(view, change, portal.previewPlan(view.session.id, change), trouble);
}

function changeIn(fields: URLSearchParams): PlanChange {
  const quantity = fields.get('quantity') ?? '';
  return {
    ...subscriptionIn(fields),
    price: fields.get('price') ?? '',
    ...(quantity === '' ? {} : { quantity: Number(quantity) }),
  };
}

function subscriptionIn(fields: URLSearchParams): { subscription?: string } {
  const subscription = textOf(fields, 'subscription');
  return subscription === undefined ? {} : { subscription };
}

/** Nothing where the field was left empty. */
function textOf(fields: URLSearchParams, name: string): string | undefined {
  const text = (fields.get(name) ?? '').trim().slice(0, 2000);
  return text === '' ? undefined : text;
}
