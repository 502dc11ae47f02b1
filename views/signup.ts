/** On the way back from a payment page: what became of it, and the way on. */

import { html, type Html } from '../src/web/html.ts';
import { help, layout, type Brand } from './layout.ts';
import { texts } from './texts.ts';

/** One button, and perhaps a quieter way. */
function ways(first: readonly [string, string], second?: readonly [string, string]): Html {
  return html`<div class="stack">
    <a class="button primary" href="${first[0]}">${first[1]}</a>
    ${second !== undefined && html`<a class="button" href="${second[0]}">${second[1]}</a>`}
  </div>`;
}

export interface MomentView {
  /** The same page, which looks again. */
  address: string;
  afterSeconds: number;
}

export function momentPage({ address, afterSeconds }: MomentView, brand: Brand): Html {
  const { payment: words } = texts;
  const content = html`${help(words.moment.sentence)} ${ways([address, words.lookAgain])}`;
  const head = html`<meta http-equiv="refresh" content="${afterSeconds};url=${address}" />`;
  return layout({ title: words.moment.title, head, content }, brand);
}

export function unpaidPage({ look, pay }: { look: string; pay: string }, brand: Brand): Html {
  const { payment: words } = texts;
  const { title, sentence, advice } = words.unpaid;
  const content = html`${help(sentence, advice)}
  ${ways([look, words.lookAgain], [pay, words.payAgain])}`;
  return layout({ title, content }, brand);
}

/** Paid by a method that takes days. */
export function waitingPage({ goOn }: { goOn: string }, brand: Brand): Html {
  const { payment: words } = texts;
  const { title, sentence, advice } = words.waiting;
  const content = html`${help(sentence, advice)} ${ways([goOn, texts.backTo(brand.name)])}`;
  return layout({ title, content }, brand);
}

export function canceledPage({ goOn, plans }: { goOn: string; plans: string }, brand: Brand): Html {
  const { payment: words } = texts;
  const { title, sentence } = words.canceled;
  const content = html`${help(sentence)} ${ways([goOn, words.goOn], [plans, words.otherPlan])}`;
  return layout({ title, content }, brand);
}

export function failedPage(
  { expired, again }: { expired: boolean; again: string },
  brand: Brand,
): Html {
  const { payment: words } = texts;
  const { title, sentence } = expired ? words.expired : words.failed;
  const content = html`${help(sentence, words.nothingOwed)} ${ways([again, words.tryAgain])}`;
  return layout({ title, content }, brand);
}

export interface SubscribedView {
  account: string;
  product: string;
  /** To the app. */
  goOn: string;
  /** To the invoices and the card. */
  manage: string;
}

export function subscribedPage(view: SubscribedView, brand: Brand): Html {
  const { payment: words } = texts;
  const { title, sentence } = words.subscribed;
  const content = html`${help(sentence(view.account, view.product))}
  ${ways([view.goOn, texts.backTo(brand.name)], [view.manage, words.manage])}`;
  return layout({ title, content }, brand);
}
