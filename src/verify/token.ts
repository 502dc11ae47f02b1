/**
 * Checks an access token (RFC 9068 §4, RFC 8725): T17 to T19, and DPoP (RFC 9449 §7). Nobody is asked
 * but the denylist; the keys are here already.
 */

import type { AccessClaims } from './claims.ts';
import { areAccessClaims } from './claims.ts';
import { lifetimeSeconds } from './denylist.ts';
import type { Denylist } from './denylist.ts';
import { checkProof, proofSeconds } from './dpop.ts';
import { VerifyError } from './errors.ts';
import { checkSigned } from './jwt.ts';
import { allows, may } from './plan.ts';
import type { PlanPolicy } from './plan.ts';
import { presented } from './presented.ts';
import type { Presentation, Presented } from './presented.ts';
import type { Seen } from './seen.ts';
import type { Settings } from './settings.ts';

/** What a route wants beside a good token. */
export interface Demands {
  /** All of these scopes (403 `insufficient_scope`). */
  scope?: string | readonly string[];
  /** This feature (403 `insufficient_plan`). See `may`. */
  feature?: string;
  /** A subscription that gives access (403 `insufficient_plan`). See `allows`. */
  subscription?: true | PlanPolicy;
}

export interface TokenParts {
  settings: Settings;
  denylist: Denylist;
  seen: Seen;
}

const limitBytes = 16_384;
/** RFC 9068 §2.1: an ID token is another type, and so never an access token (T18). */
const types = ['at+jwt'];

/** @throws {VerifyError} each code with 401, 403 or 503 */
export async function checkToken(
  { settings, denylist, seen }: TokenParts,
  input: Presentation,
  demands: Demands,
): Promise<AccessClaims> {
  let scheme: Presented['scheme'] | undefined;
  try {
    const shown = presented(input);
    ({ scheme } = shown);
    const claims = await readClaims(settings, shown.token);
    await checkBinding(settings, seen, shown, claims);
    const ended = await denied(settings, denylist, claims);
    if (ended !== undefined) throw new VerifyError(`token_${ended}`);
    checkDemands(claims, demands, settings.now());
    return claims;
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw error.at({ ...settings.challenge, ...(scheme === undefined ? {} : { scheme }) });
  }
}

async function readClaims(settings: Settings, token: string): Promise<AccessClaims> {
  const { issuers, audiences, now, toleranceSeconds } = settings;
  const checked = await checkSigned(token, {
    issuers,
    types,
    audiences,
    now: now(),
    toleranceSeconds,
    limitBytes,
  });
  if (checked.refused !== undefined) {
    throw new VerifyError(checked.refused === 'expired' ? 'token_expired' : 'token_invalid');
  }
  const { claims } = checked;
  if (!areAccessClaims(claims)) throw new VerifyError('token_invalid');
  // T17: the denylist is kept for as long as a token lives, so none may live longer.
  if (claims.exp - claims.iat > lifetimeSeconds) throw new VerifyError('token_invalid');
  return claims;
}

/** T32: a bound token without its proof is a stolen one. */
async function checkBinding(
  settings: Settings,
  seen: Seen,
  { scheme, token, request }: Presented,
  { cnf, iss }: AccessClaims,
): Promise<void> {
  if (cnf === undefined) {
    // RFC 9449 §7.1: the scheme is for bound tokens only.
    if (scheme === 'DPoP') throw new VerifyError('token_invalid');
    return;
  }
  const { jkt: thumbprint } = cnf;
  const { dpopOrigin: origin } = settings;
  if (scheme === 'Bearer' || origin === undefined || typeof thumbprint !== 'string') {
    throw new VerifyError('token_bound');
  }
  if (request === undefined) throw new VerifyError('proof_invalid');
  const now = settings.now();
  const jti = await checkProof({ ...request, token, origin, thumbprint, now });
  if (jti === undefined) throw new VerifyError('proof_invalid');
  const fresh = await seen.first(['proof', iss, thumbprint, jti], 2 * proofSeconds);
  if (!fresh) throw new VerifyError('proof_invalid');
}

async function denied(settings: Settings, denylist: Denylist, claims: AccessClaims) {
  try {
    return await denylist.find(claims);
  } catch (error) {
    if (settings.acceptWhenUnavailable) return undefined;
    throw error;
  }
}

function checkDemands(claims: AccessClaims, demands: Demands, now: number): void {
  const { scope = [], feature, subscription } = demands;
  const wanted = typeof scope === 'string' ? scope.split(' ') : scope;
  const granted = new Set(claims.scope?.split(' '));
  if (!wanted.every((one) => granted.has(one))) {
    throw new VerifyError('insufficient_scope', { scope: wanted.join(' ') });
  }
  const policy = subscription === true ? {} : subscription;
  const paid = policy === undefined || allows(claims, policy, now / 1000);
  if (!paid || (feature !== undefined && !may(claims, feature))) {
    throw new VerifyError('insufficient_plan');
  }
}
