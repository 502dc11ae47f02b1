/** Where somebody is signed in, and the way out. */

import { html, type Html } from '../../src/web/html.ts';
import { dated } from '../dates.ts';
import { help, type Brand } from '../layout.ts';
import { accountPage, type FrameView } from './frame.ts';
import { attribute, form, paging, type PagingView } from './parts.ts';
import { personTexts } from './person_texts.ts';

export interface DeviceView {
  id: string;
  name?: string | undefined;
  network?: string | undefined;
  provider?: string | undefined;
  signedInAt: number;
  isCurrent: boolean;
  apps: readonly string[];
}

export interface SessionsView {
  frame: FrameView;
  csrf: string;
  devices: readonly DeviceView[];
  pages: PagingView;
}

const { sessions: words } = personTexts;

export function sessionsPage(view: SessionsView, brand: Brand): Html {
  const { frame, csrf, devices, pages } = view;
  const content = html`${help(words.help)}
    ${
      devices.length === 0
        ? help(words.noneHere)
        : html`<ul class="things">
            ${devices.map((device) => row(device, csrf))}
          </ul>`
    }
    ${paging(pages)}
    <section>
      <h2>${words.othersTitle}</h2>
      ${help(words.othersHelp, words.allHelp)}
      <div class="actions">
        ${form(
          { action: '/account/sessions/others', csrf },
          html`<button class="button">${words.others}</button>`,
        )}
        ${form(
          { action: '/account/sessions/all', csrf },
          html`<button class="button danger">${words.all}</button>`,
        )}
      </div>
    </section>`;
  return accountPage({ ...frame, title: words.title, content }, brand);
}

function row(device: DeviceView, csrf: string): Html {
  const { id, network, provider, signedInAt, isCurrent, apps } = device;
  const name = device.name ?? words.unknown;
  return html`<li>
    <span class="text">
      <span class="title">${name}</span>
      <span class="small"
        >${dated(words.since, signedInAt)}${provider !== undefined && ` ${words.by(provider)}`}</span
      >
      ${network !== undefined && html`<span class="small">${words.network(network)}</span>`}
      ${apps.length > 0 && html`<span class="small">${words.apps(apps.join(', '))}</span>`}
    </span>
    ${
      isCurrent
        ? html`<span class="badge good">${words.current}</span>`
        : form(
            { action: '/account/sessions/end', csrf },
            html`<input type="hidden" name="device" value="${id}" />
              <button class="link" ${attribute('aria-label', words.endNamed(name))}>
                ${words.end}
              </button>`,
            { isInline: true },
          )
    }
  </li>`;
}
