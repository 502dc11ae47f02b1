/** Signing out: the question, in two dresses, and that it is done. */

import { html, raw, type Html } from '../src/web/html.ts';
import { help, layout, type Brand } from './layout.ts';
import { texts } from './texts.ts';

/**
 * The question of RP-initiated sign-out. The library reads its form without an answer as the end of the app alone that
 * asks, and as nothing where none does.
 * @param form the library's own form, with the id `op.logoutForm` and its token
 */
export function signOutPage(
  { form, app, stay }: { form: string; app?: string | undefined; stay: string },
  brand: Brand,
): Html {
  const { signOut } = texts;
  return question(
    html`${raw(form)}
      <div class="stack">
        <button class="button primary" form="op.logoutForm" name="logout" value="yes">
          ${app === undefined ? signOut.yes : signOut.all}
        </button>
        <button class="button" form="op.logoutForm">
          ${app === undefined ? signOut.no : signOut.only(app)}
        </button>
        ${app !== undefined && html`<a class="button" href="${stay}">${signOut.no}</a>`}
      </div>`,
    brand,
    app === undefined ? undefined : signOut.choice,
  );
}

/** The question of our own `/signout`. */
export function signOutQuestion(
  view: {
    scope?: keyof typeof texts.signOut.of | undefined;
    action: string;
    csrf: string;
    fields?: Readonly<Record<string, string>>;
    stay: string;
  },
  brand: Brand,
): Html {
  const { signOut } = texts;
  const { scope } = view;
  const fields = Object.entries({ ...view.fields, csrf: view.csrf, ...(scope && { scope }) });
  return question(
    html`<form method="post" action="${view.action}" class="stack">
      ${fields.map(
        ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
      )}
      ${
        scope === undefined
          ? html`<button class="button primary" name="scope" value="all">${signOut.all}</button>
              <button class="button" name="scope" value="app">${signOut.only(undefined)}</button>`
          : html`<button class="button primary">${signOut.yes}</button>`
      }
      <a class="button" href="${view.stay}">${signOut.no}</a>
    </form>`,
    brand,
    scope === undefined ? signOut.choice : signOut.of[scope](brand.name),
  );
}

export function signedOutPage(brand: Brand, again?: string): Html {
  const { signOut } = texts;
  const content = html`${help(signOut.doneSentence(brand.name), signOut.doneAdvice)}
  ${
    again !== undefined &&
    html`<div class="stack"><a class="button primary" href="${again}">${signOut.again}</a></div>`
  }`;
  return layout({ title: signOut.done, content }, brand);
}

/**
 * The library ends here too when the answer was to stay: nobody is told that they have left.
 * @param left the app that they signed out of, where it is one alone
 */
export function stayedPage(brand: Brand, left?: string): Html {
  const { signOut } = texts;
  const content = help(signOut.stayedSentence(brand.name), signOut.stayedAdvice);
  const title = left === undefined ? signOut.stayed : signOut.left(left);
  return layout({ title, content }, brand);
}

function question(form: Html, brand: Brand, sentence?: string): Html {
  const { signOut } = texts;
  const content = html`${help(sentence ?? `${signOut.of.all(brand.name)} ${signOut.stays}`)} ${form}`;
  return layout({ title: signOut.title, content }, brand);
}
