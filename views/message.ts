/** Pages that say something: failures of all kinds, and that somebody is not registered. */

import { html, type Html } from '../src/web/html.ts';
import {
  help,
  layout,
  promptFields,
  supportAddress,
  type Brand,
  type PromptForm,
} from './layout.ts';
import { texts } from './texts.ts';

export interface Action {
  /** What the failure's text says when not given. */
  label?: string | undefined;
  href: string;
}

export interface FailureView {
  status: number;
  code: string;
  /** The failure's own sentence: shown where the catalogue has no better one. */
  message: string;
  requestId: string;
  /** `parameter` and `known` are told to those who made the link. */
  details?: Record<string, unknown> | undefined;
  retryAfterSeconds?: number | undefined;
  action?: Action | undefined;
}

export function failurePage(failure: FailureView, brand: Brand): Html {
  const { failure: words } = texts;
  const text = words.of(failure.code, failure.status);
  const { action, retryAfterSeconds: seconds } = failure;
  const wait =
    seconds === undefined || !Number.isFinite(seconds)
      ? undefined
      : words.retry(Math.max(1, Math.ceil(seconds)));
  const content = html`${help(
    text.sentence ?? failure.message,
    failure.status === 429 ? (wait ?? text.advice) : text.advice,
  )}
  ${
    action !== undefined &&
    html`<div class="stack">
      <a class="button primary" href="${action.href}"
        >${action.label ?? text.action ?? words.startAgain}</a
      >
    </div>`
  }
  ${text.technical === true && technical(failure)}
  ${failure.status !== 404 && number(failure.requestId, brand)}`;
  return layout({ title: text.title, content }, brand);
}

/** Bounded, since an app may have a say in it. */
function technical({ code, message, details = {} }: FailureView): Html {
  const { parameter, known } = details;
  const choices = Array.isArray(known) ? known.filter((one) => typeof one === 'string') : [];
  return html`<p class="number">
    ${texts.failure.technical} <code>${code}</code>
    ${typeof parameter === 'string' && html`(<code>${parameter.slice(0, 64)}</code>)`}
    ${message.slice(0, 300)}
    ${choices.length > 0 && texts.failure.known(choices.join(', ').slice(0, 300))}
  </p>`;
}

/** What finds the line in the log, and where to send it. */
function number(requestId: string, brand: Brand): Html {
  const { before, tell, after } = texts.failure.number;
  const support = supportAddress(brand);
  return html`<p class="number">
    ${before} ${support === undefined ? tell : html`<a href="${support}">${tell}</a>`} ${after}
    <code>${requestId}</code>
  </p>`;
}

export interface NotRegisteredView {
  form: PromptForm;
  app: string;
  /** As whom they signed in, as far as the provider said. */
  who?: string | undefined;
  /** How people come in: by an invitation, or by choosing a plan. */
  way?: 'invitation' | 'checkout';
  /** Where plans are, for who comes in by one. */
  plans?: string | undefined;
}

export function notRegisteredPage(view: NotRegisteredView, brand: Brand): Html {
  const words = texts.notRegistered;
  const { title, advice } = words[view.way ?? 'invitation'];
  const content = html`${help(words.sentence(view.who))}
    <p class="help">${advice} ${words.known}</p>
    <form method="post" action="${view.form.action}" class="stack">
      ${promptFields(view.form)}
      ${view.plans !== undefined && html`<a class="button primary" href="${view.plans}">${words.choose}</a>`}
      <a
        class="${view.plans === undefined ? 'button primary' : 'button'}"
        href="${view.form.action}?stay=1&amp;other=1"
        >${texts.useAnother}</a
      >
      <button class="button" name="leave" value="yes">${texts.backTo(view.app)}</button>
    </form>`;
  return layout({ title, content }, brand);
}

/** A page with a sentence and nothing else to do. */
export function messagePage(title: string, sentence: string, brand: Brand): Html {
  return layout({ title, content: help(sentence) }, brand);
}
