/** Choosing how to sign in. */

import { html, type Html } from '../src/web/html.ts';
import { iconOf, type IconName } from './icons.ts';
import { help, layout, notice, promptFields, type Brand, type PromptForm } from './layout.ts';
import { texts } from './texts.ts';

export interface LoginProvider {
  id: string;
  name: string;
  icon: IconName;
}

export interface LoginView {
  form: PromptForm;
  /** In the configuration's order. */
  providers: readonly LoginProvider[];
  lastUsed?: string | undefined;
  app: string;
  /** The app wants to see somebody again who signed in too long ago. */
  again?: boolean;
  /** The provider should ask which of its own users this is. */
  other?: boolean;
  message?: string | undefined;
}

/** More than these are a list to search, not a choice. */
const shownAtOnce = 5;

export function loginPage(view: LoginView, brand: Brand): Html {
  const { login } = texts;
  const providers = sorted(view);
  const [first, more] =
    providers.length > shownAtOnce
      ? [providers.slice(0, shownAtOnce), providers.slice(shownAtOnce)]
      : [providers, []];
  const button = (provider: LoginProvider) => providerButton(provider, view.lastUsed);
  // Links go on to the company's own app, which the title names already.
  const goesOn = view.app === brand.name ? undefined : login.help(view.app);
  const content = html`${help(view.again === true ? login.again(view.app) : goesOn)}
    ${notice(view.message ?? (providers.length === 0 ? login.none : undefined))}
    <form method="post" action="${view.form.action}" class="stack">
      ${promptFields(view.form)}
      ${view.other === true && html`<input type="hidden" name="other" value="yes" />`}
      ${first.map(button)}
      ${
        more.length > 0 &&
        html`<details class="more">
          <summary>${login.more}</summary>
          <div class="stack">${more.map(button)}</div>
        </details>`
      }
    </form>`;
  return layout({ title: login.title, heading: login.heading(brand.name), content }, brand);
}

function sorted({ providers, lastUsed }: LoginView): readonly LoginProvider[] {
  const last = providers.find(({ id }) => id === lastUsed);
  return last === undefined ? providers : [last, ...providers.filter((one) => one !== last)];
}

function providerButton({ id, name, icon }: LoginProvider, lastUsed: string | undefined): Html {
  const { continueWith, lastUsed: label } = texts.login;
  return html`<button class="button provider" name="provider" value="${id}">
    ${iconOf(icon)}<span class="label">${continueWith(name)}</span>
    ${id === lastUsed && html`<span class="quiet">${label}</span>`}
  </button>`;
}
