/** What a page of `/account` is made of. `routes.ts` does what all of them share, so that none can forget it. */

import type { Readable } from 'node:stream';
import type { ParameterizedContext } from 'koa';
import type { Account } from '../directory/accounts.ts';
import type { Right } from '../directory/rights.ts';
import type { StoredUser } from '../directory/users.ts';
import type { Form } from '../web/form.ts';
import type { Html } from '../web/html.ts';

/** A request by somebody who is signed in. */
export interface PersonVisit {
  ctx: ParameterizedContext;
  query: Form;
  /** Empty for GET. Of a POST its `csrf` was checked. */
  form: Form;
  user: string;
  person: StoredUser['document'];
  /** The uid of the session at this browser. */
  session: string;
  /** For the hidden field of forms. */
  csrf: string;
}

/** By somebody who belongs to the account that the page is about, and has the right that the route asks for. */
export interface MemberVisit extends PersonVisit {
  /** Active. Re-read it where a decision rests on it. */
  account: Account;
  roles: readonly string[];
  rights: ReadonlySet<Right>;
  isOwner: boolean;
}

export type Answer =
  | { page: Html; status?: number }
  /**
   * Somewhere else: a path of ours, or an address that was checked. `done`: what the page there says of it, a code of
   * `texts.account.done`.
   */
  | { to: string; done?: string }
  /** Something to keep; a long one comes in pieces. */
  | { file: { name: string; type: string; body: string | Readable } };

interface Common {
  method: 'GET' | 'POST';
  /** Under `/account` (the list of apps: `/apps`); `:name` is in `ctx.params`. */
  path: string;
  /** Only for who signed in within the last minutes: others do so again first. */
  fresh?: true;
  /** Where a POST that came too late leads back to, to be sent again: the page with its form. */
  from?: string;
}

export interface PersonRoute extends Common {
  needs: 'person';
  handle(visit: PersonVisit): Promise<Answer>;
}

/**
 * About one account: the one that the parameter `account` names, in the address or the form, otherwise the one that
 * they act for. It is always one that they belong to.
 */
export interface MemberRoute extends Common {
  /** `member`: whoever belongs to it; a right of the configuration; `owner`. */
  needs: 'member' | 'owner' | Right;
  handle(visit: MemberVisit): Promise<Answer>;
}

export type AccountRoute = PersonRoute | MemberRoute;
