/** How the simulator's pages look: not like Stripe's, and never without saying that no money moves. */

import { Markup, markup, style } from '../../look.ts';
import type { Price } from '../objects.ts';

export interface Shown {
  /** 200, where left out. */
  status?: number;
  title: string;
  body: Markup;
  wide?: boolean;
}

/** What is answered: a page, the way to another one, or something for programs. */
export type Reply = Shown | { location: string } | { json: unknown };

/** One request of a browser, read. */
export interface Visit {
  method: 'GET' | 'POST';
  /** What follows the page's own prefix, without slashes. */
  path: readonly string[];
  query: URLSearchParams;
  /** The fields of a post; empty otherwise. */
  form: URLSearchParams;
}

const more = `
.banner { display: block; margin: 0; padding: .5rem 1rem; text-align: center; font-size: .875rem;
  font-weight: 600; color: var(--warn-ink); background: var(--warn); }
:root { --warn: #fde68a; --warn-ink: #422006; --bad: #b42318; --good: #1a7f4b; }
@media (prefers-color-scheme: dark) { :root { --warn: #4a3a08; --warn-ink: #fdf2c8; --bad: #ff9b8f; --good: #7ddba8; } }
main { margin-top: 4vh; max-width: 34rem; }
main.wide { max-width: 72rem; }
h1 + p { margin-bottom: 1rem; }
h1 + dl { margin-top: .75rem; }
p { margin-bottom: 1rem; }
form { display: block; margin: 0 0 1rem; }
form.row, nav { display: flex; gap: .5rem; align-items: end; flex-wrap: wrap; }
form.row > div { flex: 1 1 10rem; }
label { display: block; margin: .75rem 0 .25rem; font-size: .875rem; font-weight: 600; }
fieldset { border: 0; margin: 1rem 0 0; padding: 0; min-width: 0; }
legend { padding: 0; font-weight: 600; margin-bottom: .5rem; }
label.choice { display: flex; gap: .625rem; align-items: center; min-height: 44px; font-weight: 400;
  font-size: 1rem; margin: 0; }
input, select, textarea { font: inherit; color: inherit; width: 100%; min-height: 44px; padding: .5rem .625rem;
  border: 1px solid var(--quiet); border-radius: 8px; background: var(--paper); }
input[type=radio], input[type=checkbox] { width: 1.25rem; min-height: 1.25rem; height: 1.25rem; margin: 0;
  flex: none; accent-color: var(--accent); }
button.card { display: block; width: 100%; text-align: start; margin-bottom: .5rem; }
button.card span { display: block; font-size: .8125rem; color: var(--quiet); }
button.card.primary span { color: inherit; }
.primary { font-weight: 600; }
.problem, .message { margin-top: .75rem; padding: .75rem 1rem; border: 1px solid; border-inline-start-width: 6px; border-radius: 8px; }
.problem { color: var(--bad); border-color: var(--bad); }
.message { color: var(--good); border-color: var(--good); }
td form { margin: 0; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1rem; font-size: .875rem; }
th { text-align: start; font-weight: 600; color: var(--quiet); }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.amount, th.amount { text-align: end; padding-inline-end: 0; white-space: nowrap; font-variant-numeric: tabular-nums; }
tfoot td, tfoot th { font-weight: 600; color: var(--ink); border-bottom: 0; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline-offset: 0; }
.scroll table { min-width: 44rem; }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; }
section h2 { margin-top: 1rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
small { font-size: .8125rem; color: var(--quiet); }
code { font-size: .8125rem; overflow-wrap: anywhere; }
a:not(.button) { color: var(--accent); }
.state { font-weight: 600; }
.good { color: var(--good); }
.bad { color: var(--bad); }
summary { min-height: 44px; display: flex; align-items: center; cursor: pointer; font-weight: 600; }
summary::before { content: "+"; margin-inline-end: .5rem; }
details[open] > summary::before { content: "–"; }
@media (max-width: 30rem) { main { padding: 1.25rem; min-height: auto; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; } }
@media (forced-colors: active) { button, .button { border-color: ButtonBorder; } }
`;

export function frame({ title, body, wide = false }: Shown): string {
  const text = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style + more)}</style>
</head>
<body><header class="banner">Simulator of Stripe, for development: no money moves</header>
<main class="${wide ? 'wide' : ''}">${body}</main></body>
</html>
`;
  return text.text;
}

/** @param amount in the currency's smallest unit */
export function money(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const { maximumFractionDigits: digits = 2 } = format.resolvedOptions();
  return format.format(amount / 10 ** digits);
}

const dates = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const moments = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** @param seconds as Stripe has times */
export const date = (seconds: number): string => dates.format(seconds * 1000);
export const moment = (seconds: number): string => `${moments.format(seconds * 1000)} UTC`;

/** Such as `€10.00 a month`. */
export function priceText(price: Price, quantity = 1): string {
  const { unit_amount: amount, currency, recurring } = price;
  const each = amount === null ? 'by tiers' : money(amount * quantity, currency);
  if (recurring === null) return each;
  const { interval, interval_count: count, usage_type: usage } = recurring;
  const period = count === 1 ? `a ${interval}` : `each ${count} ${interval}s`;
  return usage === 'metered' ? `${each} for each unit, ${period}` : `${each} ${period}`;
}

export const problem = (text: string | undefined): Markup =>
  text === undefined ? markup`` : markup`<p class="problem" role="alert">${text}</p>`;

/** A form with one button. @param fields hidden ones */
export function action(
  to: string,
  label: string,
  fields: Readonly<Record<string, string>> = {},
  kind = '',
): Markup {
  const hidden = Object.entries(fields).map(
    ([name, value]) => markup`<input type="hidden" name="${name}" value="${value}">`,
  );
  return markup`<form method="post" action="${to}">${hidden}<button class="${kind}">${label}</button></form>`;
}

export const link = (href: string, text: string): Markup =>
  markup`<a class="button" href="${href}">${text}</a>`;

export const nothingHere = (text: string): Shown => ({
  status: 404,
  title: 'Not found',
  body: markup`<h1>There is nothing here</h1><p>${text}</p>`,
});
