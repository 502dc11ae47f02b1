/** Signs what is no token of the library's (logout tokens, security events) with the keys that it signs with. */

import { importJWK, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import type { Sign } from '../events/receivers.ts';

/** @param keyring of each algorithm, the key that signs comes first */
export function createSign(keyring: { readonly keys: readonly JWK[] }): Sign {
  /** By the key's own object, which the keyring keeps for as long as it has the key. */
  const imported = new WeakMap<JWK, Promise<CryptoKey | Uint8Array>>();
  const keyOf = (jwk: JWK) => {
    const known = imported.get(jwk) ?? importJWK(jwk, jwk.alg);
    imported.set(jwk, known);
    return known;
  };
  return async (alg, header, claims) => {
    const jwk = keyring.keys.find((key) => key.alg === alg);
    if (jwk?.kid === undefined) throw new Error(`there is no key for ${alg}`);
    return new SignJWT(claims)
      .setProtectedHeader({ alg, kid: jwk.kid, ...header })
      .sign(await keyOf(jwk));
  };
}
