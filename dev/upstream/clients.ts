/** Who may use a development upstream, and how it shows that. */

import type { IncomingMessage } from 'node:http';

export interface UpstreamClient {
  id: string;
  secret?: string;
  redirectUris: readonly string[];
}

/** `client_secret_basic` or `client_secret_post` (RFC 6749 2.3.1), or neither where there is no secret. */
export function authenticated(
  clients: readonly UpstreamClient[],
  request: IncomingMessage,
  form: URLSearchParams,
): UpstreamClient | undefined {
  const basic = /^basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const [id, secret] =
    basic === undefined
      ? [form.get('client_id'), form.get('client_secret') ?? undefined]
      : Buffer.from(basic, 'base64')
          .toString('utf8')
          .split(':')
          .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
  return clients.find((client) => client.id === id && client.secret === secret);
}
