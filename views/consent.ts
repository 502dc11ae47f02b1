/** What an app would get, mostly somebody else's, in plain words, before it gets it. */

import { html, type Html } from '../src/web/html.ts';
import { iconOf } from './icons.ts';
import { help, layout, notice, promptFields, type Brand, type PromptForm } from './layout.ts';
import { texts } from './texts.ts';

export interface ConsentView {
  form: PromptForm;
  app: string;
  /** An app of the company's own, which asked for the question itself (`prompt=consent`). */
  own?: boolean;
  /** What the app would get that it has not got yet. */
  scopes: readonly string[];
  resources: readonly { name: string; scopes: readonly string[] }[];
  account?: string | undefined;
  who?: string | undefined;
  /** The host that the browser goes on to. */
  goesTo?: string | undefined;
  message?: string | undefined;
}

export function consentPage(view: ConsentView, brand: Brand): Html {
  const { consent } = texts;
  const content = html`${help(view.own === true ? consent.helpOwn(view.app) : consent.help(view.app, brand.name))}
    ${notice(view.message)}
    <ul class="grants">
      ${wishes(view).map((wish) => html`<li>${iconOf('check')}<span>${wish}</span></li>`)}
    </ul>
    ${help(
      view.who === undefined ? undefined : texts.signedInAs(view.who),
      view.goesTo === undefined ? undefined : consent.goesTo(view.goesTo),
    )}
    <form method="post" action="${view.form.action}" class="stack">
      ${promptFields(view.form)}
      <button class="button primary" name="answer" value="allow">${consent.allow}</button>
      <button class="button" name="answer" value="deny">${consent.deny}</button>
    </form>`;
  return layout({ title: consent.title(view.app), content }, brand);
}

function wishes({ scopes, resources, account }: ConsentView): string[] {
  const { consent } = texts;
  const words = new Map([
    ['openid', consent.openid],
    ['profile', consent.profile],
    ['email', consent.email],
    ['offline_access', consent.offlineAccess],
  ]);
  const use = (name: string, of: readonly string[]) =>
    of.length === 0 ? consent.resource(name) : consent.resourceScopes(name, of.join(', '));
  return [
    ...[...words].flatMap(([scope, wish]) => (scopes.includes(scope) ? [wish] : [])),
    ...(account === undefined ? [] : [consent.account(account)]),
    ...resources.map(({ name, scopes: of }) => use(name, of)),
    ...scopes
      .filter((scope) => scope !== '' && !words.has(scope))
      .map((scope) => consent.other(scope)),
  ];
}
