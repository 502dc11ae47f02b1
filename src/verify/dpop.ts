/**
 * A proof that who presents a token has the key that it is bound to (RFC 9449 §4.3, §7). Who steals the
 * token alone has nothing. T30 to T32 are the requirements.
 */

import { base64url, calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import type { JWK, JWTPayload } from 'jose';

/** A proof is made for one request, by a client whose clock may differ. */
export const proofSeconds = 60;
const limitBytes = 8192;

export interface ProofQuestion {
  /** The `DPoP` header, as it came. */
  proof: string | undefined;
  token: string;
  method: string;
  /** Of the request, absolute or from the path on. */
  url: string;
  /** Where clients see this service. What a proxy or a Host header says is not asked. */
  origin: string;
  /** `cnf.jkt` of the token. */
  thumbprint: string;
  /** Milliseconds since the epoch. */
  now: number;
}

/** @returns the proof's own id, to be used once; `undefined` where it proves nothing */
export async function checkProof(question: ProofQuestion): Promise<string | undefined> {
  const { proof, token, method, url, origin, thumbprint, now } = question;
  if (proof === undefined || proof.length > limitBytes) return undefined;
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['ES256', 'RS256'],
      currentDate: new Date(now),
      requiredClaims: ['jti', 'htm', 'htu', 'iat', 'ath'],
    });
    const { jti, iat = NaN, htm, htu, ath } = payload as JWTPayload & Record<string, unknown>;
    const right =
      (await calculateJwkThumbprint(protectedHeader.jwk as JWK)) === thumbprint &&
      htm === method &&
      typeof htu === 'string' &&
      plain(htu, origin) === plain(url, origin, true) &&
      ath === (await sha256(token)) &&
      Math.abs(now / 1000 - iat) <= proofSeconds;
    return right && typeof jti === 'string' && jti !== '' && jti.length <= 255 ? jti : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 9449 §4.3: without query and fragment, normalised as the URL standard has it. */
function plain(url: string, origin: string, ours = false): string {
  const { origin: theirs, pathname } = new URL(url, ours ? origin : undefined);
  return `${ours ? new URL(origin).origin : theirs}${pathname}`;
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return base64url.encode(new Uint8Array(digest));
}
