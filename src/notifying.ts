/**
 * The part of the composition root that tells others: who receives events, what sends them, and the streams
 * that services make for themselves.
 */

import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import type { Secrets } from './base/secrets.ts';
import type { Config } from './config.ts';
import { clientReceivers } from './events/client_receivers.ts';
import { createDeliveries } from './events/engine.ts';
import type { Handler } from './events/handlers.ts';
import type { ReceiverSource } from './events/receivers.ts';
import { streamReceivers } from './events/stream_receivers.ts';
import { createStreamServices } from './events/stream_services.ts';
import type { Keyring } from './oidc/keyring.ts';
import { createSign } from './oidc/signing.ts';
import { createWaiting } from './ssf/waiting.ts';
import type { SsfParts } from './ssf/routes.ts';
import type { Store } from './storage/store.ts';

export interface NotifyingOptions {
  /** What the process began with. */
  config: Config;
  /** The clients of the present configuration. */
  clients: () => Config['clients'];
  keyring: Keyring;
  store: Store;
  secrets: Secrets;
  fetch: typeof globalThis.fetch;
  clock: Clock;
  log: Log;
  owner: string;
  stopping: () => boolean;
}

export interface Notifying {
  handlers: Handler[];
  /** Who is told of events. */
  receivers: readonly ReceiverSource[];
  ssf: SsfParts;
  start(): void;
  /** Waits for what is under way. What is left is done by another process, or at the next start. */
  stop(): Promise<void>;
}

export function createNotifying(options: NotifyingOptions): Notifying {
  const { config, clients, keyring, stopping, ...shared } = options;
  const mayHaveStreams = (client: string) =>
    clients().some(({ id, ssf }) => id === client && ssf === true);
  const signing = {
    ...shared,
    issuer: config.issuer,
    sign: createSign(keyring),
    mayHaveStreams,
  };
  const streams = streamReceivers(signing);
  const receivers = [clientReceivers({ ...signing, clients }), streams];
  const deliveries = createDeliveries({ ...signing, sources: receivers });
  const { care, handler, ...parts } = createStreamServices({
    ...signing,
    receivers: streams,
    release: (receiver) => deliveries.release(receiver),
    allowPrivate: config.outgoing.allowPrivate,
    heartbeatSeconds: config.ssf.heartbeat,
  });
  return {
    handlers: [deliveries.handler, handler],
    receivers,
    ssf: { ...parts, waiting: createWaiting({ stopping }) },
    start() {
      deliveries.start();
      care.start();
    },
    async stop() {
      await care.stop();
      await deliveries.stop();
    },
  };
}
