/** Dates as people write them, within a sentence. */

import { html, type Html } from '../src/web/html.ts';
import { texts } from './texts.ts';

/**
 * A sentence with its date marked up, so that programs can read it too.
 * @param at in milliseconds since the epoch. It is said in UTC, as are the invoices: nobody knows where the reader is
 */
export function dated(sentence: (date: string) => string, at: number): Html {
  const day = new Date(at);
  const options = { dateStyle: 'long', timeZone: 'UTC' } as const;
  const date = new Intl.DateTimeFormat(texts.language, options).format(day);
  const [before, ...after] = sentence(date).split(date);
  return html`${before}<time datetime="${day.toISOString().slice(0, 10)}">${date}</time
    >${after.join(date)}`;
}
