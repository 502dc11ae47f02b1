/**
 * The one error of this library: a stable code, a status, a sentence that is safe to show, and the
 * answer that a client understands (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1). Nothing of a token is in it.
 */

interface Meaning {
  status: number;
  /** The `error` of the challenge. Who brings no token is told what is wanted, and nothing more. */
  error?: string;
  message: string;
}

const invalid = { status: 401, error: 'invalid_token' };

const meanings = {
  token_missing: { status: 401, message: 'An access token is required.' },
  token_invalid: { ...invalid, message: 'The access token is not valid here.' },
  token_expired: { ...invalid, message: 'The access token has expired.' },
  token_revoked: { ...invalid, message: 'The access has ended.' },
  token_stale: { ...invalid, message: 'The access token is out of date. Refresh it.' },
  token_bound: {
    ...invalid,
    message: 'The access token is bound to a key, and there is no proof of it.',
  },
  proof_invalid: {
    status: 401,
    error: 'invalid_dpop_proof',
    message: 'The DPoP proof is not valid.',
  },
  insufficient_scope: {
    status: 403,
    error: 'insufficient_scope',
    message: 'The access token does not have the scope.',
  },
  insufficient_plan: { status: 403, message: 'The subscription does not include this.' },
  keys_unavailable: {
    status: 503,
    message: 'The keys of the issuer cannot be fetched. Try again.',
  },
  deny_unavailable: {
    status: 503,
    message: 'It cannot be found out whether the access has ended. Try again.',
  },
  event_invalid: { status: 400, message: 'The event is not valid.' },
  event_unauthenticated: { status: 401, message: 'The sender of the event is not known.' },
  event_failed: { status: 500, message: 'The event could not be handled. Send it again.' },
  recent_unavailable: { status: 503, message: 'The events of late cannot be fetched.' },
} as const satisfies Record<string, Meaning>;

export type VerifyErrorCode = keyof typeof meanings;

/** Why an event was refused, in the words of RFC 8935 §2.4. */
export type EventReason =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed';

export interface VerifyErrorOptions {
  /** Instead of the code's own sentence. Shown to clients. */
  message?: string;
  reason?: EventReason;
  /** The scope that is wanted (RFC 6750 §3). */
  scope?: string;
  /** Never an error of `jose`: they carry the claims of the token, and errors end in logs. */
  cause?: unknown;
}

/** How a service introduces itself to clients that are refused. */
export interface Challenge {
  /** Default: `api`. */
  realm?: string;
  /** Address of the service's metadata (RFC 9728 §5.1). */
  resourceMetadata?: string;
  /** Whether it takes DPoP-bound tokens. */
  dpop?: boolean;
  /** How the token was presented. */
  scheme?: 'Bearer' | 'DPoP';
}

export class VerifyError extends Error {
  override readonly name = 'VerifyError';
  readonly code: VerifyErrorCode;
  readonly status: number;
  readonly reason: EventReason | undefined;
  readonly #options: VerifyErrorOptions;
  readonly #challenge: Challenge;

  constructor(code: VerifyErrorCode, options: VerifyErrorOptions = {}, challenge: Challenge = {}) {
    super(options.message ?? meanings[code].message, { cause: options.cause });
    this.code = code;
    this.status = meanings[code].status;
    this.reason = options.reason;
    this.#options = options;
    this.#challenge = challenge;
  }

  /** The same, as this service says it. */
  at(challenge: Challenge): VerifyError {
    return new VerifyError(this.code, this.#options, challenge);
  }

  /** `{ "error": { "code", "message" } }`, never to be stored. */
  response(): Response {
    const body = JSON.stringify({ error: { code: this.code, message: this.message } });
    const headers = new Headers({
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
    const authenticate = this.#authenticate();
    if (authenticate !== undefined) headers.set('www-authenticate', authenticate);
    if (this.status === 503) headers.set('retry-after', '5');
    return new Response(body, { status: this.status, headers });
  }

  /** Another token would not help where the plan or the service itself is the matter. */
  #authenticate(): string | undefined {
    const { error }: Meaning = meanings[this.code];
    if (error === undefined && this.status !== 401) return undefined;
    const { realm = 'api', resourceMetadata, dpop = false, scheme } = this.#challenge;
    const blamed = this.code === 'proof_invalid' ? 'DPoP' : (scheme ?? 'Bearer');
    return (dpop ? (['Bearer', 'DPoP'] as const) : (['Bearer'] as const))
      .map((name) => {
        const said = error !== undefined && (name === blamed || !dpop);
        const parameters = {
          realm,
          error: said ? error : undefined,
          error_description: said ? this.message : undefined,
          scope: said ? this.#options.scope : undefined,
          algs: name === 'DPoP' ? 'ES256 RS256' : undefined,
          resource_metadata: resourceMetadata,
        };
        return `${name} ${quoted(parameters)}`;
      })
      .join(', ');
  }
}

function quoted(parameters: Record<string, string | undefined>): string {
  return Object.entries(parameters)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => `${name}="${value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '')}"`)
    .join(', ');
}
