/**
 * The part of the composition root that tells others: who receives events, what sends them, and the streams
 * that services make for themselves.
 */

import type { Clock } from './base/clock.ts';
import { createFetch } from './base/fetch.ts';
import type { Log } from './base/log.ts';
import type { Measures } from './base/measures.ts';
import type { Secrets } from './base/secrets.ts';
import type { Config } from './config.ts';
import { createDeliveries } from './events/engine.ts';
import type { Deliveries } from './events/engine.ts';
import type { Handler } from './events/handlers.ts';
import { measuredDeliveries, watchReceivers } from './events/measured.ts';
import type { ReceiverSource } from './events/receivers.ts';
import { streamReceivers } from './events/stream_receivers.ts';
import { createStreamServices } from './events/stream_services.ts';
import type { Keyring } from './oidc/keyring.ts';
import { createSign } from './oidc/signing.ts';
import { deliverable, receiverSources, streamRights } from './receiver_sources.ts';
import { createWaiting } from './ssf/waiting.ts';
import type { SsfParts } from './ssf/routes.ts';
import type { Store } from './storage/store.ts';

/** Receivers have more time than others that are asked, and of what goes wrong the deliveries themselves tell. */
const patience = { timeoutMs: 10_000, connectTimeoutMs: 5000 };

export interface NotifyingOptions {
  /** The one of now. */
  config(): Config;
  /** The one that the process began with. */
  first: Config;
  keyring: Keyring;
  store: Store;
  secrets: Secrets;
  /** The guarded one when not given. */
  fetch: typeof globalThis.fetch | undefined;
  clock: Clock;
  log: Log;
  measures: Measures;
  /** Whether anybody looks at what is measured. */
  measured: boolean;
  owner: string;
  stopping: () => boolean;
}

export interface Notifying {
  handlers: Handler[];
  /** For commands, and for tests. */
  deliveries: Deliveries;
  /** Who is told of events. */
  receivers: readonly ReceiverSource[];
  ssf: SsfParts;
  start(): void;
  /** Waits for what is under way. What is left is done by another process, or at the next start. */
  stop(): Promise<void>;
}

export function createNotifying(options: NotifyingOptions): Notifying {
  const { config, first, keyring, stopping, fetch, measures, measured, ...shared } = options;
  const { allowPrivate } = first.outgoing;
  const guarded = createFetch({ allowPrivate, ...patience });
  const sign = createSign(keyring);
  const { issuer } = first;
  const streaming = { ...shared, issuer, sign, ...streamRights(config) };
  const streams = streamReceivers(streaming);
  const sources = [...receiverSources({ ...shared, issuer, config, sign }), streams];
  const deliveries = createDeliveries({
    ...shared,
    sources,
    fetch: fetch ?? guarded,
    types: deliverable,
    meter: measuredDeliveries(measures),
  });
  const watch = watchReceivers({ ...shared, status: () => deliveries.status(), measures });
  const { care, handler, ...parts } = createStreamServices({
    ...streaming,
    receivers: streams,
    release: (receiver) => deliveries.release(receiver),
    allowPrivate,
    heartbeatSeconds: first.ssf.heartbeat,
  });
  return {
    handlers: [deliveries.handler, handler],
    deliveries,
    receivers: sources,
    ssf: { ...parts, waiting: createWaiting({ stopping }) },
    start() {
      deliveries.start();
      care.start();
      if (measured) watch.start();
    },
    async stop() {
      await Promise.all([care.stop(), watch.stop()]);
      // What it was just handed is sent, or left to others.
      await deliveries.stop();
      await guarded.close();
    },
  };
}
