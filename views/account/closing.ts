/** Closing an account: what happens, when, and why; and the way back until its end. */

import { html, type Html } from '../../src/web/html.ts';
import { dated } from '../dates.ts';
import { help, layout, type Brand } from '../layout.ts';
import { texts } from '../texts.ts';
import { closingTexts as words } from './closing_texts.ts';
import { accountPage, type FrameView } from './frame.ts';
import { choices, field, form, textarea } from './parts.ts';

export interface CloseView {
  frame: FrameView;
  account: { id: string; name: string };
  csrf: string;
  /** What is paid for. In milliseconds. */
  plans: readonly { plan: string; product: string; endsAt: number | undefined }[];
  /** Beside the one who closes it. */
  others: { count: number; isMore: boolean };
  /** When it can be closed without losing anything; absent where nothing is paid for. */
  endsAt: number | undefined;
  /** What was typed before. */
  typed?: { when?: string; feedback?: string; reason?: string; name?: string } | undefined;
}

export interface PendingView {
  frame: FrameView;
  account: { id: string; name: string };
  csrf: string;
  endsAt: number;
  /** Who decided it, as others know them. */
  by: string | undefined;
  typed?: { name?: string } | undefined;
}

/** As the directory has it. */
const longestReason = 1000;

const closeAddress = (id: string) => `/account/close?${new URLSearchParams({ account: id })}`;

export function closePage(view: CloseView, brand: Brand): Html {
  const { account, endsAt, typed = {} } = view;
  const { problems } = view.frame;
  const when = [
    {
      value: 'end',
      label: endsAt === undefined ? '' : words.when.end(dayOf(endsAt)),
      help: words.when.endHelp,
    },
    { value: 'now', label: words.when.now, help: words.when.nowHelp },
  ];
  const fields = html`${
      endsAt === undefined
        ? html`<input type="hidden" name="when" value="now" />`
        : choices({
            name: 'when',
            label: words.when.label,
            value: typed.when ?? 'end',
            options: when,
            problem: problems?.get('when'),
          })
    }
    ${choices({
      name: 'feedback',
      label: words.why.label,
      value: typed.feedback,
      options: Object.entries(words.why.words).map(([value, label]) => ({ value, label })),
      problem: problems?.get('feedback'),
    })}
    ${textarea({
      name: 'reason',
      label: words.reason.label,
      value: typed.reason,
      maxlength: longestReason,
      problem: problems?.get('reason'),
    })}
    ${nameField(account.name, typed.name, problems)}
    <div class="actions">
      <button class="button danger primary">${words.close}</button>
      <a class="link" href="/account/settings?account=${encodeURIComponent(account.id)}"
        >${words.cancel}</a
      >
    </div>`;
  const content = html`<section>
      <h2>${words.heads.what}</h2>
      ${consequences(view)}
    </section>
    <section>
      <h2>${words.heads.how}</h2>
      ${form({ action: closeAddress(account.id), csrf: view.csrf, account: account.id }, fields)}
    </section>`;
  return accountPage({ ...view.frame, title: words.title(account.name), content }, brand);
}

function consequences({ plans, others, endsAt }: CloseView): Html {
  const list = [
    ...plans.map(({ plan, product, endsAt: at }) =>
      at === undefined
        ? words.planWithout(plan, product)
        : dated((date) => words.plan(date, plan, product), at),
    ),
    plans.length > 0 && words.money,
    words.access(others.count, others.isMore),
    words.apps,
    words.invitations,
    words.data,
    endsAt !== undefined && dated(words.back, endsAt),
    words.noWayBack,
  ];
  return html`<ul class="points">
    ${list.filter((one) => one !== false).map((one) => html`<li>${one}</li>`)}
  </ul>`;
}

function nameField(
  account: string,
  value: string | undefined,
  problems: ReadonlyMap<string, string> | undefined,
): Html {
  return field({
    name: 'name',
    label: words.name.label,
    help: words.name.help(account),
    value,
    problem: problems?.get('name'),
  });
}

/** It is decided, and can be taken back. */
export function closingPage(view: PendingView, brand: Brand): Html {
  const { account, csrf, endsAt, by, typed } = view;
  const { pending } = words;
  const of = { csrf, account: account.id };
  const query = new URLSearchParams({ account: account.id });
  const content = html`<p class="help">
      ${dated(pending.sentence, endsAt)} ${by !== undefined && pending.by(by)}
    </p>
    <section>
      ${form(
        { action: `/account/close/withdraw?${query}`, ...of },
        html`<p>${pending.keepHelp}</p>
          <button class="button primary">${pending.keep}</button>`,
      )}
    </section>
    <section>
      <h2>${pending.now}</h2>
      ${help(words.money, words.noWayBack)}
      ${form(
        { action: closeAddress(account.id), ...of },
        html`<input type="hidden" name="when" value="now" />
          ${nameField(account.name, typed?.name, view.frame.problems)}
          <button class="button danger">${words.closeNow}</button>`,
      )}
    </section>`;
  return accountPage({ ...view.frame, title: pending.title(account.name), content }, brand);
}

/** To whoever closed it: they are in no account of it any more. */
export function accountClosedPage(view: { account: string }, brand: Brand): Html {
  const content = html`${help(words.closed.sentence, texts.onlyClosed.advice)}
    <div class="stack">
      <a class="button primary" href="/account">${words.closed.goOn}</a>
    </div>`;
  return layout({ title: words.closed.title(view.account), content }, brand);
}

/** On the page about plans and payments. */
export function closingNotice(view: { at: number; keep: string | undefined }): Html {
  const { notice } = words;
  return html`<div class="notice">
    <div>
      <p class="title">${notice.title}</p>
      <p>${dated(notice.sentence, view.at)}</p>
      ${view.keep !== undefined && html`<p><a href="${view.keep}">${notice.keep}</a></p>`}
    </div>
  </div>`;
}

function dayOf(at: number): string {
  const options = { dateStyle: 'long', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(texts.language, options).format(new Date(at));
}
