/**
 * One application: the OpenID room of one state of the clients and the keys, and the routes of all rooms
 * around it. It holds nothing that outlives a request, so a new one takes over between two requests, and those
 * under way end at the old one. The Provider is the Koa application; what is mounted here runs before its own
 * routes.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import type { Middleware, ParameterizedContext } from 'koa';
import { assets, routes as interactions } from '../interactions/index.ts';
import { identityAdding } from './account/adding.ts';
import { routes as accountRoutes } from './account/routes.ts';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import type { Measures } from './base/measures.ts';
import type { Secrets } from './base/secrets.ts';
import type { Billing } from './billing/billing.ts';
import type { Config } from './config.ts';
import type { Directory } from './directory/directory.ts';
import type { Federation } from './federation/federation.ts';
import { health } from './health.ts';
import type { Readiness } from './health.ts';
import { createHeldInvitations } from './links/held_invitations.ts';
import { routes as invitations } from './links/invitation.ts';
import { endWithSession } from './links/end_with_session.ts';
import type { EventStreams } from './links/event_streams.ts';
import { routes as links } from './links/routes.ts';
import { routes as stripeEvents } from './links/stripe_events.ts';
import type { Cutoffs } from './oidc/cutoffs.ts';
import { routes as ssf } from './ssf/routes.ts';
import type { SsfParts } from './ssf/routes.ts';
import type { Endings } from './oidc/endings.ts';
import type { LiveSessions } from './oidc/live_sessions.ts';
import { createOwnSessions } from './oidc/own_sessions.ts';
import { createOidc } from './oidc/oidc.ts';
import { jsonEndpoints } from './oidc/work_middleware.ts';
import { createPages } from './pages.ts';
import type { Store } from './storage/store.ts';
import type { UnitOfWork } from './storage/work.ts';
import { browsers } from './web/browsers.ts';
import { createCookies } from './web/cookies.ts';
import { createCsrf } from './web/csrf.ts';
import { failures, watchErrors } from './web/failure.ts';
import { headers } from './web/headers.ts';
import type { Limits } from './web/limits.ts';
import { measured } from './web/measured.ts';
import { interstitials } from './web/page.ts';
import { postAsGet } from './web/post_as_get.ts';
import { requestBounds, requests } from './web/request.ts';

/** What is built once for the process. */
export interface Rooms {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  measures: Measures;
  fetch: typeof globalThis.fetch;
  limits: Limits;
  directory: Directory;
  /** Absent where nothing is sold by Stripe. */
  billing: Billing | undefined;
  federation: Federation;
  work: UnitOfWork;
  endings: Endings;
  live: LiveSessions;
  streams: EventStreams;
  readiness: Readiness;
  cutoffs: Cutoffs;
  ssf: SsfParts;
}

export interface ApplicationOptions extends Rooms {
  config: Config;
  keys: readonly JWK[];
}

/** Answers one request. */
export type Application = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Outermost first. The library's own routes come last of all. */
export function createApplication(options: ApplicationOptions): Application {
  const { config, store, clock, log, secrets, limits, directory, federation } = options;
  const pages = createPages({ config, log });
  const oidc = createOidc({ ...options, pages: pages.oidc });
  const cookies = createCookies(config.issuer);
  const csrf = createCsrf({ issuer: config.issuer, secrets, cookies });
  const held = createHeldInvitations({ cookies, secrets, clock, directory });
  const app = oidc.provider;
  watchErrors(app, log);
  app.use(measured(options.measures));
  app.use(requests({ issuer: config.issuer, trustedProxies: config.trustedProxies, log, clock }));
  app.use(headers({ issuer: config.issuer, registeredAction }));
  app.use(failures({ log, renderFailure: pages.failure, oauthPaths: jsonEndpoints }));
  app.use(requestBounds());
  app.use(health({ store, readiness: options.readiness }).routes());
  app.use(ssf({ ...options.ssf, issuer: config.issuer, bearer: oidc.ssfBearer, limits }).routes());
  if (options.billing !== undefined) {
    app.use(stripeEvents({ ...options, webhooks: options.billing.webhooks }).routes());
  }
  app.use(assets(config.brand).routes());
  app.use(browserLimit(limits, config));
  app.use(browsers(cookies, '/oauth2/authorize'));
  app.use(oidc.metadata);
  // OpenID Connect Core §3.1.2.1: authorization requests come by POST as well.
  app.use(postAsGet('/oauth2/authorize'));
  app.use(oidc.unitOfWork);
  app.use(interstitials(pages.continue));
  app.use(endWithSession({ oidc: oidc.links, cookies }));
  app.use(pages.submitting);
  const { billing } = options;
  const shared = { config, directory, billing, secrets, cookies, csrf, clock, log, limits };
  const pagesDeps = { ...shared, oidc: oidc.links };
  app.use(
    interactions({
      ...shared,
      conversations: oidc.conversations,
      federation,
      signups: billing?.signups,
      addIdentity: identityAdding(pagesDeps),
      isInvited: held.isInvited,
    }).routes(),
  );
  app.use(invitations({ ...pagesDeps, held }).routes());
  const { live, streams } = options;
  const renderQuestion = pages.signOutQuestion;
  app.use(links({ ...pagesDeps, live, streams, renderQuestion }).routes());
  const sessions = createOwnSessions(options);
  app.use(accountRoutes({ ...pagesDeps, sessions, federation }).routes());
  return app.callback();
}

/**
 * What a browser asks for while somebody signs in, by address. Not the token endpoint: after an outage
 * all apps refresh at once, many of them from one address.
 */
function browserLimit(limits: Limits, config: Config): Middleware {
  const limited = limits.byAddress({
    name: 'browser',
    limit: config.limits.perAddressPerMinute,
    windowSeconds: 60,
    whenStoreFails: 'open',
  });
  const paths = [
    '/interaction/',
    '/integrations/',
    '/signin',
    '/signup',
    '/invitation',
    '/domain',
    '/oauth2/authorize',
    '/oauth2/logout',
    '/oauth2/par',
  ];
  return async (ctx, next) => {
    if (paths.some((path) => ctx.path.startsWith(path))) await limited(ctx, next);
    else await next();
  };
}

/** A page of the library may post to the redirect address of this very request's client, no other. */
function registeredAction(ctx: ParameterizedContext, address: string): boolean {
  const { oidc } = ctx as { oidc?: { client?: { redirectUriAllowed(uri: string): boolean } } };
  return oidc?.client?.redirectUriAllowed(address) === true;
}
