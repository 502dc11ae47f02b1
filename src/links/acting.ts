/**
 * For whom a link about an account works: who is signed in at this browser, and for which of their accounts. By the
 * cookie of the links, otherwise by the session; membership is looked at afresh.
 */

import type { ParameterizedContext } from 'koa';
import type { UsableAccount } from '../directory/access.ts';
import type { Account } from '../directory/accounts.ts';
import type { Directory } from '../directory/directory.ts';
import type { LinkOidc } from '../oidc/links.ts';
import { linkCookie } from '../web/cookies.ts';
import type { Cookies } from '../web/cookies.ts';
import { linkProblem } from './errors.ts';

export type ActingDirectory = Pick<Directory, 'user' | 'account' | 'membership' | 'usableAccounts'>;

export type Found =
  | { is: 'nobody' }
  /** Somebody who belongs to no account, and the link names none. */
  | { is: 'without'; user: string }
  | { is: 'acting'; user: string; account: Account; roles: readonly string[] }
  /** The account was closed; they belonged to it. */
  | { is: 'closed'; account: Account }
  /** Nothing says which of these. */
  | { is: 'several'; accounts: readonly UsableAccount[] };

export interface ActingDependencies {
  oidc: Pick<LinkOidc, 'subject'>;
  cookies: Cookies;
  directory: ActingDirectory;
}

/**
 * @param wanted the account that the link names
 * @throws {Problem} `account_foreign` (403): it is not one of theirs
 */
export async function findActing(
  ctx: ParameterizedContext,
  { oidc, cookies, directory }: ActingDependencies,
  wanted: string | undefined,
): Promise<Found> {
  const found = await oidc.subject(ctx, cookies.read(ctx, linkCookie));
  if (found === undefined || found.over) return { is: 'nobody' };
  const { user } = found.subject;
  // An account that is named is that one, or none.
  if (wanted !== undefined) return actFor(directory, user, wanted);
  if (found.account !== undefined) return actFor(directory, user, found.account);
  const accounts = await directory.usableAccounts(user);
  const [only] = accounts;
  if (only === undefined) return { is: 'without', user };
  return accounts.length === 1 ? actFor(directory, user, only.id) : { is: 'several', accounts };
}

async function actFor(directory: ActingDirectory, user: string, id: string): Promise<Found> {
  const membership = await directory.membership(user, id);
  if (membership !== undefined) {
    return { is: 'acting', user, account: membership.account, roles: membership.roles };
  }
  const account = await directory.account(id);
  const belonged = (await directory.user(user))?.document.memberships ?? [];
  if (account?.status === 'closed' && belonged.some((one) => one.account === id)) {
    return { is: 'closed', account };
  }
  // The same answer for an account that there is not.
  throw linkProblem('account_foreign');
}
