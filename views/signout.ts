/** Signing out: the question, in two dresses, and that it is done. */

import { html, raw, type Html } from '../src/web/html.ts';
import { help, layout, type Brand } from './layout.ts';
import { texts } from './texts.ts';

/**
 * The question of RP-initiated sign-out.
 * @param form the library's own form, with the id `op.logoutForm` and its token
 */
export function signOutPage(form: string, brand: Brand): Html {
  const { signOut } = texts;
  return question(
    html`${raw(form)}
      <div class="stack">
        <button class="button primary" form="op.logoutForm" name="logout" value="yes">
          ${signOut.yes}
        </button>
        <button class="button" form="op.logoutForm">${signOut.no}</button>
      </div>`,
    brand,
  );
}

/** The question of our own `/signout`. */
export function signOutQuestion(
  view: { action: string; csrf: string; fields?: Readonly<Record<string, string>>; stay: string },
  brand: Brand,
): Html {
  const { signOut } = texts;
  const fields = Object.entries({ ...view.fields, csrf: view.csrf });
  return question(
    html`<form method="post" action="${view.action}" class="stack">
      ${fields.map(
        ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
      )}
      <button class="button primary">${signOut.yes}</button>
      <a class="button" href="${view.stay}">${signOut.no}</a>
    </form>`,
    brand,
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

/** The library ends here too when the answer was to stay: nobody is told that they have left. */
export function stayedPage(brand: Brand): Html {
  const { signOut } = texts;
  const content = help(signOut.stayedSentence(brand.name), signOut.stayedAdvice);
  return layout({ title: signOut.stayed, content }, brand);
}

function question(form: Html, brand: Brand): Html {
  const { signOut } = texts;
  const content = html`${help(signOut.sentence(brand.name), signOut.stays)} ${form}`;
  return layout({ title: signOut.title, content }, brand);
}
