/** The page that goes on by itself, for the blink of an eye in which it is seen. */

import { html, type Html } from '../src/web/html.ts';
import { help, layout, type Brand } from './layout.ts';
import { texts } from './texts.ts';

/** @param address one that was checked: nothing that runs something */
export function continuePage(address: string, brand: Brand): Html {
  const words = texts.continue;
  return layout(
    {
      title: words.title,
      head: html`<meta http-equiv="refresh" content="0;url=${address}" />`,
      content: html`${help(words.sentence)}
        <div class="stack">
          <a class="button" href="${address}" rel="noreferrer">${words.link}</a>
        </div>`,
    },
    brand,
  );
}
