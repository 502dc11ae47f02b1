/** The service's own access token, for asking Tollgate for events: client credentials (RFC 6749 §4.4). */

import { VerifyError } from './errors.ts';
import { fetchJson, isObject } from './http.ts';
import type { IssuerKeys } from './keys.ts';
import type { Settings } from './settings.ts';

const scope = 'ssf.read';
/** It is not used to its last second: a request takes time. */
const marginSeconds = 30;

export class Access {
  readonly #settings: Settings;
  readonly #issuer: IssuerKeys;
  #token: { value: string; until: number } | undefined;

  constructor(settings: Settings, issuer: IssuerKeys) {
    this.#settings = settings;
    this.#issuer = issuer;
  }

  get configured(): boolean {
    return this.#settings.clientSecret !== undefined && this.#settings.clientIds.length > 0;
  }

  /**
   * `Bearer …`, asked for when there is none that is good.
   * @throws {VerifyError} `recent_unavailable`, `keys_unavailable`
   */
  async authorization(signal?: AbortSignal): Promise<string> {
    const { now } = this.#settings;
    if (this.#token === undefined || this.#token.until <= now()) {
      this.#token = await this.#ask(signal);
    }
    return `Bearer ${this.#token.value}`;
  }

  /** It was refused: the next one is asked for anew. */
  forget(): void {
    this.#token = undefined;
  }

  async #ask(signal: AbortSignal | undefined): Promise<{ value: string; until: number }> {
    const { now, fetch, clientIds, clientSecret } = this.#settings;
    const [id] = clientIds;
    if (id === undefined || clientSecret === undefined) {
      throw new VerifyError('recent_unavailable', { message: 'There are no client credentials.' });
    }
    const endpoint = await this.#issuer.tokenEndpoint();
    try {
      const { status, body } = await fetchJson(fetch, endpoint, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          // RFC 6749 §2.3.1.
          authorization: `Basic ${btoa(`${formEncoded(id)}:${formEncoded(clientSecret)}`)}`,
        },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope }).toString(),
        ...(signal === undefined ? {} : { signal }),
      });
      const { access_token: value, expires_in: seconds } = isObject(body) ? body : {};
      if (typeof value !== 'string') throw new Error(`the token endpoint answered ${status}`);
      const lifetime = typeof seconds === 'number' ? seconds : 0;
      return { value, until: now() + Math.max(0, lifetime - marginSeconds) * 1000 };
    } catch (cause) {
      throw new VerifyError('recent_unavailable', { cause });
    }
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}
