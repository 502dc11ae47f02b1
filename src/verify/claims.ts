/**
 * What an access token of Tollgate says (RFC 9068). A claim that does not apply is absent, never null;
 * times are seconds since the epoch. `docs/claims.md` has the same as a table.
 */

export interface AccessClaims {
  /** The issuer, exactly as it was given to `verifier`. */
  iss: string;
  aud: string | string[];
  /** The user; for a client on its own behalf, the client's id. */
  sub: string;
  /** The app that the token was issued to. */
  client_id: string;
  iat: number;
  exp: number;
  jti: string;
  /** Separated by spaces. */
  scope?: string;
  /** The session at this app, as in its ID token. */
  sid?: string;
  /** The key that the token is bound to (RFC 9449 §6). */
  cnf?: { jkt?: string };
  /** The account that the user acts for. */
  account?: string;
  /** In that account (RFC 9068 §2.2.3.1). */
  roles?: string[];
  /** What Tollgate's configuration makes of the subscription: whether there is access. See `allows`. */
  access?: 'full' | 'none';
  /** When `full` ends, should nothing new come. */
  access_until?: number;
  /** What the account's subscription entitles it to; nothing without access. See `may`. */
  entitlements?: string[];
  /** Stripe's id of the account, for metered usage. */
  customer?: string;
  /** Stripe's id of the subscription, for metered usage. */
  subscription?: string;
  /** Stripe's word: `trialing`, `active`, `past_due`, `unpaid`, `canceled`, `paused`, … See `allows`. */
  subscription_status?: string;
  plan?: string;
  /** `month`, `year`, `week` or `day`. */
  period?: string;
  /** Seats, or whatever the plan counts. */
  quantity?: number;
  trial_end?: number;
  period_end?: number;
  /** While `past_due`: since when. */
  past_due_since?: number;
  cancel_at?: number;
  /** Where Tollgate is configured to say it. */
  name?: string;
  /** Where Tollgate is configured to say it. It identifies nobody: use `sub`. */
  email?: string;
}

const text = (value: unknown) => typeof value === 'string' && value !== '';
const number = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
const texts = (value: unknown) =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
const object = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 9068 §2.2. */
const required: Partial<Record<keyof AccessClaims, (value: unknown) => boolean>> = {
  iss: text,
  sub: text,
  client_id: text,
  jti: text,
  iat: number,
  exp: number,
  aud: (value) => text(value) || texts(value),
};

const optional: Partial<Record<keyof AccessClaims, (value: unknown) => boolean>> = {
  scope: (value) => typeof value === 'string',
  sid: text,
  cnf: object,
  account: text,
  roles: texts,
  access: text,
  access_until: number,
  entitlements: texts,
  customer: text,
  subscription: text,
  subscription_status: text,
  plan: text,
  period: text,
  quantity: number,
  trial_end: number,
  period_end: number,
  past_due_since: number,
  cancel_at: number,
  name: (value) => typeof value === 'string',
  email: (value) => typeof value === 'string',
};

/** Whether they are what the type says. Claims that it does not name may be anything. */
export function areAccessClaims(payload: object): payload is AccessClaims {
  const claims = payload as Record<string, unknown>;
  return (
    Object.entries(required).every(([name, is]) => is(claims[name])) &&
    Object.entries(optional).every(([name, is]) => claims[name] === undefined || is(claims[name]))
  );
}
