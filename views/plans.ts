/** Choosing: a plan, the account that it is for, and that something begins at once. */

import type { PlanConfig, PriceConfig, ProductConfig } from '../src/config.ts';
import { html, type Html } from '../src/web/html.ts';
import { help, layout, type Brand } from './layout.ts';
import { texts } from './texts.ts';

type Fields = Readonly<Record<string, string>>;

export interface PlansView {
  /** Where the choice goes, by GET: `/signup`, perhaps with a provider. */
  action: string;
  /** What the link asked for beside the plan. */
  fields: Fields;
  products: readonly (Pick<ProductConfig, 'id' | 'name'> & { plans: readonly PlanConfig[] })[];
  /** Only prices of this period, where there are any. */
  period?: string | undefined;
}

export function choosePlanPage(view: PlansView, brand: Brand): Html {
  const { plans: words } = texts;
  const several = view.products.length > 1;
  const content =
    view.products.length === 0
      ? help(words.none)
      : html`${help(words.help(brand.name))}
        ${view.products.map(
          (product) =>
            html`${several && html`<h2>${product.name}</h2>`}
            ${product.plans.map((plan) => planForm(view, product.id, plan, several))}`,
        )}`;
  return layout({ title: words.title, content }, brand);
}

function planForm(view: PlansView, product: string, plan: PlanConfig, isBelow: boolean): Html {
  const { plans: words } = texts;
  const { seats } = plan;
  const fitting = plan.prices.filter(({ period }) => period === view.period);
  const prices = fitting.length > 0 ? fitting : plan.prices;
  const { quantity, ...others } = view.fields;
  const fields = { ...others, product, plan: plan.id };
  const id = `seats-${product}-${plan.id}`;
  return html`<form method="get" action="${view.action}" class="plan">
    ${Object.entries(fields).map(
      ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
    )}
    ${isBelow ? html`<h3>${plan.name}</h3>` : html`<h2>${plan.name}</h2>`}
    ${plan.description !== undefined && html`<p class="small">${plan.description}</p>`}
    ${plan.trialDays !== undefined && html`<p class="small">${words.trial(plan.trialDays)}</p>`}
    ${
      seats?.whenFull === 'refuse' &&
      html`<label for="${id}">${words.seats}</label>
        <input
          id="${id}"
          name="quantity"
          type="number"
          inputmode="numeric"
          min="${seats.min}"
          max="${seats.max}"
          value="${quantity ?? seats.min}"
          required
        />`
    }
    <div class="stack">
      ${
        prices.length === 0
          ? html`<button class="button primary">${words.free}</button>`
          : prices.map((price) => priceButton(price, eachOf(plan)))
      }
    </div>
  </form>`;
}

/** What one price is for, where it is not for the plan as a whole. */
export function eachOf({ seats, meter }: PlanConfig): 'seat' | 'unit' | undefined {
  if (seats !== undefined) return 'seat';
  return meter === undefined ? undefined : 'unit';
}

function priceButton(price: PriceConfig, each: 'seat' | 'unit' | undefined): Html {
  const { plans: words } = texts;
  const label = words.price(amountOf(price), price.period, each);
  return html`<button class="button primary" name="period" value="${price.period}">
    ${label}
  </button>`;
}

/** In the smallest unit of the currency, of which a hundred are not always one. */
function amountOf({
  amount,
  currency,
}: Pick<PriceConfig, 'amount' | 'currency'>): string | undefined {
  if (amount === undefined || currency === undefined) return undefined;
  const format = new Intl.NumberFormat(texts.language, {
    style: 'currency',
    currency,
    trailingZeroDisplay: 'stripIfInteger',
  });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amount / 10 ** digits);
}

export interface ChooseAccountView {
  action: string;
  fields: Fields;
  accounts: readonly { id: string; name: string }[];
}

export function chooseAccountPage(view: ChooseAccountView, brand: Brand): Html {
  const { planAccount: words } = texts;
  const content = html`${help(words.help)}
    <form method="get" action="${view.action}">
      ${Object.entries(view.fields).map(
        ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
      )}
      <ul class="rows">
        ${view.accounts.map(
          ({ id, name }) =>
            html`<li>
              <button class="row" name="account" value="${id}">
                <span class="facts"><span class="title">${name}</span></span>
              </button>
            </li>`,
        )}
        <li>
          <button class="row" name="account" value="new">
            <span class="facts"><span class="title">${words.another}</span></span>
          </button>
        </li>
      </ul>
    </form>`;
  return layout({ title: words.title, content }, brand);
}

export interface ConfirmView {
  product: Pick<ProductConfig, 'name'>;
  plan: Pick<PlanConfig, 'name' | 'trialDays'>;
  form: { action: string; csrf: string; fields: Fields };
}

/** A page elsewhere may have sent the browser: what begins without a payment page is asked for by a click. */
export function confirmPage({ product, plan, form }: ConfirmView, brand: Brand): Html {
  const { confirmPlan: words } = texts;
  const content = html`${help(
      plan.trialDays === undefined
        ? words.free(plan.name, product.name)
        : words.trial(plan.name, texts.plans.trial(plan.trialDays)),
    )}
    <form method="post" action="${form.action}" class="stack">
      ${Object.entries({ ...form.fields, csrf: form.csrf }).map(
        ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
      )}
      <button class="button primary">${words.begin}</button>
    </form>`;
  return layout({ title: words.title(plan.name), content }, brand);
}
