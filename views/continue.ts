/** The page that goes on by itself, for the blink of an eye in which it is seen. */

import { html, raw, type Html } from '../src/web/html.ts';
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

/**
 * The page that the library makes where something has to be posted: its form goes off by its own
 * script, or, where there is none, by the button. The policy of the page knows the script by its
 * hash, so it stays as it is; so does the form's first line, which the policy is made from.
 * @returns nothing where this is no such page
 */
export function submittingPage(made: string, brand: Brand): Html | undefined {
  const { script, action, fields } = libraryForm.exec(made)?.groups ?? {};
  if (script === undefined || action === undefined || fields === undefined) return undefined;
  const words = texts.continue;
  return layout(
    {
      title: words.title,
      head: raw(`<script>${script}</script>`),
      content: html`${help(words.sentence)}
        ${raw(`<form method="post" action="${action}">${fields}`)}
        <div class="stack"><button class="button">${words.link}</button></div>
        ${raw('</form>')}`,
    },
    brand,
  );
}

/** Strict, so that nothing but hidden fields gets into a page of ours. */
const libraryForm =
  /^<!DOCTYPE html>\s<html>\s<head>[^<]*<meta[^<]*<title>Submitting Callback<\/title>\s*<script>(?<script>[^<]*)<\/script>\s*<\/head>\s*<body>\s*<form method="post" action="(?<action>[^"<>]*)">(?<fields>(?:\s*<input type="hidden" name="[^"<>]*" value="[^"<>]*"\/>)*)\s*<noscript>/;
