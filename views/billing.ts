/** Pages about plans and payments: on hold, whom to ask, which account, and the change of a plan. */

import { html, type Html } from '../src/web/html.ts';
import { help, layout, notice, promptFields, type Brand, type PromptForm } from './layout.ts';
import { texts } from './texts.ts';

export interface LockedView {
  form: PromptForm;
  /** Names of the account and of the app. */
  account: string;
  app: string;
  remedy: 'pay' | 'resume' | 'subscribe';
  /** Where who may pay does so; absent for others. */
  pay?: string | undefined;
  /** Names of those who may. */
  ask: readonly string[];
}

/** In the sign-in conversation: this account gets no further. */
export function lockedPage(view: LockedView, brand: Brand): Html {
  const words = texts.billing.locked;
  const { remedy, pay } = view;
  const title = words.title[remedy](view.account);
  const content = html`${help(words.sentence[remedy](view.app), words.kept)}
    ${pay === undefined && html`<p class="help">${words.ask[remedy](view.ask)}</p>`}
    <form method="post" action="${view.form.action}" class="stack">
      ${promptFields(view.form)}
      ${
        pay !== undefined &&
        html`<a class="button primary" href="${pay}">${words.action[remedy]}</a>`
      }
      <button class="button" name="choose" value="yes">${words.other}</button>
      <button class="button" name="leave" value="yes">${texts.backTo(view.app)}</button>
    </form>`;
  return layout({ title, content }, brand);
}

export interface WayBack {
  /** Where the browser came from, or goes by default. */
  back: string;
}

export function notPayerPage(
  view: WayBack & { account: string; ask: readonly string[] },
  brand: Brand,
): Html {
  const words = texts.billing.notPayer;
  const content = html`${help(words.sentence, words.ask(view.ask))} ${way(view.back, brand)}`;
  return layout({ title: words.title(view.account), content }, brand);
}

export function closedPage(view: WayBack & { account: string }, brand: Brand): Html {
  const words = texts.billing.closed;
  const content = html`${help(words.sentence, texts.onlyClosed.advice)} ${way(view.back, brand)}`;
  return layout({ title: words.title(view.account), content }, brand);
}

export function whichAccountPage(
  accounts: readonly { name: string; href: string }[],
  brand: Brand,
): Html {
  const words = texts.billing.which;
  const links = accounts.map(
    ({ name, href }) => html`<a class="button" href="${href}">${name}</a>`,
  );
  const content = html`${help(words.sentence)}
    <div class="stack">${links}</div>`;
  return layout({ title: words.title, content }, brand);
}

/** One state of a plan, in words of people. */
export interface PlanFacts {
  plan: string;
  period?: 'day' | 'week' | 'month' | 'year' | undefined;
  seats?: number | undefined;
  /** What it costs in a period, as money: `€12.00`. */
  amount?: string | undefined;
}

export interface ChangeView {
  action: string;
  csrf: string;
  /** Hidden fields of the form. */
  fields: Readonly<Record<string, string>>;
  now: PlanFacts;
  next: PlanFacts;
  /** As money; absent: nothing is to be paid today. */
  today?: string | undefined;
  /** What is left over of the plan before. */
  credit?: string | undefined;
  trialing: boolean;
  message?: string | undefined;
  back: string;
}

/** What changes, what it costs, and a button: nothing has happened yet. */
export function changePage(view: ChangeView, brand: Brand): Html {
  const words = texts.billing.change;
  const fields = Object.entries({ ...view.fields, csrf: view.csrf });
  const facts: [string, string | undefined][] = [
    [words.now, factsOf(view.now)],
    [words.next, factsOf(view.next)],
    [words.today, view.today],
    [words.credit, view.credit],
  ];
  const content = html`${notice(view.message)} ${help(view.trialing ? words.trial : undefined)}
    <dl class="amounts">
      ${facts.map(
        ([name, value]) =>
          value !== undefined &&
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    <form method="post" action="${view.action}" class="stack">
      ${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
      <button class="button primary">
        ${view.today === undefined ? words.confirmFree : words.confirm(view.today)}
      </button>
      <a class="button" href="${view.back}">${words.stay}</a>
    </form>`;
  return layout({ title: words.title, heading: words.to(view.next.plan), content }, brand);
}

export function changedPage(
  view: WayBack & { account: string; plan: string; changed: boolean },
  brand: Brand,
): Html {
  const words = view.changed ? texts.billing.changed : texts.billing.unchanged;
  const content = html`${help(words.sentence(view.account, view.plan))} ${way(view.back, brand)}`;
  return layout({ title: words.title, content }, brand);
}

function factsOf({ plan, period, seats, amount }: PlanFacts): string {
  const words = texts.billing.change;
  const price = amount === undefined || period === undefined ? '' : words.every[period](amount);
  const parts = [plan, seats === undefined ? '' : words.seats(seats), price];
  return parts.filter((part) => part !== '').join(' · ');
}

function way(back: string, brand: Brand): Html {
  return html`<div class="stack">
    <a class="button primary" href="${back}">${texts.backTo(brand.name)}</a>
  </div>`;
}
