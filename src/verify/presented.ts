/**
 * How a token came in: the `Authorization` header alone (RFC 6750 §2.1, RFC 9449 §7.1). A token in a
 * query or in a form is not looked at: addresses end in logs (T15).
 */

import { VerifyError } from './errors.ts';

/** Of Node, Koa and Express. */
export type HeaderRecord = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request of the web's kind, or of Node's. */
export interface RequestLike {
  readonly method?: string | undefined;
  /** Absolute, or from the path on. */
  readonly url?: string | undefined;
  readonly headers: Headers | HeaderRecord;
}

/** A bare token, the headers of a request, or the request. DPoP needs the request. */
export type Presentation = string | Headers | HeaderRecord | RequestLike;

export interface Presented {
  scheme: 'Bearer' | 'DPoP';
  token: string;
  /** What a proof is checked against. */
  request?: { method: string; url: string; proof: string | undefined };
}

/** @throws {VerifyError} `token_missing`, `token_invalid` */
export function presented(input: Presentation): Presented {
  if (typeof input === 'string') {
    if (input === '') throw new VerifyError('token_missing');
    return { scheme: 'Bearer', token: input };
  }
  const request = isRequest(input) ? input : undefined;
  const headers = request?.headers ?? (input as Headers | HeaderRecord);
  const authorization = header(headers, 'authorization');
  const found = /^(bearer|dpop)(?: +(.*))?$/i.exec(authorization ?? '');
  if (found === null) throw new VerifyError('token_missing');
  const scheme = found[1]?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer';
  const token = found[2] ?? '';
  // RFC 6750 §2.1, `b64token`. Two headers that were joined are none.
  if (!/^[\w.~+/-]+=*$/.test(token)) throw new VerifyError('token_invalid');
  return {
    scheme,
    token,
    ...(request === undefined
      ? {}
      : {
          request: {
            method: request.method ?? 'GET',
            url: request.url ?? '/',
            proof: header(headers, 'dpop'),
          },
        }),
  };
}

function isRequest(input: Exclude<Presentation, string>): input is RequestLike {
  const { headers } = input as { headers?: unknown };
  return typeof headers === 'object' && headers !== null && !Array.isArray(headers);
}

/** A header that stands there twice is one that nothing matches. */
function header(headers: Headers | HeaderRecord, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const value = headers[name];
  if (typeof value === 'string' || value === undefined) return value;
  return value.join(', ');
}
