/** What happened in an account. */

import { html, type Html } from '../../src/web/html.ts';
import { help, type Brand } from '../layout.ts';
import { texts } from '../texts.ts';
import { activityTexts as words } from './activity_texts.ts';
import type { ActivityWords } from './activity_texts.ts';
import { accountPage } from './frame.ts';
import type { FrameView } from './frame.ts';
import { paging } from './parts.ts';

export interface HappenedView extends ActivityWords {
  type: string;
  at: number;
}

export interface ActivityView extends FrameView {
  account: NonNullable<FrameView['account']>;
  rows: readonly HappenedView[];
  newest?: string | undefined;
  older?: string | undefined;
}

export function activityPage(view: ActivityView, brand: Brand): Html {
  const { rows, account } = view;
  const content = html`${help(words.help(account.name))}
  ${
    rows.length === 0
      ? html`<p class="empty">${words.none}</p>`
      : html`<ul class="things">
          ${rows.map(
            (row) =>
              html`<li>
                <span class="text">${words.sentence(row.type, row)}</span>
                <span class="small">${moment(row.at)}</span>
              </li>`,
          )}
        </ul>`
  }
  ${paging({
    before: view.newest,
    after: view.older,
    words: { before: words.newest, after: words.older },
  })}`;
  return accountPage({ ...view, title: words.title, content }, brand);
}

/** Day and time. In UTC, and it says so: nobody knows where the reader is. */
function moment(at: number): Html {
  const day = new Date(at);
  const said = new Intl.DateTimeFormat(texts.language, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
  }).format(day);
  return html`<time datetime="${day.toISOString()}">${said}</time>`;
}
