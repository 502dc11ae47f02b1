/** The options of `verifier`, checked once: what is wrong with them is said when the service starts. */

import { readBase64 } from './bytes.ts';
import type { ReceivedEvent } from './events.ts';
import type { Challenge } from './errors.ts';
import type { Fetch } from './http.ts';
import { IssuerKeys } from './keys.ts';
import type { DenylistStore } from './store.ts';
import type { Warn, Warning } from './warnings.ts';
import { warner } from './warnings.ts';

export interface VerifierOptions {
  /** Of Tollgate, exactly as it is configured there; several while an installation moves. */
  issuer: string | readonly string[];
  /** Of this service: the audience of its product. A token for any of several is taken. */
  audience: string | readonly string[];
  /** How the service is called in challenges (RFC 6750 §3). Default: `api`. */
  realm?: string;
  /** Address of the service's metadata (RFC 9728), for challenges. */
  resourceMetadata?: string;
  /** How far clocks may differ for `exp` and `nbf`, 0 to 60. Default: 5. */
  toleranceSeconds?: number;
  /**
   * Takes DPoP-bound tokens (RFC 9449), and checks their proofs. `origin` is where clients see this service,
   * as `https://api.example.com`. Without it bound tokens are refused.
   */
  dpop?: { origin: string };

  /** The client, or clients, that this service is registered as: the `aud` of logout tokens. */
  clientId?: string | readonly string[];
  /** Of the first of them, for `ready` and `poll`. */
  clientSecret?: string;
  /**
   * Takes security event tokens. `audience` is that of the stream: by default the client, or clients, of `clientId`, which
   * is what Tollgate says, or the audience of the service.
   * `authorization` is what the sender's `Authorization` header must say; several while it is changed.
   */
  stream?: { audience?: string | readonly string[]; authorization?: string | readonly string[] };
  /**
   * Takes webhooks. `secrets` are `whsec_…`, several while one is changed; `issuer` says whose
   * they are, where there are several issuers. `product` is the id of this service's product, where Tollgate
   * has several: of another's subscription this service's tokens say nothing.
   */
  webhook?: { secrets: readonly string[]; issuer?: string; product?: string };
  /** Called once for each event, and again when it threw or was lost: at least once. */
  onEvent?: (event: ReceivedEvent) => unknown;

  /** Where processes share what has ended. Default: each keeps its own in memory. */
  denylist?: DenylistStore;
  /** How many rules are kept in memory; when there are more the oldest go. Default: 100 000. */
  maximumRules?: number;
  /** What a token gets when the store fails. Default: `refuse` (503 `deny_unavailable`). */
  whenUnavailable?: 'refuse' | 'accept';
  /** How long the stream or the webhooks may be silent before `onWarning` hears of it. Default: 900. */
  silenceSeconds?: number;
  onWarning?: (warning: Warning) => void;

  /** Milliseconds since the epoch. Default: `Date.now`. */
  now?: () => number;
  fetch?: Fetch;
}

export interface Settings {
  issuers: readonly IssuerKeys[];
  audiences: readonly string[];
  challenge: Challenge;
  toleranceSeconds: number;
  dpopOrigin: string | undefined;
  clientIds: readonly string[];
  clientSecret: string | undefined;
  /** Whether SETs are pushed here. They are polled and asked for without it. */
  takesPush: boolean;
  streamAudiences: readonly string[];
  /** Empty: any. */
  authorizations: readonly string[];
  webhookKeys: readonly Promise<CryptoKey>[];
  webhookIssuer: string;
  webhookProduct: string | undefined;
  acceptWhenUnavailable: boolean;
  warn: Warn;
  now: () => number;
  fetch: Fetch;
}

/** @throws {TypeError} the first thing that is wrong */
export function readOptions(options: VerifierOptions): Settings {
  const { realm = 'api', resourceMetadata, dpop, stream, webhook, toleranceSeconds = 5 } = options;
  const { now = Date.now, fetch = (url, init) => globalThis.fetch(url, init) } = options;
  const issuers = listOf(options.issuer, 'issuer');
  const audiences = listOf(options.audience, 'audience');
  for (const issuer of issuers) requireSafe(issuer, 'issuer');
  if (!(toleranceSeconds >= 0 && toleranceSeconds <= 60))
    throw wrong('toleranceSeconds', '0 to 60');
  if (dpop !== undefined) requireSafe(dpop.origin, 'dpop.origin');
  const clientIds = options.clientId === undefined ? [] : listOf(options.clientId, 'clientId');
  const warn = warner(options.onWarning);
  const challenge: Challenge = { realm, dpop: dpop !== undefined };
  if (resourceMetadata !== undefined) challenge.resourceMetadata = resourceMetadata;
  return {
    issuers: issuers.map((issuer) => new IssuerKeys({ issuer, fetch, now, warn })),
    audiences,
    challenge,
    toleranceSeconds,
    dpopOrigin: dpop?.origin,
    clientIds,
    clientSecret: options.clientSecret,
    takesPush: stream !== undefined,
    streamAudiences:
      stream?.audience === undefined
        ? [...clientIds, ...audiences]
        : listOf(stream.audience, 'stream.audience'),
    authorizations:
      stream?.authorization === undefined
        ? []
        : listOf(stream.authorization, 'stream.authorization'),
    webhookKeys: webhook === undefined ? [] : listOf(webhook.secrets, 'secrets').map(importSecret),
    webhookIssuer: webhookIssuer(issuers, webhook?.issuer, webhook !== undefined),
    webhookProduct: webhook?.product,
    acceptWhenUnavailable: options.whenUnavailable === 'accept',
    warn,
    now,
    fetch,
  };
}

function listOf(value: string | readonly string[], name: string): readonly string[] {
  const list = typeof value === 'string' ? [value] : [...value];
  const good = list.length > 0 && list.every((item) => typeof item === 'string' && item !== '');
  if (!good) throw wrong(name, 'a text, or several');
  return list;
}

/** Plain http is for this machine only: else anybody between could bring keys of their own. */
function requireSafe(address: string, name: string): void {
  if (!URL.canParse(address)) throw wrong(name, 'an address');
  const { protocol, hostname, search, hash, username } = new URL(address);
  const here = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && here)) throw wrong(name, 'https');
  if (search !== '' || hash !== '' || username !== '')
    throw wrong(name, 'an address without query');
}

function webhookIssuer(
  issuers: readonly string[],
  chosen: string | undefined,
  takesWebhooks: boolean,
): string {
  const issuer = chosen ?? issuers[0] ?? '';
  if (chosen === undefined && takesWebhooks && issuers.length > 1) {
    throw wrong('webhook.issuer', 'one of the issuers, as there are several');
  }
  if (!issuers.includes(issuer)) throw wrong('webhook.issuer', 'one of the issuers');
  return issuer;
}

/** Standard Webhooks: `whsec_` and 24 to 64 bytes in Base64. */
function importSecret(secret: string): Promise<CryptoKey> {
  const bytes = secret.startsWith('whsec_') ? readBase64(secret.slice(6)) : undefined;
  if (bytes === undefined || bytes.length < 24 || bytes.length > 64) {
    throw wrong('webhook.secrets', 'whsec_ and 24 to 64 bytes in Base64');
  }
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', bytes, algorithm, false, ['verify']);
}

/** It says what is wanted, never what was given: that may be a secret. */
function wrong(name: string, wanted: string): TypeError {
  return new TypeError(`verifier: ${name} must be ${wanted}.`);
}
