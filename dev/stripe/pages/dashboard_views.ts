/** The dashboard: everything on one page, the newest first. */

import { markup } from '../../look.ts';
import type { Markup } from '../../look.ts';
import type { StripeSimulator } from '../contract.ts';
import type { Subscription } from '../objects.ts';
import { action, date, moment, problem } from './frame.ts';
import type { Shown } from './frame.ts';
import { endOf, periodEnd, quantityOf } from './portal_parts.ts';
import { readable } from './words.ts';
import type { TokenWords } from './words.ts';

const mostShown = 25;

export function dashboardView(
  simulator: StripeSimulator,
  tokens: readonly TokenWords[],
  trouble?: string,
): Shown {
  const title = 'Stripe, simulated';
  return {
    title,
    wide: true,
    body: markup`<h1>${title}</h1>${problem(trouble)}
${clock(simulator)}${subscriptions(simulator)}${tokens.length === 0 ? markup`` : words(tokens)}
${webhooks(simulator)}${events(simulator)}${faults()}`,
  };
}

const spans: readonly [span: string, label: string][] = [
  ['1h', '1 hour'],
  ['1d', '1 day'],
  ['13d', '13 days on'],
  ['1m', '1 month'],
];

function clock(simulator: StripeSimulator): Markup {
  const now = simulator.now();
  const buttons = spans.map(
    ([span, label]) => markup`<button name="by" value="${span}">${label}</button>`,
  );
  const day = new Date(now + 86_400_000).toISOString().slice(0, 10);
  return markup`<p>It is <strong>${moment(now / 1000)}</strong> here. Only this clock is moved: trials end, invoices are
made and charged, and webhooks tell of it. Tollgate keeps its own, so tokens and sign-ins live on.</p>
<form class="row" method="post" action="/dashboard/clock" aria-label="Move the clock on">${buttons}</form>
<form class="row" method="post" action="/dashboard/clock"><div><label for="to">To the day</label>
<input id="to" name="to" type="date" min="${day}" value="${day}" required></div><button>Go</button></form>`;
}

