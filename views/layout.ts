/** The frame of every page: whose site this is, one card with one thing to do, and the small print. */

import type { Config } from '../src/config.ts';
import { html, type Html, type HtmlValue } from '../src/web/html.ts';
import { iconOf } from './icons.ts';
import { accountStyleVersion, brandStylesheet, styleVersion, versionOf } from './stylesheet.ts';
import { texts } from './texts.ts';

export type Brand = Config['brand'];

export interface Page {
  /** Without the company: `layout` adds it. */
  title: string;
  /** The heading, where it is not the title. */
  heading?: string;
  content: HtmlValue;
  /** For the head: a refresh. */
  head?: HtmlValue;
  /** More than one thing to do: a wider card, with a stylesheet of its own. */
  wide?: true;
  /** Between the company's name and the card. */
  before?: HtmlValue;
}

export function layout(page: Page, brand: Brand): Html {
  const brandVersion = versionOf(brandStylesheet(brand));
  return html`<!doctype html>
    <html lang="${texts.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${page.head}
        <title>${texts.title(page.title, brand.name)}</title>
        <link rel="stylesheet" href="/assets/style.css?v=${styleVersion}" />
        <link rel="stylesheet" href="/assets/brand.css?v=${brandVersion}" />
        ${page.wide && html`<link rel="stylesheet" href="/assets/account.css?v=${accountStyleVersion}" />`}
        <link rel="icon" href="data:," />
      </head>
      <body>
        <header class="brand">${brandMark(brand)}</header>
        ${page.before}
        <main class="${page.wide ? 'card wide' : 'card'}">
          <h1>${page.heading ?? page.title}</h1>
          ${page.content}
        </main>
        ${footer(brand)}
      </body>
    </html>`;
}

/** Only pictures of our own: the security policy of the pages stops all others. */
function brandMark({ name, logo }: Brand): Html {
  const own = logo !== undefined && /^(\/(?![/\\])|data:image\/)/.test(logo);
  if (own) return html`<img class="logo" src="${logo}" alt="${name}" />`;
  const [initial = ''] = name;
  return html`<span class="mark" aria-hidden="true">${initial.toLocaleUpperCase('en')}</span>
    <span class="name">${name}</span>`;
}

function footer(brand: Brand): Html | undefined {
  const { terms, privacy, support } = texts.footer;
  const links = [
    [terms, brand.terms],
    [privacy, brand.privacy],
    [support, supportAddress(brand)],
  ].filter(([, address]) => address !== undefined);
  if (links.length === 0) return undefined;
  return html`<footer>
    <nav aria-label="${texts.footer.label}">
      <ul>
        ${links.map(([label, address]) => html`<li><a href="${address}">${label}</a></li>`)}
      </ul>
    </nav>
  </footer>`;
}

/** An address of a page, or an e-mail address. */
export function supportAddress({ support }: Brand): string | undefined {
  if (support === undefined) return undefined;
  if (/^(https?:\/\/|mailto:)/i.test(support)) return support;
  return /^[^\s@:/]+@[^\s@:/]+$/.test(support) ? `mailto:${support}` : undefined;
}

/** The sentence under the heading. */
export function help(...sentences: (string | undefined)[]): Html | undefined {
  const known = sentences.filter((sentence) => sentence !== undefined && sentence !== '');
  return known.length === 0 ? undefined : html`<p class="help">${known.join(' ')}</p>`;
}

/** The message area: what went wrong, above what to do. Screen readers say it first. */
export function notice(sentence: string | undefined): Html | undefined {
  if (sentence === undefined) return undefined;
  return html`<div class="notice" role="alert">
    ${iconOf('warning')}
    <p>${sentence}</p>
  </div>`;
}

/** The hidden fields that each form of a prompt has. */
export interface PromptForm {
  /** `/interaction/:uid` */
  action: string;
  step: string;
  csrf: string;
}

export function promptFields({ step, csrf }: PromptForm): Html {
  return html`<input type="hidden" name="step" value="${step}" />
    <input type="hidden" name="csrf" value="${csrf}" />`;
}
