/** Pages about a person's own data: the file, the question before a deletion, and how it can be taken back. */

import { html, type Html } from '../../src/web/html.ts';
import { dated } from '../dates.ts';
import { help, layout, type Brand } from '../layout.ts';
import { dataTexts as words } from './data_texts.ts';
import { accountPage, type FrameView } from './frame.ts';
import { form } from './parts.ts';

interface DataView extends FrameView {
  csrf: string;
  /** Of the page about the data; the others are under it. */
  path: string;
}

export interface OverviewView extends DataView {
  /** Asked for, and not taken back. */
  deletion?: { dueAt: number } | undefined;
}

export interface QuestionView extends DataView {
  /** In how many days it would be. */
  days: number;
  closing: readonly { id: string; name: string }[];
  handOver: readonly { id: string; name: string }[];
}

/** Of hundreds the first ones say enough. */
const mostListed = 50;

export function dataPage(view: OverviewView, brand: Brand): Html {
  const { csrf, path, deletion } = view;
  const content = html`${deletion !== undefined && pending(view, deletion.dueAt)}
    <section>
      <h2>${words.file.heading}</h2>
      ${help(words.file.sentence)}
      ${form(
        { action: `${path}/file`, csrf },
        html`<button class="button">${words.file.action}</button>`,
      )}
    </section>
    ${
      deletion === undefined &&
      html`<section>
        <h2>${words.remove.heading}</h2>
        ${help(words.remove.sentence)}
        <p class="after actions">
          <a class="button danger" href="${path}/delete">${words.remove.action}</a>
        </p>
      </section>`
    }`;
  return accountPage({ ...view, title: words.title, content }, brand);
}

function pending({ csrf, path }: DataView, dueAt: number): Html {
  return html`<section>
    <h2>${dated(words.pending.title, dueAt)}</h2>
    ${help(words.pending.sentence)}
    ${form(
      { action: `${path}/keep`, csrf },
      html`<button class="button primary">${words.pending.action}</button>`,
    )}
  </section>`;
}

export function deletePage(view: QuestionView, brand: Brand): Html {
  if (view.handOver.length > 0) return handOverPage(view, brand);
  const { csrf, path, days, closing } = view;
  const { question } = words;
  const content = html`${help(question.when(days))}
    <section>
      <h2>${question.goesHeading}</h2>
      ${sentences(question.goes)}
      ${
        closing.length > 0 &&
        html`<p class="after">${question.closing}</p>
          ${listed(closing, ({ name }) => html`${name}`)}`
      }
    </section>
    <section>
      <h2>${question.staysHeading}</h2>
      ${sentences(question.stays)}
    </section>
    ${form(
      { action: `${path}/delete`, csrf },
      html`<div class="actions">
        <button class="button danger primary">${question.action(days)}</button>
        <a class="link" href="${path}">${question.cancel}</a>
      </div>`,
    )}`;
  return accountPage({ ...view, title: question.title, content }, brand);
}

function handOverPage(view: QuestionView, brand: Brand): Html {
  const { handOver, path } = view;
  const link = ({ id, name }: { id: string; name: string }) =>
    html`<a href="/account/members?account=${encodeURIComponent(id)}">${name}</a>`;
  const content = html`${help(words.handOver.sentence)} ${listed(handOver, link)}
    <p class="after actions"><a class="button" href="${path}">${words.handOver.back}</a></p>`;
  return accountPage({ ...view, title: words.handOver.title, content }, brand);
}

function sentences(list: readonly string[]): Html {
  return html`<ul class="points">
    ${list.map((sentence) => html`<li>${sentence}</li>`)}
  </ul>`;
}

function listed<Row>(rows: readonly Row[], shown: (row: Row) => Html): Html {
  const more = rows.length - mostListed;
  return html`<ul class="points">
      ${rows.slice(0, mostListed).map((row) => html`<li>${shown(row)}</li>`)}
    </ul>
    ${more > 0 && html`<p class="after">${words.handOver.more(more)}</p>`}`;
}

export function deletedPage(brand: Brand): Html {
  return layout({ title: words.gone.title, content: help(words.gone.sentence) }, brand);
}
