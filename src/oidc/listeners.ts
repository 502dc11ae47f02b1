/**
 * The library's events, as log lines. A listener that throws would break the request and one that rejects
 * would end the process, so each is wrapped.
 */

import type { EventEmitter } from 'node:events';
import type { Provider } from 'oidc-provider';
import type { Log } from '../base/log.ts';
import { keepFailure } from './work_middleware.ts';

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
  oidc?: { client?: { clientId?: string } };
}

export function listen(provider: Provider, log: Log): void {
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
    'server_error',
    safely((ctx, error) => {
      keepFailure(ctx, error);
      log.error('server_error', { error });
    }),
  );
}
