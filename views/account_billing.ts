/** How an account stands with what it has: for each product the state, one thing to do about it, and quieter ways. */

import { html, type Html } from '../src/web/html.ts';
import { closingNotice } from './account/closing.ts';
import type { billingTexts } from './billing_texts.ts';
import { dated } from './dates.ts';
import { help, layout, type Brand } from './layout.ts';
import { texts } from './texts.ts';

type Words = typeof billingTexts.account;
export type StateName = keyof Words['states'];
type Period = 'day' | 'week' | 'month' | 'year';

export interface StateView {
  is: StateName;
  /** What the sentence is about, as far as it is about a day: in milliseconds. */
  at?: number | undefined;
  /** Of the product or of the plan. */
  name: string;
  /** The free plan that there is after the end, or in the meantime. */
  free?: { plan: string; when: 'afterwards' | 'meanwhile' } | undefined;
}

export interface ProductBillingView {
  product: string;
  state: StateView;
  plan?: { name: string; period?: Period | undefined; seats?: number | undefined } | undefined;
  /** Absent for who may not, and where there is nothing to be done. */
  action?: { is: keyof Words['action']; href: string } | undefined;
  /** Other plans and periods. */
  changes: readonly (Choice & { href: string })[];
  /** How it is ended. */
  cancel?: string | undefined;
}

interface Choice {
  plan: string;
  period: Period;
  /** As money, in a period. */
  amount?: string | undefined;
  /** What it is for, where that is not the whole. */
  per?: 'seat' | 'unit' | undefined;
}

export interface AccountBillingView {
  account: string;
  products: readonly ProductBillingView[];
  /** Of all products together. */
  more: readonly { is: keyof Words['more']; href: string }[];
  /** For who may not pay: the names of those who may. */
  ask?: readonly string[] | undefined;
  back: string;
  /** It will be closed. `keep`: where who may take that back does so. */
  closing?: { at: number; keep: string | undefined } | undefined;
}

export function accountBillingPage(view: AccountBillingView, brand: Brand): Html {
  const { account: words } = texts.billing;
  const [only, ...others] = view.products;
  const isOne = only !== undefined && others.length === 0;
  const sentence = isOne ? sentenceOf(only.state) : undefined;
  // What is late comes before what could be done as well.
  const urgent = view.products.find(({ action }) => action?.is === 'pay');
  const first = urgent ?? view.products.find(({ action }) => action !== undefined);
  const more = view.more.map(
    ({ is, href }) => html`<a class="link" href="${href}">${words.more[is]}</a>`,
  );
  const content = html`${view.closing && closingNotice(view.closing)}
    ${isOne ? sentence && html`<p class="help">${sentence}</p>` : help(words.of(view.account))}
    ${view.products.map((product) =>
      isOne
        ? partOf(product, { isFirst: true, account: view.account, more })
        : html`<section class="plan">
            <h2>${product.product}</h2>
            <p>
              <span class="title">${words.states[product.state.is].title}.</span>
              ${sentenceOf(product.state)}
            </p>
            ${partOf(product, { isFirst: product === first, more: [] })}
          </section>`,
    )}
    ${view.ask !== undefined && help(words.ask(view.ask))}
    <div class="stack after">
      ${!isOne && more}
      <a class="${first === undefined ? 'button primary' : 'button'}" href="${view.back}"
        >${texts.backTo(brand.name)}</a
      >
    </div>`;
  const heading = isOne ? words.states[only.state.is].title : words.title;
  return layout({ title: words.title, heading, content }, brand);
}

function sentenceOf({ is, at, name, free }: StateView): Html | undefined {
  const { account: words } = texts.billing;
  const text: StateText = words.states[is];
  const { sentence, dateless } = text;
  const said =
    sentence !== undefined && at !== undefined
      ? dated((date) => sentence(date, name), at)
      : dateless?.(name);
  const parts = [said, free && words[free.when](free.plan)].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : html`${parts.map((part) => html`${part} `)}`;
}

interface StateText {
  sentence?: (date: string, name: string) => string;
  dateless?: (name: string) => string;
}

interface Part {
  /** What there is to do comes before all else on the page. */
  isFirst: boolean;
  /** Its name, where nothing else says it. */
  account?: string;
  /** What can be done as well. */
  more: readonly Html[];
}

/** The facts, and what can be done. */
function partOf(view: ProductBillingView, { isFirst, account, more }: Part): Html {
  const { facts: words } = texts.billing.account;
  const { plan } = view;
  const facts: [string, string | number | undefined][] = [
    [words.account, account],
    [words.plan, plan === undefined ? undefined : named(plan.name, plan.period)],
    [words.seats, plan?.seats],
  ];
  const known = facts.filter(([, value]) => value !== undefined);
  const ways = waysOf(view, isFirst, more);
  return html`${
    known.length > 0 &&
    html`<dl class="amounts">
      ${known.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>`
  }
  ${ways.length > 0 && html`<div class="stack">${ways}</div>`}`;
}

function waysOf(
  { action, changes, cancel }: ProductBillingView,
  isFirst: boolean,
  more: readonly Html[],
): Html[] {
  const { account: words } = texts.billing;
  const ways: Html[] = [];
  if (action !== undefined) {
    const look = isFirst ? 'button primary' : 'button';
    ways.push(html`<a class="${look}" href="${action.href}">${words.action[action.is]}</a>`);
  }
  if (changes.length > 0) {
    const choices = changes.map(
      ({ href, ...choice }) => html`<a class="button" href="${href}">${labelOf(choice)}</a>`,
    );
    ways.push(
      html`<details class="more">
        <summary>${words.change}</summary>
        <div class="stack">${choices}</div>
      </details>`,
    );
  }
  ways.push(...more);
  if (cancel !== undefined) {
    ways.push(html`<a class="link" href="${cancel}">${words.cancel}</a>`);
  }
  return ways;
}

function labelOf({ plan, period, amount, per }: Choice): string {
  if (amount === undefined) return named(plan, period);
  return `${plan}: ${texts.plans.price(amount, period, per)}`;
}

function named(plan: string, period: Period | undefined): string {
  return period === undefined ? plan : `${plan}, ${texts.selectAccount.period[period]}`;
}
