/**
 * The composition root: builds the rooms in the order of their levels and mounts their routes, here and
 * nowhere else. The Provider is the Koa application; what is mounted here runs before its own routes.
 */

import type { RequestListener } from 'node:http';
import { assets, routes as interactions } from '../interactions/index.ts';
import type { Middleware, ParameterizedContext } from 'koa';
import type { Clock } from './base/clock.ts';
import { createFetch } from './base/fetch.ts';
import { randomToken } from './base/ids.ts';
import type { Log } from './base/log.ts';
import { createSecrets } from './base/secrets.ts';
import type { Secrets } from './base/secrets.ts';
import type { Config } from './config.ts';
import { createDirectory } from './directory/directory.ts';
import type { Directory } from './directory/directory.ts';
import { createAuditHandler } from './events/audit.ts';
import { createDispatcher } from './events/dispatcher.ts';
import type { Dispatcher } from './events/dispatcher.ts';
import type { Handler } from './events/handlers.ts';
import { announcing } from './events/outbox.ts';
import { createSweeper } from './events/sweeper.ts';
import { createFederation } from './federation/federation.ts';
import type { Federation } from './federation/federation.ts';
import { health } from './health.ts';
import { endWithSession } from './links/end_with_session.ts';
import { routes as links } from './links/routes.ts';
import { linkClientId } from './oidc/clients.ts';
import { createOidc } from './oidc/oidc.ts';
import type { Oidc } from './oidc/oidc.ts';
import { jsonEndpoints } from './oidc/work_middleware.ts';
import { createPages } from './pages.ts';
import type { Pages } from './pages.ts';
import type { PendingEvent, Store } from './storage/store.ts';
import { browsers } from './web/browsers.ts';
import { createCookies } from './web/cookies.ts';
import { createCsrf } from './web/csrf.ts';
import { failures, watchErrors } from './web/failure.ts';
import { headers } from './web/headers.ts';
import { createLimits } from './web/limits.ts';
import type { Limits } from './web/limits.ts';
import { interstitials } from './web/page.ts';
import { postAsGet } from './web/post_as_get.ts';
import { requestBounds, requests } from './web/request.ts';

export interface ServerOptions {
  config: Config;
  /** Closed by the caller, after `stop`. */
  store: Store;
  clock: Clock;
  log: Log;
  /** For outgoing requests; the guarded one when not given. */
  fetch?: typeof globalThis.fetch;
}

export interface Server {
  /** For `node:http`. */
  callback: RequestListener;
  /** Starts the workers. */
  start(): void;
  /** From now on not ready; the workers end what they are at. */
  stop(): Promise<void>;
  /** Not ready from now on, so that a balancer sends no more; what comes is still answered. */
  leave(): void;
  /** For operators' commands, and for seeding a development world. */
  directory: Directory;
  dispatcher: Dispatcher;
}

/** Events are handled by rooms that are built from the store that tells of them: a knot, tied late. */
function lateWake() {
  let target: ((events?: readonly PendingEvent[]) => void) | undefined;
  return {
    wake: (events?: readonly PendingEvent[]) => target?.(events),
    tie(dispatcher: Dispatcher) {
      target = (events) => dispatcher.wake(events);
    },
  };
}

export async function createServer(options: ServerOptions): Promise<Server> {
  const { config, clock, log } = options;
  const knot = lateWake();
  const store = announcing(options.store, knot.wake);
  const secrets = createSecrets(config.secrets);
  const guarded = createFetch({ allowPrivate: config.outgoing.allowPrivate, log });
  const fetch = options.fetch ?? guarded;
  const owner = randomToken();

  const limits = createLimits({ store, clock, log });
  const pages = createPages({ config, log });

  const reservedIds = new Set([...config.clients.map(({ id }) => id), linkClientId]);
  const { registration } = config;
  const directory = createDirectory({ store, clock, log, registration, reservedIds });
  const federation = createFederation({ config, store, secrets, fetch, clock, log });
  const oidc = await createOidc({
    config,
    store,
    secrets,
    clock,
    log,
    fetch,
    directory,
    pages: pages.oidc,
  });

  const handlers: Handler[] = [
    createAuditHandler({ store }),
    ...directory.handlers,
    oidc.endings.handler,
  ];
  const dispatcher = createDispatcher({ store, clock, log, handlers, owner });
  knot.tie(dispatcher);
  const sweeper = createSweeper({ store, clock, log, owner });
  const readiness = { stopping: false };

  mount({ ...options, store, secrets, limits, pages, directory, federation, oidc, readiness });

  return {
    callback: oidc.provider.callback(),
    start() {
      dispatcher.start();
      sweeper.start();
    },
    leave() {
      readiness.stopping = true;
    },
    async stop() {
      readiness.stopping = true;
      await Promise.all([dispatcher.stop(), sweeper.stop()]);
      await guarded.close();
    },
    directory,
    dispatcher,
  };
}

interface Rooms extends Omit<ServerOptions, 'fetch'> {
  secrets: Secrets;
  limits: Limits;
  pages: Pages;
  directory: Directory;
  federation: Federation;
  oidc: Oidc;
  readiness: { stopping: boolean };
}

/** Outermost first. The library's own routes come last of all. */
function mount(rooms: Rooms): void {
  const { config, store, clock, log, secrets, limits, pages, directory, federation, oidc } = rooms;
  const cookies = createCookies(config.issuer);
  const csrf = createCsrf({ issuer: config.issuer, secrets, cookies });
  const app = oidc.provider;
  watchErrors(app, log);
  app.use(requests({ issuer: config.issuer, trustedProxies: config.trustedProxies, log, clock }));
  app.use(headers({ issuer: config.issuer, registeredAction }));
  app.use(failures({ log, renderFailure: pages.failure, oauthPaths: jsonEndpoints }));
  app.use(requestBounds());
  app.use(health({ store, readiness: rooms.readiness }).routes());
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
  app.use(
    interactions({
      conversations: oidc.conversations,
      federation,
      directory,
      csrf,
      cookies,
      config,
      log,
      clock,
    }).routes(),
  );
  app.use(
    links({
      config,
      oidc: oidc.links,
      secrets,
      cookies,
      csrf,
      clock,
      log,
      limits,
      renderQuestion: pages.signOutQuestion,
    }).routes(),
  );
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
