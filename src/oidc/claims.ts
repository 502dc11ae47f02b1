/**
 * What an access token says beside the registered claims (RFC 9068): for which account the user acts, and
 * what that account's subscription to the product allows. From our own rows, never from Stripe, and
 * never by throwing: an error here would come after a refresh token was rotated.
 * `docs/claims.md` has the table.
 */

import type { AccountDocument, UserDocument } from '../storage/documents.ts';

export interface AccountClaims {
  /** Id of the account that the user acts for. */
  account: string;
  /** Roles in that account (RFC 9068 §2.2.3.1). */
  roles: string[];
  /** Features by Stripe Entitlements (RFC 9068 §2.2.3.1). */
  entitlements?: string[];
  /** Stripe customer id, for metered usage. */
  customer?: string;
  /** Stripe subscription id of the token's product, for metered usage. */
  subscription?: string;
  /** Stripe's word: `trialing`, `active`, `past_due`, `unpaid`, `canceled`, `paused`, … */
  subscription_status?: string;
  plan?: string;
  period?: string;
  quantity?: number;
  /** Seconds since the epoch, like all times in a JWT. */
  trial_end?: number;
  period_end?: number;
  cancel_at?: number;
  name?: string;
  email?: string;
}

/** Who the user is for an account: what `findAccount` found for a token. */
export interface Acting {
  user: UserDocument;
  account: AccountDocument & { id: string };
  roles: readonly string[];
}

const seconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : Math.floor(milliseconds / 1000);

/** @param product the product whose audience the token has */
export function accountClaims(
  { user, account, roles }: Acting,
  product: string | undefined,
  include: { name: boolean; email: boolean },
): AccountClaims {
  const subscription = product === undefined ? undefined : account.subscriptions?.[product];
  const claims: Record<keyof AccountClaims, unknown> = {
    account: account.id,
    roles: [...roles],
    entitlements: account.entitlements,
    customer: account.customer,
    subscription: subscription?.subscription,
    subscription_status: subscription?.status,
    plan: subscription?.plan,
    period: subscription?.period,
    quantity: subscription?.quantity,
    trial_end: seconds(subscription?.trialEnd),
    period_end: seconds(subscription?.periodEnd),
    cancel_at: seconds(subscription?.cancelAt),
    name: include.name ? user.name : undefined,
    email: include.email ? user.email : undefined,
  };
  // Absent rather than null.
  return Object.fromEntries(
    Object.entries(claims).filter(([, value]) => value !== undefined),
  ) as unknown as AccountClaims;
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
