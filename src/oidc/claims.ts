/**
 * What an access token says beside the registered claims (RFC 9068): for which account the user acts, and
 * what that account's subscription to the product allows. From our own rows, never from Stripe, and
 * never by throwing: an error here would come after a refresh token was rotated.
 * `docs/claims.md` has the table.
 */

import { subscriptionClaims } from '../billing/claims.ts';
import type { SubscriptionClaims } from '../billing/claims.ts';
import type { Terms } from '../billing/policy.ts';
import type { Config } from '../config.ts';
import type { AccountDocument, UserDocument } from '../storage/documents.ts';

export interface AccountClaims extends SubscriptionClaims {
  /** Id of the account that the user acts for. */
  account: string;
  /** Roles in that account (RFC 9068 §2.2.3.1). */
  roles: string[];
  name?: string;
  email?: string;
}

/** Who the user is for an account: what `findAccount` found for a token. */
export interface Acting {
  user: UserDocument;
  account: AccountDocument & { id: string };
  roles: readonly string[];
}

/** @param product the product whose audience the token has */
export function accountClaims(
  { user, account, roles }: Acting,
  product: string | undefined,
  { config, now }: { config: Pick<Config, 'claims'> & Terms['config']; now: number },
): AccountClaims {
  const include = config.claims;
  return {
    account: account.id,
    roles: [...roles],
    ...subscriptionClaims(account, product, { config, now }),
    // Absent rather than null.
    ...(include.name && user.name !== undefined ? { name: user.name } : {}),
    ...(include.email && user.email !== undefined ? { email: user.email } : {}),
  };
}

/** What ID tokens and userinfo may say of a user; the library leaves out what was not asked for. */
export function userClaims(
  sub: string,
  user: UserDocument,
  acting: Acting | undefined,
): { sub: string } & Record<string, unknown> {
  return {
    sub,
    name: user.name,
    picture: user.picture,
    locale: user.locale,
    email: user.email,
    email_verified: user.email === undefined ? undefined : user.emailVerified === true,
    account: acting?.account.id,
    roles: acting === undefined ? undefined : [...acting.roles],
  };
}

/** Which claims each scope releases, as the library's configuration wants it. */
export const claimsByScope = {
  acr: null,
  amr: null,
  auth_time: null,
  iss: null,
  sid: null,
  openid: ['sub', 'account', 'roles'],
  profile: ['name', 'picture', 'locale'],
  email: ['email', 'email_verified'],
} satisfies Record<string, null | string[]>;

/** The claims that these scopes release. */
export function claimsOfScopes(scopes: ReadonlySet<string>): string[] {
  const released: Readonly<Record<string, string[] | null>> = claimsByScope;
  return [...scopes].flatMap((scope) => released[scope] ?? []);
}