function table(label: string, heads: readonly string[], rows: readonly Markup[]): Markup {
  if (rows.length === 0) return markup`<p>Nothing yet.</p>`;
  const cells = heads.map((head) => markup`<th scope="col">${head}</th>`);
  return markup`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table><thead><tr>${cells}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** A subscription in words. */
export function rowOf({ objects }: StripeSimulator, subscription: Subscription) {
  const { id, customer, status, items, trial_end: trialEnd, ended_at: ended } = subscription;
  const owner = objects.customers().find((one) => one.id === customer);
  const price = items.data[0]?.price;
  const end = endOf(subscription);
  const dates = [
    ended === null ? undefined : `ended ${date(ended)}`,
    status === 'trialing' && trialEnd !== null ? `trial until ${date(trialEnd)}` : undefined,
    end === null || ended !== null ? undefined : `ends ${date(end)}`,
    ended === null ? `period until ${date(periodEnd(subscription))}` : undefined,
  ];
  return {
    id,
    customer: owner?.name ?? owner?.email ?? customer,
    plan: `${price?.lookup_key ?? price?.id ?? ''}${quantityOf(subscription) > 1 ? ` × ${quantityOf(subscription)}` : ''}`,
    status,
    dates: dates.filter((text) => text !== undefined).join(', '),
  };
}

function subscriptions(simulator: StripeSimulator): Markup {
  const rows = simulator.objects
    .subscriptions()
    .slice(0, mostShown)
    .map((one) => rowOf(simulator, one))
    .map(
      ({
        id,
        customer,
        plan,
        status,
        dates,
      }) => markup`<tr><td>${customer}<br><code>${id}</code></td>
<td>${plan}</td><td class="state ${isWell(status) ? 'good' : 'bad'}">${status}</td><td>${dates}</td>
<td><nav aria-label="${customer}">${action('/dashboard/dispute', 'Dispute', { subscription: id })}${action('/dashboard/refund', 'Refund', { subscription: id })}</nav></td></tr>`,
    );
  return markup`<section><h2>Subscriptions</h2>${table('Subscriptions', ['Customer', 'Plan', 'State', 'Dates', 'Last charge'], rows)}</section>`;
}

const isWell = (status: string): boolean => status === 'active' || status === 'trialing';

function words(tokens: readonly TokenWords[]): Markup {
  const rows = tokens.map(
    (one) => markup`<tr><td>${one.account}</td><td><code>${readable(one)}</code></td></tr>`,
  );
  return markup`<section><h2>What a token says now</h2>${table('What a token says now', ['Account', 'Claims'], rows)}</section>`;
}

function webhooks({ webhooks: control }: StripeSimulator): Markup {
  const { options, pending, attempts } = control;
  const waiting = pending
    .slice(0, mostShown)
    .map(
      ({ type, url, attempts: tried }) =>
        markup`<tr><td>${type}</td><td>${url}</td><td>${String(tried)}</td></tr>`,
    );
  const made = attempts
    .slice(-mostShown)
    .toReversed()
    .map(
      ({ type, receiver, status }) =>
        markup`<tr><td>${type}</td><td><code>${receiver}</code></td><td class="state ${status >= 200 && status < 300 ? 'good' : 'bad'}">${status === 0 ? 'no answer' : String(status)}</td></tr>`,
    );
  const ticked = options.shuffle ? markup` checked` : markup``;
  return markup`<section><h2>Webhooks</h2>
<form class="row" method="post" action="/dashboard/webhooks"><button name="do" value="pause">Hold back</button>
<button name="do" value="resume">Go on</button><button name="do" value="drop">Lose what waits</button></form>
<form class="row" method="post" action="/dashboard/webhooks">
<div><label for="duplicates">Sent again so often</label><input id="duplicates" name="duplicates" type="number" min="0" max="10" value="${String(options.duplicates)}"></div>
<div><label for="delay">Sent so many seconds late</label><input id="delay" name="delay" type="number" min="0" max="60" value="${String(options.delayMs / 1000)}"></div>
<label class="choice"><input type="checkbox" name="shuffle" value="yes"${ticked}>In any order</label>
<button name="do" value="options">Set</button></form>
<h3>Waiting: ${String(pending.length)}</h3>${table('Waiting webhooks', ['Event', 'To', 'Attempts'], waiting)}
<details><summary>Sent lately</summary>${table('Webhooks sent lately', ['Event', 'Receiver', 'Answer'], made)}</details></section>`;
}

function events({ objects }: StripeSimulator): Markup {
  const newest = objects.events().toReversed().slice(0, mostShown);
  const rows = newest.map(({ id, type, created, data }) => {
    const { object, id: about = '' } = data.object;
    const what =
      object === 'checkout.session'
        ? markup`<a href="/c/pay/${about}"><code>${about}</code></a>`
        : markup`<code>${about}</code>`;
    return markup`<tr><td>${moment(created)}</td><td>${type}<br><code>${id}</code></td><td>${what}</td>
<td>${action('/dashboard/redeliver', 'Send again', { event: id })}</td></tr>`;
  });
  return markup`<section><h2>Events</h2>
<details><summary>The last ${String(newest.length)}</summary>${table('Events', ['At', 'Event', 'About', 'Again'], rows)}</details></section>`;
}

const faultChoices: readonly [kind: string, label: string][] = [
  ['500', 'Error 500, nothing done'],
  ['503', 'Error 503, nothing done'],
  ['429', 'Too many requests (429)'],
  ['slow', 'Answers after 5 seconds'],
  ['silence', 'Never answers'],
  ['cut_before', 'Connection cut, nothing done'],
  ['cut_after', 'Done, but the answer is lost'],
  ['error_after', 'Done, but the answer is a 500'],
];

function faults(): Markup {
  const options = faultChoices.map(
    ([kind, label]) => markup`<option value="${kind}">${label}</option>`,
  );
  return markup`<section><h2>What goes wrong</h2><form class="row" method="post" action="/dashboard/fault">
<div><label for="kind">What happens</label><select id="kind" name="kind">${options}</select></div>
<div><label for="path">To requests of (all, where empty)</label><input id="path" name="path" placeholder="/v1/checkout/sessions"></div>
<div><label for="times">So often</label><input id="times" name="times" type="number" min="1" max="10000" value="1"></div>
<button>Let it happen</button></form>${action('/dashboard/clear', 'Nothing goes wrong any more')}</section>`;
}
