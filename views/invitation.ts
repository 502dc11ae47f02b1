/** An invitation, in all that can become of it. */

import { html, type Html } from '../src/web/html.ts';
import { invitationTexts as words } from './invitation_texts.ts';
import { help, layout, type Brand } from './layout.ts';
import { texts } from './texts.ts';

export interface InvitationView {
  form: { action: string; csrf: string; invitation: string };
  account: string;
  /** Who invites. */
  by?: string | undefined;
  roles: string;
  /** The address that it was sent to, where it is not known to be that of who is signed in. */
  sentTo?: string | undefined;
  who?: string | undefined;
  signedIn: boolean;
  /** It is for who is signed in, or for whoever has it. */
  isTheirs: boolean;
}

export function invitationPage(view: InvitationView, brand: Brand): Html {
  const { open, other } = words;
  const { account, by, roles, who, signedIn, isTheirs } = view;
  const invited = by === undefined ? open.byNobody(account) : open.by(by, account);
  const asks = signedIn && !isTheirs;
  const content = html`${help(invited, open.role(roles))}
    ${asks ? foreign(view) : html`<p class="help">${signedIn ? who && other.signedIn(who) : open.newHere}</p>`}
    <form method="post" action="${view.form.action}" class="stack">
      <input type="hidden" name="csrf" value="${view.form.csrf}" />
      <input type="hidden" name="invitation" value="${view.form.invitation}" />
      ${signedIn ? answers(view) : button('accept', open.signIn, true)}
    </form>`;
  return layout({ title: open.title(account), content }, brand);
}

function foreign({ who, sentTo }: InvitationView): Html {
  const { other } = words;
  return html`${help(who && other.signedIn(who), sentTo && other.sentTo(sentTo))}
  ${help(other.advice)}`;
}

function answers({ account, isTheirs }: InvitationView): Html {
  if (isTheirs) {
    return html`${button('accept', words.open.accept(account), true)}
    ${button('decline', words.open.decline)} ${button('other', texts.useAnother)}`;
  }
  return html`${button('other', texts.useAnother, true)} ${button('accept', words.other.ask)}
  ${button('decline', words.open.decline)}`;
}

function button(value: string, label: string, isFirst = false): Html {
  return html`<button class="${isFirst ? 'button primary' : 'button'}" name="do" value="${value}">
    ${label}
  </button>`;
}

function way(href: string, label: string): Html {
  return html`<div class="stack"><a class="button primary" href="${href}">${label}</a></div>`;
}

/** The browser holds none, or the link is not whole. */
export function lostInvitationPage(brand: Brand): Html {
  const { title, sentence, advice } = words.lost;
  return layout({ title, content: help(sentence, advice) }, brand);
}

interface Ended {
  account: string;
  goOn: string;
}

export function overPage(view: Ended & { standing: string }, brand: Brand): Html {
  const { over } = words;
  const { standing } = view;
  const said = standing === 'expired' || standing === 'accepted' ? over[standing] : over.other;
  const content = html`${help(said.sentence(view.account), over.advice)}
  ${way(view.goOn, texts.backTo(brand.name))}`;
  return layout({ title: said.title, content }, brand);
}

export function closedInvitationPage({ account, goOn }: Ended, brand: Brand): Html {
  const { title, sentence, named } = words.closed;
  const content = html`${help(account === '' ? sentence : named(account))}
  ${way(goOn, texts.backTo(brand.name))}`;
  return layout({ title, content }, brand);
}

/** They wait to be confirmed. */
export function askedPage({ account, goOn }: Ended, brand: Brand): Html {
  const { title, sentence, advice } = words.asked;
  const content = html`${help(sentence(account), advice)} ${way(goOn, texts.backTo(brand.name))}`;
  return layout({ title, content }, brand);
}

export function memberPage({ account, goOn }: Ended, brand: Brand): Html {
  const { title, sentence } = words.member;
  const content = html`${help(sentence)} ${way(goOn, texts.backTo(brand.name))}`;
  return layout({ title: title(account), content }, brand);
}

export function fullPage(view: { account: string; again: string }, brand: Brand): Html {
  const { title, sentence, advice, again } = words.full;
  const content = html`${help(sentence(view.account), advice)} ${way(view.again, again)}`;
  return layout({ title, content }, brand);
}

export function declinedPage(view: Ended & { wasTheirs: boolean }, brand: Brand): Html {
  const { title, sentence, theirs } = words.declined;
  const said = view.wasTheirs ? theirs : sentence;
  const content = html`${help(said(view.account))} ${way(view.goOn, texts.backTo(brand.name))}`;
  return layout({ title, content }, brand);
}
