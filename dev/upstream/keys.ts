/** The signing keys of the development OpenID Connect upstream, and ID tokens wrong in every way. */

import { createHash, createHmac, randomBytes } from 'node:crypto';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import type { JWK, JWTPayload } from 'jose';

export interface SigningKey {
  kid: string;
  privateKey: CryptoKey;
  publicJwk: JWK;
  publicPem: string;
}

export async function newSigningKey(): Promise<SigningKey> {
  const kid = randomBytes(6).toString('hex');
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  return { kid, privateKey, publicJwk, publicPem: await exportSPKI(publicKey) };
}

/** Left half of the hash of an access token (OpenID Connect Core 3.1.3.6), for RS256. */
export function tokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}

export async function signIdToken(
  claims: JWTPayload,
  key: SigningKey,
  clientSecret: string,
  fault: string | undefined,
): Promise<string> {
  switch (fault) {
    case 'alg_none':
      return `${encode({ alg: 'none' })}.${encode(claims)}.`;
    case 'alg_hs256':
      return signHs256(claims, clientSecret);
    case 'alg_confused':
      return signHs256(claims, key.publicPem);
    case 'wrong_signature':
      return signRs256(claims, (await newSigningKey()).privateKey, key.kid);
    case 'wrong_key_id':
      return signRs256(claims, key.privateKey, 'nobody-knows-this-key');
    case 'no_key_id':
      return signRs256(claims, key.privateKey, undefined);
    default:
      return signRs256(claims, key.privateKey, key.kid);
  }
}

function signRs256(claims: JWTPayload, key: CryptoKey, kid: string | undefined): Promise<string> {
  const header = kid === undefined ? { alg: 'RS256' } : { alg: 'RS256', kid };
  return new SignJWT(claims).setProtectedHeader(header).sign(key);
}

function signHs256(claims: JWTPayload, secret: string): string {
  const input = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
