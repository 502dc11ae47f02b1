/** What is done to one member, each on a page of its own: invite, change the role, remove. */

import type { Right } from '../../src/directory/rights.ts';
import { html, type Html } from '../../src/web/html.ts';
import { dated } from '../dates.ts';
import { help, type Brand } from '../layout.ts';
import { accountPage } from './frame.ts';
import type { FrameView } from './frame.ts';
import { membersTexts as words } from './members_texts.ts';
import { choices, field, form } from './parts.ts';

const listed = new Intl.ListFormat('en');

interface Shared extends FrameView {
  account: NonNullable<FrameView['account']>;
  csrf: string;
  back: string;
}

export interface RoleView {
  id: string;
  name: string;
  may: readonly Right[];
}

export interface InviteView extends Shared {
  email?: string | undefined;
  roles: readonly RoleView[];
  role?: string | undefined;
}

export function invitePage(view: InviteView, brand: Brand): Html {
  const { inviting } = words;
  const { csrf, account, problems, email } = view;
  const content = form(
    { action: '/account/members/invite', csrf, account: account.id },
    html`${field({
      name: 'email',
      type: 'email',
      label: inviting.email,
      help: inviting.emailHelp,
      value: email,
      problem: problems?.get('email'),
      maxlength: 254,
    })}
    ${choices({
      name: 'role',
      label: inviting.role,
      value: view.role,
      problem: problems?.get('role'),
      options: view.roles.map(roleOption),
    })}
    ${buttons(html`<button class="button primary">${inviting.send}</button>`, view.back)}`,
  );
  return accountPage({ ...view, title: inviting.title, content }, brand);
}

export interface LinkView extends Shared {
  link: string;
  role: string;
  endsAt: number;
  /** To whom an e-mail should go, but there is no mail server. */
  email?: string | undefined;
}

export function linkPage(view: LinkView, brand: Brand): Html {
  const { link: text } = words;
  const { email, role, link, endsAt } = view;
  const content = html`${help(email === undefined ? text.sentence(role) : text.unsent(email))}
    <p class="after"><code>${link}</code></p>
    <p class="small after">${dated(text.ends, endsAt)} ${text.advice}</p>
    <div class="stack actions">
      <a class="button primary" href="${view.back}">${text.back}</a>
    </div>`;
  return accountPage({ ...view, title: text.title, content }, brand);
}

export interface ChangeRoleView extends Shared {
  user: string;
  name: string;
  roles: readonly RoleView[];
  role?: string | undefined;
  /** They have all of these, by name. */
  several?: readonly string[] | undefined;
  stepsDown: boolean;
}

export function changeRolePage(view: ChangeRoleView, brand: Brand): Html {
  const { changing } = words;
  const { csrf, account, problems, several } = view;
  const content = html`${help(
    view.stepsDown ? changing.stepDown : undefined,
    several === undefined ? undefined : changing.several(listed.format(several)),
  )}
  ${form(
    { action: '/account/members/role', csrf, account: account.id },
    html`<input type="hidden" name="user" value="${view.user}" /> ${choices({
        name: 'role',
        label: changing.role,
        value: view.role,
        problem: problems?.get('role'),
        options: view.roles.map(roleOption),
      })}
      ${buttons(html`<button class="button primary">${changing.save}</button>`, view.back)}`,
  )}`;
  return accountPage({ ...view, title: changing.title(view.name), content }, brand);
}

export interface RemoveView extends Shared {
  user: string;
  name: string;
}

export function removePage(view: RemoveView, brand: Brand): Html {
  const { removing } = words;
  const { csrf, account, name } = view;
  const content = html`${help(removing.sentence(name, account.name))}
  ${form(
    { action: '/account/members/remove', csrf, account: account.id },
    html`<input type="hidden" name="user" value="${view.user}" /> ${buttons(
        html`<button class="button danger primary">${removing.button(name)}</button>`,
        view.back,
        removing.back,
      )}`,
  )}`;
  return accountPage({ ...view, title: removing.title(name), content }, brand);
}

/** The one thing to do, and the way back. */
export function buttons(button: Html, back: string, text = 'Back'): Html {
  return html`<div class="actions">${button} <a class="link" href="${back}">${text}</a></div>`;
}

function roleOption({ id, name, may }: RoleView): {
  value: string;
  label: string;
  help: string;
} {
  const { changing, rights } = words;
  const said =
    may.length === 0
      ? changing.mayNothing
      : changing.may(listed.format(may.map((right) => rights[right])));
  return { value: id, label: name, help: said };
}
