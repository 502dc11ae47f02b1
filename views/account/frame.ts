/** The frame of the pages under `/account`: the way between them, what was done, what went wrong, and a wide card. */

import type { Right } from '../../src/directory/rights.ts';
import { html, type Html, type HtmlValue } from '../../src/web/html.ts';
import { iconOf } from '../icons.ts';
import { help, layout, type Brand } from '../layout.ts';
import { attribute } from './parts.ts';
import { frameTexts } from './frame_texts.ts';

export type Tab = keyof typeof frameTexts.tabs;

export interface FrameView {
  tab: Tab;
  /** The account that the page is about. */
  account?: { id: string; name: string; rights: ReadonlySet<Right>; isOwner: boolean } | undefined;
  /** Where nothing is sold there is nothing about billing. */
  sells: boolean;
  /** Whether there is an app in the list of apps. */
  launches?: boolean;
  /** A sentence about what was just done. */
  done?: string | undefined;
  /** What is wrong with what was sent: by the field's id, or of the whole (`''`). */
  problems?: ReadonlyMap<string, string> | undefined;
}

export interface AccountPage extends FrameView {
  title: string;
  heading?: string;
  content: HtmlValue;
}

const ofPerson = [
  ['profile', '/account'],
  ['identities', '/account/identities'],
  ['sessions', '/account/sessions'],
  ['apps', '/account/apps'],
  ['accounts', '/account/accounts'],
  ['data', '/account/data'],
] as const;

const launch = ['launch', '/apps'] as const;

export function accountPage(page: AccountPage, brand: Brand): Html {
  const { title, heading, content } = page;
  const inner = html`${done(page.done)} ${summary(page.problems)} ${content}`;
  return layout(
    {
      title,
      ...(heading === undefined ? {} : { heading }),
      content: inner,
      wide: true,
      before: navigation(page),
    },
    brand,
  );
}

function navigation({ tab, account, sells, launches }: FrameView): Html {
  return html`<nav class="tabs" aria-label="${frameTexts.navigation}">
    ${account !== undefined && html`<h2>${frameTexts.you}</h2>`}
    ${tabs(launches === true ? [...ofPerson, launch] : ofPerson, tab)}
    ${
      account !== undefined &&
      html`<h2>${account.name}</h2>
        ${tabs(ofAccount(account, sells), tab)}`
    }
  </nav>`;
}

function tabs(list: readonly (readonly [Tab, string])[], current: Tab): Html {
  return html`<ul>
    ${list.map(
      ([tab, address]) =>
        html`<li>
          <a href="${address}" ${tab === current && attribute('aria-current', 'page')}
            >${frameTexts.tabs[tab]}</a
          >
        </li>`,
    )}
  </ul>`;
}

function ofAccount(
  { id, rights }: NonNullable<FrameView['account']>,
  sells: boolean,
): (readonly [Tab, string])[] {
  const query = `?account=${encodeURIComponent(id)}`;
  return [
    ['members', `/account/members${query}`] as const,
    ...(sells ? [['billing', `/account/billing${query}`] as const] : []),
    ['settings', `/account/settings${query}`] as const,
    ...(rights.has('activity') ? [['activity', `/account/activity${query}`] as const] : []),
  ];
}

function done(sentence: string | undefined): Html | undefined {
  if (sentence === undefined) return undefined;
  return html`<div class="done" role="status">
    ${iconOf('check')}
    <p>${sentence}</p>
  </div>`;
}

/** Above all else, and where the keyboard is: what has to be put right, with the way to each field. */
function summary(problems: ReadonlyMap<string, string> | undefined): Html | undefined {
  if (problems === undefined || problems.size === 0) return undefined;
  return html`<div class="notice" role="alert" tabindex="-1" autofocus>
    ${iconOf('warning')}
    <div>
      <p class="title">${frameTexts.problem.title}</p>
      <ul>
        ${[...problems].map(([field, sentence]) =>
          field === ''
            ? html`<li>${sentence}</li>`
            : html`<li><a href="#${field}">${sentence}</a></li>`,
        )}
      </ul>
    </div>
  </div>`;
}

export function noRightPage(view: { account: string; back: string }, brand: Brand): Html {
  const { noRight: words } = frameTexts;
  const content = html`${help(words.sentence(view.account), words.advice)}
    <div class="stack">
      <a class="button primary" href="${view.back}">${frameTexts.back}</a>
    </div>`;
  return layout({ title: words.title, content }, brand);
}
