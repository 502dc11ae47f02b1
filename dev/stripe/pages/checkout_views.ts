/** What Checkout shows, by the state that its session is in. */

import { markup } from '../../look.ts';
import type { Markup } from '../../look.ts';
import type { CheckoutView } from '../contract.ts';
import type { CheckoutSession } from '../objects.ts';
import { bankQuestion, cardButtons } from './card_choices.ts';
import { action, date, link, money, priceText, problem } from './frame.ts';
import type { Reply } from './frame.ts';

export const addressOf = (id: string): string => `/c/pay/${id}`;

export function checkoutView(view: CheckoutView, trouble?: string): Reply {
  const { session } = view;
  if (session.status === 'complete') return completed(view);
  if (session.status === 'expired') return expired(view);
  return view.authenticating ? asking(view) : open(view, trouble);
}

function open(view: CheckoutView, trouble: string | undefined): Reply {
  const { session, merchant } = view;
  const title = view.trialEnd === null ? `Pay ${merchant}` : `Try ${merchant}`;
  const body = markup`<h1>${title}</h1>
${view.trialEnd === null ? markup`` : markup`<p>Free until ${date(view.trialEnd)}, then ${laterText(view)}.</p>`}
${problem(trouble)}
${lines(view)}
${view.lines.filter(({ adjustable }) => adjustable).map((line) => quantityForm(view, line))}
${session.allow_promotion_codes === true ? codeForm(session) : markup``}
${payForm(view)}
<p>${link(`${addressOf(session.id)}/leave`, `Back to ${merchant}`)}</p>`;
  return { title, body, ...(trouble === undefined ? {} : { status: 402 }) };
}

const laterText = ({ lines: all }: CheckoutView): string =>
  all.map(({ item, price }) => priceText(price, item.quantity ?? 1)).join(' and ');

function lines({ session, lines: all, dueToday }: CheckoutView): Markup {
  const currency = session.currency ?? all[0]?.price.currency ?? 'eur';
  const rows = all.map(
    ({ item, price, product }) => markup`<tr><td>${product.name}<br>
<small>${priceText(price)}${item.quantity === null ? '' : `, ${item.quantity} ×`}</small></td>
<td class="amount">${money(item.amount_subtotal, currency)}</td></tr>`,
  );
  const discount = session.total_details?.amount_discount ?? 0;
  const less =
    discount === 0
      ? markup``
      : markup`<tr><td>Discount</td><td class="amount">−${money(discount, currency)}</td></tr>`;
  return markup`<table><thead><tr><th scope="col">What</th><th scope="col" class="amount">Price</th></tr></thead>
<tbody>${rows}${less}</tbody>
<tfoot><tr><th scope="row">Due today</th><td class="amount">${money(dueToday, currency)}</td></tr></tfoot></table>`;
}

function quantityForm({ session }: CheckoutView, { item }: CheckoutView['lines'][number]): Markup {
  const { minimum, maximum } = item.adjustable_quantity ?? { minimum: 1, maximum: null };
  return markup`<form class="row" method="post" action="${addressOf(session.id)}/quantity">
<input type="hidden" name="item" value="${item.id}">
<div><label for="quantity-${item.id}">Quantity</label>
<input id="quantity-${item.id}" name="quantity" type="number" inputmode="numeric" min="${String(minimum ?? 1)}"
max="${String(maximum ?? 999_999)}" value="${String(item.quantity ?? 1)}" required></div>
<button>Change the quantity</button></form>`;
}

const codeForm = ({ id }: CheckoutSession) =>
  markup`<form class="row" method="post" action="${addressOf(id)}/code">
<div><label for="code">Promotion code</label><input id="code" name="code" autocomplete="off" required></div>
<button>Apply</button></form>`;

/** What is paid with is chosen by the button: nobody types a card's number here. */
function payForm(view: CheckoutView): Markup {
  const { session, needsEmail, needsPaymentMethod, email } = view;
  const asked = needsEmail
    ? markup`<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="off" value="${email ?? ''}" required>`
    : markup`<p>For ${email ?? 'you'}</p>`;
  const buttons = needsPaymentMethod
    ? markup`<fieldset><legend>${session.mode === 'setup' || view.dueToday === 0 ? 'Begin with' : 'Pay with'}</legend>
${cardButtons({ withDebit: view.dueToday > 0 })}</fieldset>`
    : markup`<p><button class="primary" name="card" value="">Begin without a card</button></p>`;
  return markup`<form method="post" action="${addressOf(session.id)}">${asked}${buttons}</form>`;
}

function asking({ session, merchant, dueToday, lines: all }: CheckoutView): Reply {
  const currency = session.currency ?? all[0]?.price.currency ?? 'eur';
  const what =
    dueToday === 0
      ? `${merchant} wants to store your card.`
      : `${merchant} wants ${money(dueToday, currency)}.`;
  return {
    title: 'Your bank asks',
    body: bankQuestion(`${addressOf(session.id)}/authenticate`, what),
  };
}

function completed({ session, merchant }: CheckoutView): Reply {
  const back = returnTo(session);
  const on = back === null ? markup`` : markup`<p>${link(back, `On to ${merchant}`)}</p>`;
  if (session.payment_status !== 'unpaid') {
    const title = 'This is done';
    return { title, body: markup`<h1>${title}</h1><p>Nothing more is to be paid here.</p>${on}` };
  }
  const to = `${addressOf(session.id)}/settle`;
  const title = 'The bank has not paid yet';
  return {
    title,
    body: markup`<h1>${title}</h1>
<p>A debit takes days. You are the bank: what comes of it?</p>
${action(to, 'The money comes', { outcome: 'succeeded' }, 'primary')}
${action(to, 'The debit fails', { outcome: 'failed' })}${on}`,
  };
}

function expired({ session, merchant }: CheckoutView): Reply {
  const title = 'This checkout has expired';
  const back =
    session.cancel_url === null ? markup`` : link(session.cancel_url, `Back to ${merchant}`);
  return {
    status: 410,
    title,
    body: markup`<h1>${title}</h1><p>Nothing was paid. Begin again where you came from.</p><p>${back}</p>`,
  };
}

/** Stripe puts the session's id where the address says so. */
function returnTo({ success_url: url, id }: CheckoutSession): string | null {
  return url === null ? null : url.replaceAll('{CHECKOUT_SESSION_ID}', id);
}
