/** Who may do what with streams: access tokens of clients, with scopes (RFC 6750; CAEP interoperability §2.7). */

import type { ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import type { BearerCheck } from '../oidc/bearer.ts';

export type SsfScope = 'ssf.read' | 'ssf.manage';

/** @returns the client. @throws {Problem} 401 `token_missing`, `token_invalid`; 403 `insufficient_scope` */
export async function requireClient(
  ctx: ParameterizedContext,
  check: BearerCheck,
  needed: SsfScope,
): Promise<string> {
  const bearer = await check(ctx.get('Authorization'));
  if (bearer === 'missing') {
    // RFC 6750 §3.1: who showed nothing is told nothing but the scheme.
    ctx.set('WWW-Authenticate', 'Bearer');
    throw new Problem('token_missing', 401, 'An access token is needed.');
  }
  if (bearer === 'invalid') {
    ctx.set('WWW-Authenticate', 'Bearer error="invalid_token"');
    throw new Problem('token_invalid', 401, 'The access token is not valid here.');
  }
  const isEnough =
    bearer.scopes.has('ssf.manage') || (needed === 'ssf.read' && bearer.scopes.has('ssf.read'));
  if (!isEnough) {
    ctx.set('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${needed}"`);
    throw new Problem('insufficient_scope', 403, 'The access token has not the scope for this.', {
      details: { scope: needed },
    });
  }
  return bearer.client;
}
