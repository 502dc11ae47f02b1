/** `POST /domain`: into the account of one's e-mail domain, or the wish to be let in. */

import type { ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import type { Config } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import type { LinkOidc } from '../oidc/links.ts';
import type { Csrf } from '../web/csrf.ts';
import { readForm } from '../web/form.ts';
import { continueTo, sendPage } from '../web/page.ts';
import { askedPage, fullPage } from '../../views/invitation.ts';
import { textOf } from './link_query.ts';
import { activeUser } from './signup.ts';

interface Deps {
  config: Config;
  oidc: LinkOidc;
  csrf: Csrf;
  directory: Directory;
}

const formLimitBytes = 8 * 1024;

/** There is no seat, and none can be had now. */
export const noRoom: ReadonlySet<string> = new Set(['seats_full', 'card_declined']);
/** Single sign-on: they are signed in, so this asks nothing. */
export function intoApp(account: string): string {
  return `/signin?${new URLSearchParams({ account })}`;
}

export async function joinByDomain(ctx: ParameterizedContext, deps: Deps): Promise<void> {
  const { csrf, config, directory } = deps;
  const { brand } = config;
  const form = await readForm(ctx, formLimitBytes);
  csrf.requireOwnOrigin(ctx);
  const user = await activeUser(ctx, deps);
  if (user === undefined) return continueTo(ctx, '/signin');
  // Of a page that was made for who is there.
  csrf.require(ctx, form, user);
  const account = textOf(form, 'account') ?? '';
  const name = async () => (await directory.account(account))?.name ?? '';
  try {
    const joined = await directory.domains.join(account, user);
    if (joined !== 'waiting') return continueTo(ctx, intoApp(account));
    sendPage(ctx, askedPage({ account: await name(), goOn: config.signin.success }, brand));
  } catch (error) {
    if (!(error instanceof Problem) || !noRoom.has(error.code)) throw error;
    sendPage(ctx, fullPage({ account: await name(), again: config.signin.success }, brand), 402);
  }
}
