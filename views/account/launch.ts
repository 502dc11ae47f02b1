/** The list of the company's apps, each with the way into it. */

import { html, type Html } from '../../src/web/html.ts';
import { help, type Brand } from '../layout.ts';
import { initialsOf } from '../select_account.ts';
import { accountPage } from './frame.ts';
import type { FrameView } from './frame.ts';
import { launchTexts } from './launch_texts.ts';

export interface LaunchView {
  frame: FrameView;
  apps: readonly { name: string; href: string }[];
  /** The name of the account that they are opened for, where the address names one. */
  account?: string | undefined;
}

export function launchPage({ frame, apps, account }: LaunchView, brand: Brand): Html {
  const content = html`${
    apps.length > 0 && help(launchTexts.help(brand.name), account && `${launchTexts.for(account)}.`)
  }
  ${
    apps.length === 0
      ? html`<p class="empty">${launchTexts.none}</p>`
      : html`<ul class="rows">
          ${apps.map(
            ({ name, href }) =>
              html`<li>
                <a class="row" href="${href}">
                  <span class="initials" aria-hidden="true">${initialsOf(name)}</span>
                  <span class="facts">
                    <span class="text"><span class="title">${name}</span></span>
                  </span>
                </a>
              </li>`,
          )}
        </ul>`
  }`;
  return accountPage({ ...frame, title: launchTexts.title, content }, brand);
}

/** Another site's link names an account: the person says whether that is what they want. */
export function openAppPage(
  view: { frame: FrameView; app: string; account: string; href: string; list: string },
  brand: Brand,
): Html {
  const { confirm: words } = launchTexts;
  const content = html`${help(words.sentence(view.account))}
    <div class="stack">
      <a class="button primary" href="${view.href}">${words.open(view.app)}</a>
      <a class="button" href="${view.list}">${words.list}</a>
    </div>`;
  return accountPage({ ...view.frame, title: words.title(view.app), content }, brand);
}
