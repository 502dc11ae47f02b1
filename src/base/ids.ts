import { randomBytes } from 'node:crypto';

/** 128 random bits, base64url: not to be guessed, fit for ids, states, nonces and salts. */
export function randomToken(bytes = 16): string {
  return randomBytes(bytes).toString('base64url');
}

export type IdPrefix = 'usr' | 'acc' | 'evt' | 'aud' | 'str' | 'inv' | 'gone';

/** `usr_…`: a random id. Nothing may read meaning into it; ids that people moved in with look otherwise. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomToken()}`;
}

/**
 * An id that sorts by time: 48 bits of milliseconds in hex, then random. For lists that are read
 * in the order of making (events, audit records).
 */
export function timeOrderedId(prefix: IdPrefix, now: number): string {
  return `${prefix}_${now.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`;
}
