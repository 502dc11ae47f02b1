/** The portal's pages that change a subscription: each says what will be, and asks with a button. */

import { markup } from '../../look.ts';
import type { Markup } from '../../look.ts';
import type { PlanChange, PortalView } from '../contract.ts';
import type { Invoice } from '../objects.ts';
import { date, money, nothingHere, priceText, problem } from './frame.ts';
import type { Shown } from './frame.ts';
import {
  addressOf,
  describe,
  hidden,
  periodEnd,
  quantityOf,
  subscribed,
  waysOut,
} from './portal_parts.ts';
import type { Subscribed } from './portal_parts.ts';

const noSubscription = nothingHere('This customer has no such subscription.');

const reasons: Readonly<Record<string, string>> = {
  too_expensive: 'It is too expensive',
  missing_features: 'I need more features',
  switched_service: 'I found another one',
  unused: 'I don’t use it enough',
  customer_service: 'The customer service was not good',
  too_complex: 'It was too complicated',
  low_quality: 'It was not good enough',
  other: 'Another reason',
};

export function cancelView(view: PortalView, id: string | undefined, trouble?: string): Shown {
  const one = subscribed(view, id);
  if (one === undefined) return noSubscription;
  const { cancellation_reason: asked, mode } = view.configuration.features.subscription_cancel;
  const title = 'Cancel the subscription?';
  const when =
    mode === 'at_period_end'
      ? `It stays until ${date(periodEnd(one.subscription))}, and ends then.`
      : 'It ends at once.';
  return {
    title,
    body: markup`<h1>${title}</h1><p>${when}</p>${problem(trouble)}${describe(one)}
<form method="post" action="${addressOf(view.session.id)}/cancel">${hidden('subscription', one.subscription.id)}
${asked.enabled ? askWhy(asked.options) : markup``}
<p></p><button class="primary">Cancel the subscription</button></form>${waysOut(view)}`,
  };
}

function askWhy(options: readonly string[]): Markup {
  const choices = options.map(
    (option) =>
      markup`<label class="choice"><input type="radio" name="reason" value="${option}">${reasons[option] ?? option}</label>`,
  );
  return markup`<fieldset><legend>Why? (you need not say)</legend>${choices}</fieldset>
<label for="comment">Anything else?</label><textarea id="comment" name="comment" rows="3" maxlength="500"></textarea>`;
}

export function pauseView(view: PortalView, id: string | undefined, trouble?: string): Shown {
  const one = subscribed(view, id);
  if (one === undefined) return noSubscription;
  const title = 'Pause the subscription?';
  return {
    title,
    body: markup`<h1>${title}</h1><p>Nothing is charged until you go on with it.</p>${problem(trouble)}${describe(one)}
<form method="post" action="${addressOf(view.session.id)}/pause">${hidden('subscription', one.subscription.id)}
<button class="primary">Pause the subscription</button></form>${waysOut(view)}`,
  };
}

export function plansView(view: PortalView, id: string | undefined): Shown {
  const one = subscribed(view, id);
  if (one === undefined) return noSubscription;
  const title = 'Change the plan';
  const choices = view.plans.map(({ price, product }) => {
    const present = price.id === one.price.id ? markup` checked` : markup``;
    return markup`<label class="choice"><input type="radio" name="price" value="${price.id}" required${present}>
<span>${product.name}<br><small>${priceText(price)}${price.id === one.price.id ? ', as now' : ''}</small></span></label>`;
  });
  return {
    title,
    body: markup`<h1>${title}</h1><p>The next page says what it costs.</p>
<form method="get" action="${addressOf(view.session.id)}/confirm">${hidden('subscription', one.subscription.id)}
<fieldset><legend>Plan</legend>${choices}</fieldset>${quantityField(view, one)}
<p></p><button class="primary">Continue</button></form>${waysOut(view)}`,
  };
}

function quantityField({ configuration }: PortalView, { subscription }: Subscribed): Markup {
  const { default_allowed_updates: allowed } = configuration.features.subscription_update;
  if (!allowed.includes('quantity')) return markup``;
  return markup`<label for="quantity">Quantity</label>
<input id="quantity" name="quantity" type="number" inputmode="numeric" min="1" max="999999" required value="${String(quantityOf(subscription))}">`;
}

/** @param preview the invoice that the change would make now */
export function confirmView(
  view: PortalView,
  change: PlanChange,
  preview: Invoice,
  trouble?: string,
): Shown {
  const one = subscribed(view, change.subscription);
  if (one === undefined) return noSubscription;
  const to = view.plans.find(({ price }) => price.id === change.price) ?? one;
  const quantity = change.quantity ?? quantityOf(one.subscription);
  const title = 'Confirm the change';
  const rows = preview.lines.data.map(
    (line) =>
      markup`<tr><td>${line.description ?? ''}</td><td class="amount">${money(line.amount, line.currency)}</td></tr>`,
  );
  return {
    title,
    body: markup`<h1>${title}</h1>${problem(trouble)}
<dl><dt>From</dt><dd>${one.product.name}, ${priceText(one.price, quantityOf(one.subscription))}</dd>
<dt>To</dt><dd>${to.product.name}, ${priceText(to.price, quantity)}</dd></dl>
<table><thead><tr><th scope="col">The next invoice</th><th scope="col" class="amount">Amount</th></tr></thead><tbody>${rows}</tbody>
<tfoot><tr><th scope="row">In all</th><td class="amount">${money(preview.total, preview.currency)}</td></tr></tfoot></table>
<p></p><form method="post" action="${addressOf(view.session.id)}/plan">${hidden('subscription', one.subscription.id)}
${hidden('price', to.price.id)}${hidden('quantity', String(quantity))}
<button class="primary">Confirm</button></form>${waysOut(view)}`,
  };
}
