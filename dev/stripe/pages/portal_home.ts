/** The portal's first page, and those that have to do with the customer rather than a subscription. */

import { markup } from '../../look.ts';
import type { Markup } from '../../look.ts';
import type { PortalView } from '../contract.ts';
import type { Invoice, PaymentMethod } from '../objects.ts';
import { bankQuestion, cardButtons } from './card_choices.ts';
import { action, date, link, money, nothingHere, problem } from './frame.ts';
import type { Shown } from './frame.ts';
import { addressOf, describe, endOf, waysOut } from './portal_parts.ts';
import type { Subscribed } from './portal_parts.ts';

const mostInvoices = 24;

export function homeView(view: PortalView, trouble?: string): Shown {
  const { session, merchant, customer, configuration } = view;
  const { features } = configuration;
  const at = addressOf(session.id);
  const title = `Your subscriptions at ${merchant}`;
  const none = markup`<p>There is no subscription.</p>`;
  const body = markup`<h1>${title}</h1>
<p>${customer.name ?? ''} ${customer.email ?? ''}</p>
${problem(trouble)}
${view.subscriptions.length === 0 ? none : view.subscriptions.map((one) => subscription(view, one))}
<section><h2>Payment method</h2>${methods(view)}
${features.payment_method_update.enabled ? link(`${at}/payment`, 'Change the payment method') : markup``}</section>
${features.invoice_history.enabled ? invoices(view) : markup``}
${features.customer_update.enabled ? markup`<section><h2>Invoices go to</h2><p>${customer.name ?? 'No name'}, ${customer.email ?? 'no address'}</p>${link(`${at}/customer`, 'Change name and address')}</section>` : markup``}
<section><p></p>${session.return_url === null ? markup`` : link(`${at}/leave`, `Return to ${merchant}`)}</section>`;
  return { title, body, ...(trouble === undefined ? {} : { status: 402 }) };
}

function subscription(view: PortalView, one: Subscribed): Markup {
  const { features } = view.configuration;
  const { id, status } = one.subscription;
  const at = addressOf(view.session.id);
  const to = (page: string) => `${at}/${page}?subscription=${id}`;
  const live = !['canceled', 'incomplete_expired', 'incomplete'].includes(status);
  const ways: Markup[] = [];
  if (live && status === 'paused')
    ways.push(action(`${at}/resume`, 'Go on with it', { subscription: id }));
  if (live && endOf(one.subscription) !== null) {
    ways.push(action(`${at}/resume`, 'Don’t cancel', { subscription: id }, 'primary'));
  } else if (live) {
    if (features.subscription_update.enabled) ways.push(link(to('plan'), 'Change the plan'));
    if (features.subscription_pause.enabled && status !== 'paused')
      ways.push(link(to('pause'), 'Pause'));
    if (features.subscription_cancel.enabled) ways.push(link(to('cancel'), 'Cancel'));
  }
  return markup`<section><h2>${one.product.name}</h2>${describe(one)}
<nav aria-label="${one.product.name}">${ways}</nav></section>`;
}

function methods({ paymentMethods, defaultPaymentMethod }: PortalView): Markup {
  if (paymentMethods.length === 0) return markup`<p>There is none.</p>`;
  return markup`${paymentMethods.map(
    (method) =>
      markup`<p>${nameOf(method)}${method.id === defaultPaymentMethod ? ' (this one is charged)' : ''}</p>`,
  )}`;
}

function nameOf({ card, type }: PaymentMethod): string {
  return card === undefined ? type.replaceAll('_', ' ') : `${card.brand} •••• ${card.last4}`;
}

function invoices({ session, invoices: all }: PortalView): Markup {
  if (all.length === 0) return markup`<section><h2>Invoices</h2><p>There is none.</p></section>`;
  const rows = all.slice(0, mostInvoices).map((invoice) => row(session.id, invoice));
  return markup`<section><h2>Invoices</h2><table><thead><tr><th scope="col">Of</th><th scope="col">State</th><th scope="col" class="amount">Amount</th></tr></thead>
<tbody>${rows}</tbody></table></section>`;
}

function row(session: string, invoice: Invoice): Markup {
  const { id, created, status, total, currency, number } = invoice;
  const open = status === 'open' || status === 'uncollectible';
  const pay = open
    ? action(
        `${addressOf(session)}/pay`,
        `Pay ${money(invoice.amount_remaining, currency)}`,
        { invoice: id },
        'primary',
      )
    : markup``;
  return markup`<tr><td>${date(created)}<br><small>${number ?? 'draft'}</small></td>
<td><span class="state ${open ? 'bad' : ''}">${status ?? ''}</span>${pay}</td><td class="amount">${money(total, currency)}</td></tr>`;
}

export function paymentView(view: PortalView, trouble?: string): Shown {
  const title = 'Change the payment method';
  return {
    title,
    body: markup`<h1>${title}</h1><p>It is charged from now on. An open invoice is paid on the page before.</p>
${problem(trouble)}
<form method="post" action="${addressOf(view.session.id)}/card">${cardButtons({ withDebit: false })}</form>
${waysOut(view)}`,
  };
}

export const bankView = ({ session, merchant }: PortalView): Shown => ({
  title: 'Your bank asks',
  body: bankQuestion(`${addressOf(session.id)}/authenticate`, `It is for ${merchant}.`),
});

export function customerView(view: PortalView, trouble?: string): Shown {
  const title = 'Change name and address';
  const { name, email } = view.customer;
  return {
    title,
    body: markup`<h1>${title}</h1>${problem(trouble)}
<form method="post" action="${addressOf(view.session.id)}/customer">
<label for="name">Name</label><input id="name" name="name" autocomplete="off" value="${name ?? ''}">
<label for="email">E-mail address</label><input id="email" name="email" type="email" autocomplete="off" value="${email ?? ''}">
<p></p><button class="primary">Save</button></form>${waysOut(view)}`,
  };
}

const words: Readonly<Record<string, string>> = {
  cancel: 'Your subscription is canceled.',
  resume: 'Your subscription goes on.',
  pause: 'Your subscription is paused.',
  plan: 'Your plan is changed.',
  card: 'Your payment method is changed.',
  pay: 'The invoice is paid.',
  authenticate: 'The invoice is paid.',
  customer: 'It is saved.',
};

export function doneView(view: PortalView, what: string): Shown {
  const said = words[what];
  if (said === undefined) return nothingHere('');
  const own = view.session.flow?.after_completion.hosted_confirmation?.custom_message;
  return {
    title: 'Done',
    body: markup`<h1>Done</h1><p class="message" role="status">${own ?? said}</p>${waysOut(view)}`,
  };
}
