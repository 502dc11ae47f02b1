/**
 * The keys of one issuer, from the JWKS that its discovery names (OpenID Connect Discovery 1.0 §4).
 * Tollgate publishes a key six minutes before it signs with it, and these are fetched every five, so a
 * rotation is never noticed. A `kid` that is not known is asked for, at most every 30 seconds, so
 * that invented ones cost the issuer nothing.
 *
 * While the issuer cannot be reached, keys of the last hour are used on: its outage is not its
 * services' outage. Without any, nothing is known of a token: `keys_unavailable` (503), never invalid.
 */

import { createLocalJWKSet, errors } from 'jose';
import type { JSONWebKeySet, JWSHeaderParameters, LocalJWKSet } from 'jose';
import { VerifyError } from './errors.ts';
import { fetchJson, isObject } from './http.ts';
import type { Fetch } from './http.ts';
import { requestsAreApart } from './runtime.ts';
import type { Warn } from './warnings.ts';

const freshMs = 300_000;
const keptMs = 3_600_000;
const cooldownMs = 30_000;
const retryMs = 5000;
const maximumKeys = 100;

export interface KeysOptions {
  issuer: string;
  fetch: Fetch;
  /** Milliseconds since the epoch. */
  now: () => number;
  warn: Warn;
}

interface Endpoints {
  jwks: string;
  token: string;
}

export class IssuerKeys {
  readonly issuer: string;
  readonly #options: KeysOptions;
  #endpoints: Endpoints | undefined;
  #keys: LocalJWKSet | undefined;
  #fetchedAt = -Infinity;
  #failedAt = -Infinity;
  #pending: Promise<void> | undefined;

  constructor(options: KeysOptions) {
    this.issuer = options.issuer;
    this.#options = options;
  }

  /**
   * @returns `undefined` where the issuer has no such key
   * @throws {VerifyError} `keys_unavailable`
   */
  async find(header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
    await this.#prepare();
    const found = await this.#select(header);
    if (found !== undefined || this.#age() < cooldownMs) return found;
    await this.#refresh();
    return this.#select(header);
  }

  /** Fetches them now. @throws {VerifyError} `keys_unavailable` */
  async load(): Promise<void> {
    await this.#refresh();
  }

  /** Where the issuer issues tokens to this service itself. @throws {VerifyError} `keys_unavailable` */
  async tokenEndpoint(): Promise<string> {
    if (this.#endpoints === undefined) await this.#refresh();
    return this.#endpoints?.token ?? `${base(this.issuer)}/oauth2/token`;
  }

  #age(): number {
    return since(this.#fetchedAt, this.#options.now());
  }

  async #prepare(): Promise<void> {
    const age = this.#age();
    if (age < freshMs) return;
    if (age >= keptMs) return this.#refresh();
    // There are good ones: nobody has to wait, and a failure is for the log.
    const refreshed = this.#refresh().catch(() => undefined);
    if (requestsAreApart) await refreshed;
  }

  async #select(header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
    try {
      return await this.#keys?.(header);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined;
      if (error instanceof errors.JWKSMultipleMatchingKeys) return undefined;
      this.#options.warn('keys_unavailable', `A key of ${this.issuer} is of no use.`, error);
      throw new VerifyError('keys_unavailable', { cause: error });
    }
  }

  /** Whoever comes while keys are being fetched waits for the same ones. */
  #refresh(): Promise<void> {
    if (since(this.#failedAt, this.#options.now()) < retryMs) {
      return Promise.reject(new VerifyError('keys_unavailable'));
    }
    if (requestsAreApart) return this.#fetch();
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #fetch(): Promise<void> {
    const { now, warn } = this.#options;
    try {
      this.#endpoints ??= await this.#discover();
      this.#keys = createLocalJWKSet(await this.#fetchKeys(this.#endpoints.jwks));
      this.#fetchedAt = now();
      this.#failedAt = -Infinity;
    } catch (cause) {
      this.#endpoints = undefined;
      this.#failedAt = now();
      warn('keys_unavailable', `The keys of ${this.issuer} cannot be fetched.`, cause);
      throw new VerifyError('keys_unavailable', { cause });
    }
  }

  async #discover(): Promise<Endpoints> {
    const { issuer } = this;
    const address = `${base(issuer)}/.well-known/openid-configuration`;
    const { status, body } = await fetchJson(this.#options.fetch, address);
    const usual = {
      jwks: `${base(issuer)}/oauth2/jwks`,
      token: `${base(issuer)}/oauth2/token`,
    };
    if (status === 404) return usual;
    if (status !== 200 || !isObject(body)) throw new Error(`${address} answered ${status}`);
    // OpenID Connect Discovery 1.0 §4.3: else one issuer could speak for another.
    if (body['issuer'] !== issuer) throw new Error(`${address} is of another issuer`);
    return {
      jwks: safeAddress(body['jwks_uri'], issuer) ?? usual.jwks,
      token: safeAddress(body['token_endpoint'], issuer) ?? usual.token,
    };
  }

  async #fetchKeys(address: string): Promise<JSONWebKeySet> {
    const { status, body } = await fetchJson(this.#options.fetch, address);
    if (status !== 200) throw new Error(`${address} answered ${status}`);
    const keys = isObject(body) ? body['keys'] : undefined;
    if (!Array.isArray(keys) || keys.length > maximumKeys) throw new Error(`${address}: no keys`);
    return { keys: keys.filter(isObject) };
  }
}

/** A clock that was set back says nothing of how long ago something was: rather ask again. */
function since(then: number, now: number): number {
  return now < then ? Infinity : now - then;
}

/** @throws when it is plain http, and the issuer is not */
function safeAddress(value: unknown, issuer: string): string | undefined {
  if (typeof value !== 'string') return undefined;
  const { protocol } = new URL(value);
  const same = protocol === new URL(issuer).protocol;
  if (protocol !== 'https:' && !same) throw new Error(`${value} is not safe`);
  return value;
}

function base(issuer: string): string {
  return issuer.endsWith('/') ? issuer.slice(0, -1) : issuer;
}
