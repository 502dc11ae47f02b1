/**
 * Everything that is derived from the server's secrets: keys, macs and sealed texts. A secret is
 * never used itself: each purpose has a label, and HKDF makes a key of its own for it, so that a
 * mac made for one purpose is worth nothing for another (T58). Several secrets stand beside each
 * other while they are rotated, newest first: the newest makes, all of them check and open.
 */

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Problem } from './errors.ts';

export interface Secrets {
  /** Public name of the newest secret: derived from it, so it stays wherever the secret stands. */
  readonly version: string;
  /** The names of all secrets, newest first. */
  readonly versions: readonly string[];
  /** 32 bytes for one purpose. `undefined`: no secret has this version. Not to be changed. */
  derive(label: string, version?: string): Buffer | undefined;
  /** base64url HMAC-SHA-256 under the newest secret. */
  mac(label: string, data: string): string;
  /** In constant time. A version that is not known is false. */
  verify(label: string, data: string, mac: string, version: string): boolean;
  /** AES-256-GCM: `version.iv.ciphertext`. It opens under the same label and context only. */
  seal(label: string, plaintext: string, context: string): string;
  /** @throws {Problem} `secret_unreadable` (500): altered, moved, or its secret is gone */
  open(label: string, sealed: string, context: string): string;
}

const minimumBytes = 32;
const ivBytes = 12;
const tagBytes = 16;
const versionLength = 6;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
// Labels are words of our code; the bound holds should one ever carry data.
const maximumKeys = 1000;

/** @param secrets newest first, each of at least 32 bytes */
export function createSecrets(secrets: readonly string[]): Secrets {
  const secretOf = new Map<string, string>();
  for (const secret of secrets) {
    if (Buffer.byteLength(secret) < minimumBytes) {
      throw new Problem('secret_too_short', 500, 'A secret must have at least 32 bytes.');
    }
    const name = versionOf(secret);
    if (secretOf.has(name)) {
      throw new Problem('secret_repeated', 500, 'Two of the secrets are the same.');
    }
    secretOf.set(name, secret);
  }
  const version = secretOf.keys().next().value;
  if (version === undefined) {
    throw new Problem('secret_missing', 500, 'There must be at least one secret.');
  }
  return new DerivedSecrets(version, secretOf);
}

class DerivedSecrets implements Secrets {
  readonly version: string;
  readonly versions: readonly string[];
  readonly #secretOf: ReadonlyMap<string, string>;
  readonly #keys = new Map<string, Buffer>();
  readonly #macKeys = new Map<string, KeyObject>();

  constructor(version: string, secretOf: ReadonlyMap<string, string>) {
    this.version = version;
    this.versions = [...secretOf.keys()];
    this.#secretOf = secretOf;
  }

  derive(label: string, version = this.version): Buffer | undefined {
    const name = `${version} ${label}`;
    const known = this.#keys.get(name);
    if (known) return known;
    const secret = this.#secretOf.get(version);
    if (secret === undefined) return undefined;
    const key = expand(secret, `key ${label}`, 32);
    if (this.#keys.size >= maximumKeys) this.#keys.clear();
    this.#keys.set(name, key);
    return key;
  }

  mac(label: string, data: string): string {
    return hmac(this.#macKey(label, this.version) ?? missing(), data);
  }

  verify(label: string, data: string, mac: string, version: string): boolean {
    const key = this.#macKey(label, version);
    if (key === undefined) return false;
    const [expected, shown] = [Buffer.from(hmac(key, data)), Buffer.from(mac)];
    // The length of a mac is no secret.
    return expected.length === shown.length && timingSafeEqual(expected, shown);
  }

  seal(label: string, plaintext: string, context: string): string {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#newest(label), iv, {
      authTagLength: tagBytes,
    });
    cipher.setAAD(Buffer.from(context));
    const body = Buffer.concat([
      cipher.update(plaintext, 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return `${this.version}.${iv.toString('base64url')}.${body.toString('base64url')}`;
  }

  open(label: string, sealed: string, context: string): string {
    const [version, iv, body, ...rest] = sealed.split('.');
    const key = version === undefined ? undefined : this.derive(label, version);
    if (!key || !iv || !body || rest.length > 0) throw unreadable();
    const bytes = bytesOf(body);
    const nonce = bytesOf(iv);
    if (bytes.length < tagBytes || nonce.length !== ivBytes) throw unreadable();
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      const plaintext = decipher.update(bytes.subarray(0, -tagBytes));
      return Buffer.concat([plaintext, decipher.final()]).toString('utf8');
    } catch (error) {
      throw unreadable(error);
    }
  }

  #newest(label: string): Buffer {
    return this.derive(label) ?? missing();
  }

  /** As a key object: Node takes seven times as long to make a mac with a key of bare bytes. */
  #macKey(label: string, version: string): KeyObject | undefined {
    const name = `${version} ${label}`;
    const known = this.#macKeys.get(name);
    if (known) return known;
    const bytes = this.derive(label, version);
    if (bytes === undefined) return undefined;
    const key = createSecretKey(bytes);
    if (this.#macKeys.size >= maximumKeys) this.#macKeys.clear();
    this.#macKeys.set(name, key);
    return key;
  }
}

/** base64url SHA-256: for what is random enough to be stored as a plain hash. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** Compares in constant time. Over digests, so that lengths may differ and are not shown either. */
export function equal(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

/** In its one spelling: the decoder passes over letters that are none, and over bits of the last. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw unreadable();
  return bytes;
}

function hmac(key: KeyObject, data: string): string {
  return createHmac('sha256', key).update(data).digest('base64url');
}

function expand(secret: string, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'tollgate', info, length));
}

function versionOf(secret: string): string {
  const bytes = expand(secret, 'version', versionLength);
  return Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
}

function missing(): never {
  throw unreadable();
}

function unreadable(cause?: unknown): Problem {
  return new Problem('secret_unreadable', 500, 'A stored secret cannot be read.', { cause });
}
