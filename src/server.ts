/**
 * The composition root: builds the rooms in the order of their levels, once, and around them the application
 * that answers, anew whenever the clients or the keys change.
 */

import type { RequestListener } from 'node:http';
import { createApplication } from './application.ts';
import type { Rooms } from './application.ts';
import type { Clock } from './base/clock.ts';
import { createFetch } from './base/fetch.ts';
import { randomToken } from './base/ids.ts';
import { findTxtRecords } from './base/dns.ts';
import type { FindTexts } from './base/dns.ts';
import type { Log } from './base/log.ts';
import { noMeasures } from './base/measures.ts';
import type { Measures } from './base/measures.ts';
import { repeat } from './base/repeat.ts';
import type { Repeated } from './base/repeat.ts';
import { createSecrets } from './base/secrets.ts';
import { openBilling } from './billing/billing.ts';
import type { Billing } from './billing/billing.ts';
import type { Config } from './config.ts';
import { createClosingWorker } from './directory/closing_worker.ts';
import { createDirectory } from './directory/directory.ts';
import type { Directory } from './directory/directory.ts';
import { createLeavingWorker } from './directory/leaving.ts';
import { lateSeats } from './directory/seats.ts';
import { createAuditHandler } from './events/audit.ts';
import { createDispatcher } from './events/dispatcher.ts';
import type { Dispatcher } from './events/dispatcher.ts';
import type { Handler } from './events/handlers.ts';
import type { Deliveries } from './events/engine.ts';
import { measuredHandler } from './events/measured.ts';
import { announcing } from './events/outbox.ts';
import type { ReceiverSource } from './events/receivers.ts';
import { createSweeper } from './events/sweeper.ts';
import { createFederation } from './federation/federation.ts';
import { createReadiness } from './health.ts';
import { createEventStreams } from './links/event_streams.ts';
import { measuredSignIns } from './measured_sign_ins.ts';
import { linkClientId, signupClientId } from './oidc/clients.ts';
import { createCutoffs, cutoffHandler } from './oidc/cutoffs.ts';
import type { Cutoffs } from './oidc/cutoffs.ts';
import { createEndings } from './oidc/endings.ts';
import { openKeyring } from './oidc/keyring.ts';
import type { Keyring } from './oidc/keyring.ts';
import { createLiveSessions } from './oidc/live_sessions.ts';
import { openMail } from './mail/mail.ts';
import type { MailRoom } from './mail/mail.ts';
import { createNotifying } from './notifying.ts';
import { measuredStore } from './storage/measured.ts';
import type { PendingEvent, Store } from './storage/store.ts';
import { createUnitOfWork } from './storage/work.ts';
import { createLimits } from './web/limits.ts';

/** How often the keys and the cutoffs are looked at: three reads of the store. */
const watchEveryMs = 3000;

export interface ServerOptions {
  config: Config;
  /** Closed by the caller, after `stop`. */
  store: Store;
  clock: Clock;
  log: Log;
  /** For outgoing requests; the guarded one when not given. */
  fetch?: typeof globalThis.fetch;
  /** Nothing is measured when not given. */
  measures?: Measures;
  /** Of the DNS. */
  findTexts?: FindTexts;
}

export interface Server {
  /** For `node:http`. */
  callback: RequestListener;
  /**
   * Takes up the configuration's clients, and all else that may change at run time (`config/changes.ts`).
   * From the next request on; those under way end with what they began with.
   */
  reconfigure(config: Config): void;
  /** Starts the workers. */
  start(): void;
  /** From now on not ready; the workers end what they are at. */
  stop(): Promise<void>;
  /**
   * Not ready from now on, so that a balancer sends no more; what comes is still answered.
   * @returns whether there seems to be a balancer, which has to hear of it
   */
  leave(): boolean;
  /** Ends the answers that would go on: no new connection is taken any more. */
  hangUp(): void;
  /** For operators' commands, and for seeding a development world. */
  directory: Directory;
  /** Absent where nothing is sold by Stripe. */
  billing: Billing | undefined;
  /** Absent where no e-mails are sent. */
  mail: MailRoom | undefined;
  dispatcher: Dispatcher;
  deliveries: Deliveries;
  /** Who is told of events. */
  receivers: readonly ReceiverSource[];
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
  const { config, clock, log, measures = noMeasures } = options;
  const knot = lateWake();
  const below =
    options.measures === undefined ? options.store : measuredStore(options.store, measures);
  const store = announcing(below, knot.wake);
  const secrets = createSecrets(config.secrets);
  const guarded = createFetch({ allowPrivate: config.outgoing.allowPrivate, log });
  const fetch = options.fetch ?? guarded;
  const owner = randomToken();

  const limits = createLimits({ store, clock, log });
  const { registration, lifetimes } = config;
  const reservedIds = new Set([linkClientId, signupClientId]);
  const seats = lateSeats();
  const people = () => ({ ...present.config().people, roles: present.config().roles });
  const { findTexts = findTxtRecords } = options;
  const who = { registration, reservedIds, people, secrets, findTexts };
  const directory = createDirectory({ store, clock, log, seats, ...who });
  const federation = createFederation({ config, store, secrets, fetch, clock, log });
  const signIns = measuredSignIns({ directory, federation }, measures);
  const work = createUnitOfWork(store, clock);
  const endings = createEndings({ store, work, clock });
  const cutoffs = createCutoffs({ store });
  await cutoffs.refresh();
  const live = createLiveSessions({ store, clock, log });
  const streams = createEventStreams({ clock, most: config.limits.sessionEventConnections });
  measures.whenAsked(() => measures.set('tollgate_session_event_connections', {}, streams.size));
  const keyring = await openKeyring({ store, secrets, clock, log, lifetimes });

