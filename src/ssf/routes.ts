/**
 * The room of shared signals: services of the operator get security events over streams that they make themselves
 * (OpenID Shared Signals Framework 1.0, CAEP interoperability profile). It decides who may ask and reads what is
 * asked; streams and what is delivered over them are the events room's business.
 *
 *   GET /.well-known/ssf-configuration        what there is
 *   POST, GET, PATCH, PUT, DELETE /ssf/streams
 *   GET, POST /ssf/status; POST /ssf/verify, /ssf/subjects/add, /ssf/subjects/remove
 *   POST /ssf/poll/:id                        what waits for a stream (RFC 8936)
 *   GET /ssf/recent                           what happened in the last minutes
 */

import Router from '@koa/router';
import type { ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import type { BearerCheck } from '../oidc/bearer.ts';
import type { LimitRule, Limits } from '../web/limits.ts';
import { requireClient } from './access.ts';
import type { SsfScope } from './access.ts';
import { metadataMaxAgeSeconds, transmitterMetadata } from './metadata.ts';
import { poll, readRecent } from './poll.ts';
import type { PollEndpoints } from './poll.ts';
import { addSubject, readStatus, removeSubject, updateStatus, verify } from './status.ts';
import { createStream, deleteStream, readStreams, replaceStream, updateStream } from './streams.ts';

/** What is built once for the process. */
export type SsfParts = PollEndpoints;

export interface SsfDependencies extends SsfParts {
  issuer: string;
  bearer: BearerCheck;
  limits: Limits;
}

type Handle = (ctx: ParameterizedContext, client: string, deps: SsfDependencies) => Promise<void>;

const perMinute = (name: string, limit: number): LimitRule => ({
  name,
  limit,
  windowSeconds: 60,
  whenStoreFails: 'open',
});
/** Before anything is known of who asks; a whole cluster may come from one address. */
const addressLimit = perMinute('ssf_address', 6000);
const clientLimit = perMinute('ssf_client', 3000);

export function routes(dependencies: SsfDependencies): Router {
  const { issuer, bearer, limits } = dependencies;
  const router = new Router();
  const byAddress = limits.byAddress(addressLimit);

  const asking = (scope: SsfScope, handle: Handle) => async (ctx: ParameterizedContext) => {
    const client = await requireClient(ctx, bearer, scope);
    await limits.take(clientLimit, client);
    await handle(ctx, client, dependencies);
  };

  router.get('/.well-known/ssf-configuration', (ctx) => {
    ctx.set('Cache-Control', `public, max-age=${metadataMaxAgeSeconds}`);
    ctx.body = transmitterMetadata(issuer);
  });
  router.use('/ssf', asJson, byAddress);
  router.post('/ssf/streams', asking('ssf.manage', createStream));
  router.get('/ssf/streams', asking('ssf.read', readStreams));
  router.patch('/ssf/streams', asking('ssf.manage', updateStream));
  router.put('/ssf/streams', asking('ssf.manage', replaceStream));
  router.delete('/ssf/streams', asking('ssf.manage', deleteStream));
  router.get('/ssf/status', asking('ssf.read', readStatus));
  router.post('/ssf/status', asking('ssf.manage', updateStatus));
  router.post('/ssf/verify', asking('ssf.manage', verify));
  router.post('/ssf/subjects/add', asking('ssf.manage', addSubject));
  router.post('/ssf/subjects/remove', asking('ssf.manage', removeSubject));
  router.post('/ssf/poll/:id', asking('ssf.read', poll));
  router.get('/ssf/recent', asking('ssf.read', readRecent));
  for (const [path, methods] of Object.entries(allowed)) {
    router.all(path, (ctx) => {
      ctx.set('Allow', methods);
      throw new Problem('method_not_allowed', 405, 'This address does not take that.');
    });
  }
  return router;
}

const allowed = {
  '/.well-known/ssf-configuration': 'GET, HEAD',
  '/ssf/streams': 'DELETE, GET, HEAD, PATCH, POST, PUT',
  '/ssf/status': 'GET, HEAD, POST',
  '/ssf/verify': 'POST',
  '/ssf/subjects/add': 'POST',
  '/ssf/subjects/remove': 'POST',
  '/ssf/poll/:id': 'POST',
  '/ssf/recent': 'GET, HEAD',
};

/** Refusals too: whoever calls this is a program, whatever it says that it accepts. */
function asJson(ctx: ParameterizedContext, next: () => Promise<unknown>): Promise<unknown> {
  ctx.req.headers.accept = 'application/json';
  return next();
}
