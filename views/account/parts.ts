/** What forms and lists under `/account` are made of. */

import { html, type Html, type HtmlValue } from '../../src/web/html.ts';
import { iconOf } from '../icons.ts';
import { frameTexts } from './frame_texts.ts';

/** What each form of these pages has, beside its fields. */
export interface FormOf {
  /** A path; an account goes in `account`. */
  action: string;
  csrf: string;
  account?: string | undefined;
}

/** A form with its hidden fields. @param how `isInline`: no more than its button */
export function form(
  { action, csrf, account }: FormOf,
  content: HtmlValue,
  how: { isInline?: boolean } = {},
): Html {
  return html`<form
    ${how.isInline !== true && attribute('class', 'form')}
    method="post"
    action="${action}"
  >
    <input type="hidden" name="csrf" value="${csrf}" />
    ${account !== undefined && html`<input type="hidden" name="account" value="${account}" />`}
    ${content}
  </form>`;
}

export interface FieldView {
  /** Of the input, and of what is sent. */
  name: string;
  label: string;
  value?: string | undefined;
  help?: string | undefined;
  /** What is wrong with the value. */
  problem?: string | undefined;
  type?: 'text' | 'email' | 'number';
  autocomplete?: string;
  maxlength?: number;
  required?: boolean;
}

export function field(view: FieldView): Html {
  const { name, label, value, type = 'text' } = view;
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint(view)}
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      value="${value ?? ''}"
      autocomplete="${view.autocomplete ?? 'off'}"
      ${view.required === true && html`required`}
      ${limits(view)}
    />
    ${problem(view)}
  </div>`;
}

export function textarea(view: FieldView): Html {
  const { name, label, value } = view;
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint(view)}
    <textarea id="${name}" name="${name}" rows="4" ${limits(view)}>${value}</textarea>
    ${problem(view)}
  </div>`;
}

export interface Option {
  value: string;
  label: string;
}

export function select(view: FieldView & { options: readonly Option[] }): Html {
  const { name, label, value, options } = view;
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint(view)}
    <select id="${name}" name="${name}" ${limits(view)}>
      ${options.map(
        (option) =>
          html`<option value="${option.value}" ${option.value === value && html`selected`}>
            ${option.label}
          </option>`,
      )}
    </select>
    ${problem(view)}
  </div>`;
}

export function choices(
  view: FieldView & { options: readonly (Option & { help?: string })[] },
): Html {
  const { name, label, value, options } = view;
  return html`<fieldset class="field" id="${name}">
    <legend>${label}</legend>
    ${hint(view)}
    ${options.map(
      (option) =>
        html`<label class="choice" for="${name}-${option.value}">
          <input
            id="${name}-${option.value}"
            type="radio"
            name="${name}"
            value="${option.value}"
            ${option.value === value && html`checked`}
          />
          <span
            >${option.label}${option.help !== undefined && html` <span class="small">${option.help}</span>`}</span
          >
        </label>`,
    )}
    ${problem(view)}
  </fieldset>`;
}

function hint({ name, help }: FieldView): Html | undefined {
  return help === undefined
    ? undefined
    : html`<span class="small" id="${name}-help">${help}</span>`;
}

function problem({ name, problem: sentence }: FieldView): Html | undefined {
  if (sentence === undefined) return undefined;
  return html`<span class="error" id="${name}-problem">${iconOf('warning')} ${sentence}</span>`;
}

function limits(view: FieldView): (Html | undefined)[] {
  return [
    attribute('maxlength', view.maxlength),
    attribute('aria-invalid', view.problem === undefined ? undefined : 'true'),
    attribute('aria-describedby', describedBy(view)),
  ];
}

/** Nothing where there is no value: an empty attribute means something else. @param name never from outside */
export function attribute(name: string, value: string | number | undefined): Html | undefined {
  return value === undefined ? undefined : html` ${name}="${value}"`;
}

function describedBy({ name, help, problem: sentence }: FieldView): string | undefined {
  const ids = [help && `${name}-help`, sentence && `${name}-problem`].filter(Boolean);
  return ids.length === 0 ? undefined : ids.join(' ');
}

export interface PagingView {
  before?: string | undefined;
  after?: string | undefined;
  words?: { before: string; after: string };
}

export function paging({ before, after, words }: PagingView): Html | undefined {
  if (before === undefined && after === undefined) return undefined;
  const said = words ?? { before: frameTexts.previous, after: frameTexts.next };
  return html`<nav class="paging">
    ${before !== undefined && html`<a href="${before}" rel="prev">${said.before}</a>`}
    ${after !== undefined && html`<a href="${after}" rel="next">${said.after}</a>`}
  </nav>`;
}

export interface FinderView {
  action: string;
  account?: string | undefined;
  label: string;
  button: string;
  value: string;
}

/** Narrows a list, by `search` in the address. */
export function finder({ action, account, label, button, value }: FinderView): Html {
  return html`<form class="filter" method="get" action="${action}" role="search">
    ${account !== undefined && html`<input type="hidden" name="account" value="${account}" />`}
    <label for="search">${label}</label>
    <div class="field">
      <input
        id="search"
        name="search"
        type="search"
        value="${value}"
        autocomplete="off"
        maxlength="100"
      />
      <button class="button" aria-label="${button}">${iconOf('search')}</button>
    </div>
  </form>`;
}
