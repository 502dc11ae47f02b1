/** Accounts that somebody can be in: what they are invited to, wait for, or may join because of their address. */

import { html, type Html } from '../src/web/html.ts';
import { invitationTexts } from './invitation_texts.ts';

export interface AccountOffers {
  /** For the forms: of use to nobody but who they are offered to. */
  csrf: string;
  invited: readonly { account: string; href: string }[];
  /** Names of the accounts that have to say yes. */
  waiting: readonly string[];
  domains: readonly { id: string; name: string; mode: 'ask' | 'join' | 'waiting' }[];
}

export function hasOffers({ invited, waiting, domains }: AccountOffers): boolean {
  return invited.length + waiting.length + domains.length > 0;
}

export function accountOffers(offers: AccountOffers): Html | undefined {
  const { offers: words } = invitationTexts;
  if (!hasOffers(offers)) return undefined;
  const asked = [
    ...offers.waiting,
    ...offers.domains.flatMap(({ name, mode }) => (mode === 'waiting' ? [name] : [])),
  ];
  return html`${asked.map((account) => html`<p class="help">${words.waiting(account)}</p>`)}
    <div class="stack">
      ${offers.invited.map(
        ({ account, href }) =>
          html`<a class="button primary" href="${href}">${words.look(account)}</a>`,
      )}
    </div>
    ${offers.domains.map(({ id, name, mode }) => mode !== 'waiting' && domainForm({ id, name, mode }, offers.csrf))}`;
}

function domainForm(
  { id, name, mode }: { id: string; name: string; mode: 'ask' | 'join' },
  csrf: string,
): Html {
  const { offers: words } = invitationTexts;
  return html`<form method="post" action="/domain" class="stack">
    <input type="hidden" name="csrf" value="${csrf}" />
    <input type="hidden" name="account" value="${id}" />
    <button class="button primary">${words[mode](name)}</button>
  </form>`;
}
