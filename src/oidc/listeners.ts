/**
 * The library's events, as log lines and as numbers. A listener that throws would break the request and one that rejects
 * would end the process, so each is wrapped.
 */

import type { EventEmitter } from 'node:events';
import type { Provider } from 'oidc-provider';
import type { Log } from '../base/log.ts';
import type { ActingAccount } from './authorization.ts';
import type { Acting } from './claims.ts';
import { keepFailure } from './work_middleware.ts';
import type { Measures } from '../base/measures.ts';

interface LibraryError extends Error {
  error?: string;
  error_description?: string;
  error_detail?: string;
  status?: number;
}

const refusals = [
  'authorization.error',
  'grant.error',
  'end_session.error',
  'end_session_confirm.error',
  'introspection.error',
  'jwks.error',
  'discovery.error',
  'pushed_authorization_request.error',
  'revocation.error',
  'userinfo.error',
];

interface LibraryContext {
  state?: object;
  oidc?: {
    client?: { clientId?: string };
    route?: string;
    params?: { grant_type?: unknown };
    account?: ActingAccount | undefined;
  };
}

const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'];
const tokenErrors = [
  'invalid_grant',
  'invalid_client',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'unauthorized_client',
  'unsupported_grant_type',
  'server_error',
];
/** What somebody else makes up is one word. */
const wordOf = (value: unknown, words: readonly string[]) =>
  words.find((word) => word === value) ?? 'other';

/** @param used told of each token that was issued for somebody who acts for an account */
export function listen(
  provider: Provider,
  {
    log,
    measures,
    used,
  }: { log: Log; measures: Measures; used: (user: string, acting: Acting) => void },
): void {
  const countToken = ({ oidc }: LibraryContext, outcome: string) => {
    const grantType = wordOf(oidc?.params?.grant_type, grantTypes);
    measures.count('tollgate_token_requests_total', { grant_type: grantType, outcome });
  };
  const safely =
    (report: (ctx: LibraryContext, error: LibraryError) => void) =>
    (ctx: LibraryContext, error: LibraryError) => {
      try {
        report(ctx, error);
      } catch (cause) {
        log.error('listener_failed', { error: cause });
      }
    };
  // The answer is deliberately vague; the reason is here, found by the request's id.
  const emitter: EventEmitter = provider;
  for (const name of refusals) {
    emitter.on(
      name,
      safely((ctx, error) => {
        if (name === 'grant.error') countToken(ctx, wordOf(error.error, tokenErrors));
        log.info('refused', {
          event: name,
          client: ctx.oidc?.client?.clientId,
          reason: error.error ?? error.message,
          detail: error.error_detail ?? error.error_description,
        });
      }),
    );
  }
  emitter.on(
    'grant.success',
    safely((ctx) => {
      countToken(ctx, 'issued');
      const account = ctx.oidc?.account;
      if (account?.acting !== undefined) used(account.accountId, account.acting);
    }),
  );
  emitter.on(
    'server_error',
    safely((ctx, error) => {
      keepFailure(ctx, error);
      if (ctx.oidc?.route === 'token') countToken(ctx, 'server_error');
      log.error('server_error', { error });
    }),
  );
}
