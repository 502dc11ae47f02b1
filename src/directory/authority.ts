/**
 * What somebody may do to an account and to who belongs to it, judged by what is written now and not by what a page was
 * made from: who was removed meanwhile can do nothing any more. The one check of pages and of commands; an operator,
 * who is nobody's member, may do everything.
 */

import { Problem } from '../base/errors.ts';
import type { Store } from '../storage/store.ts';
import { rolesNow } from './access.ts';
import { mayGive, rightsOf } from './rights.ts';
import type { Right, RoleTable } from './rights.ts';

/** The user who does something; absent: an operator. */
export type By = string | undefined;

export interface AuthorityDeps {
  store: Store;
  /** The roles of the configuration of now. */
  roles: () => RoleTable;
}

export interface Authority {
  /** @throws {Problem} `not_allowed` (403) */
  requireRight(right: Right): void;
  /** To let somebody with these roles in, to give them, to take them away. @throws {Problem} `not_allowed` (403) */
  requireGive(theirs: readonly string[]): void;
}

const everything: Authority = { requireRight: () => undefined, requireGive: () => undefined };

/** @throws {Problem} `not_allowed` (403): they do not belong to the account, or it is closed */
export async function authorityOf(
  { store, roles }: AuthorityDeps,
  account: string,
  by: By,
): Promise<Authority> {
  if (by === undefined) return everything;
  const [user, present] = await Promise.all([store.get('user', by), store.get('account', account)]);
  const mine = rolesNow(by, user?.document, account, present?.document);
  if (mine === undefined) throw notAllowed();
  const table = roles();
  return {
    requireRight(right) {
      if (!rightsOf(mine, table).has(right)) throw notAllowed();
    },
    requireGive(theirs) {
      if (!mayGive(mine, theirs, table)) throw notAllowed();
    },
  };
}

export function notAllowed(): Problem {
  return new Problem('not_allowed', 403, 'You may not do this in this account.');
}

/** Of an event: who did it. */
export function actorOf(by: By): { actor?: string } {
  return by === undefined ? {} : { actor: by };
}