  const readiness = createReadiness(clock);
  const common = { store, clock, log, measures, owner, first: config, fetch: options.fetch };
  const now = () => present.config();
  const notifying = createNotifying({
    ...common,
    config: now,
    keyring,
    secrets,
    measured: options.measures !== undefined,
    stopping: () => readiness.stopping,
  });

  const billing = await openBilling({ ...common, config: now, directory });
  if (billing !== undefined) seats.tie(billing.seats);
  const mail = await openMail({ ...common, config: now, directory });
  const own = [billing, mail].filter((room) => room !== undefined);
  const handlers: Handler[] = [
    createAuditHandler({ store }),
    ...directory.handlers,
    ...own.flatMap((room) => room.handlers),
    endings.handler,
    cutoffHandler({ store, clock, endings }),
    ...notifying.handlers,
    live.handler,
  ].map((handler) => measuredHandler(handler, measures));
  const seen = oldestInOutbox(measures);
  const dispatcher = createDispatcher({ store, clock, log, handlers, owner, seen });
  knot.tie(dispatcher);
  const { ssf } = notifying;
  const shared = { store, secrets, clock, log, measures, fetch, limits, ssf, ...signIns };
  const rooms: Rooms = { ...shared, billing, work, endings, cutoffs, live, streams, readiness };
  const present = presentApplication(rooms, { config, keyring, reservedIds });
  const watches = createWatches({ keyring, cutoffs, log, takeKeys: present.takeKeys });
  const upkeep = createUpkeep({ ...common, directory, billing });
  const workers = [dispatcher, live, ...upkeep, ...watches, ...own];

  return {
    callback: (request, response) => present.answer(request, response),
    reconfigure: present.reconfigure,
    start() {
      for (const worker of [...workers, notifying]) worker.start();
      streams.start();
    },
    leave() {
      readiness.leave();
      return readiness.isWatched();
    },
    hangUp: streams.hangUp,
    async stop() {
      readiness.leave();
      streams.hangUp();
      await Promise.all(workers.map((worker) => worker.stop()));
      await notifying.stop();
      await directory.stop();
      await guarded.close();
    },
    directory,
    billing,
    mail,
    dispatcher,
    deliveries: notifying.deliveries,
    receivers: notifying.receivers,
  };
}

const oldestInOutbox = (measures: Measures) => (ms: number | undefined) =>
  measures.set('tollgate_outbox_oldest_seconds', {}, ms === undefined ? ms : ms / 1000);

interface UpkeepOptions {
  store: Store;
  clock: Clock;
  log: Log;
  owner: string;
  directory: Directory;
  billing: Billing | undefined;
}

/** What is done when its time comes: rows expire, accounts close, people are deleted. */
function createUpkeep({ directory, billing, ...common }: UpkeepOptions) {
  return [
    createSweeper(common),
    createClosingWorker({
      ...common,
      closing: directory.closing,
      before: billing?.closing.refresh,
    }),
    createLeavingWorker({ ...common, round: directory.leave }),
  ];
}

interface WatchOptions {
  keyring: Keyring;
  cutoffs: Cutoffs;
  log: Log;
  takeKeys(): void;
}

/** What other processes or commands may have changed. */
function createWatches({ keyring, cutoffs, log, takeKeys }: WatchOptions): Repeated[] {
  const look = async () => {
    await keyring.refresh();
    takeKeys();
    await keyring.tidy();
  };
  return [
    repeat(look, { name: 'looking for other signing keys', everyMs: watchEveryMs, log }),
    repeat(cutoffs.refresh, { name: 'looking for what is revoked', everyMs: watchEveryMs, log }),
  ];
}

/** The application that answers now: of the latest configuration and the latest keys. */
function presentApplication(
  rooms: Rooms,
  { keyring, reservedIds, ...first }: FirstState,
): PresentApplication {
  const build = (config: Config) => {
    const { keys } = keyring;
    const application = createApplication({ ...rooms, config, keys });
    // Only ever more: tokens of a client that was removed may still be about, with its id as `sub`.
    for (const { id } of config.clients) reservedIds.add(id);
    return { config, keys, application };
  };
  let now = build(first.config);
  return {
    config: () => now.config,
    answer: (request, response) => now.application(request, response),
    reconfigure(config) {
      now = build(config);
      rooms.measures.count('tollgate_reloads_total', { what: 'clients' });
    },
    takeKeys() {
      if (now.keys === keyring.keys) return;
      now = build(now.config);
      rooms.measures.count('tollgate_reloads_total', { what: 'keys' });
    },
  };
}

interface FirstState {
  config: Config;
  keyring: Keyring;
  reservedIds: Set<string>;
}

interface PresentApplication {
  config(): Config;
  answer: RequestListener;
  reconfigure(config: Config): void;
  takeKeys(): void;
}
