/** The services that are told by webhooks: those of the configuration, and those that commands have added. */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Store } from '../storage/store.ts';
import { webhookReceiver } from './encodings/webhook.ts';
import { listWebhooks } from './receiver_store.ts';
import type { Receiver, ReceiverSource } from './receivers.ts';

/** What is asked of the configuration. */
export interface ConfiguredWebhook {
  id: string;
  url: string;
  types?: readonly string[] | undefined;
  /** Newest first. */
  secrets: readonly string[];
}

/** @param options.webhooks those of now, the same list as long as nothing has changed */
export function configuredWebhooks(options: {
  webhooks(): readonly ConfiguredWebhook[];
  clock: Clock;
}): ReceiverSource {
  let from: readonly ConfiguredWebhook[] | undefined;
  let receivers: readonly Receiver[] = [];
  return {
    all() {
      const present = options.webhooks();
      if (present !== from) {
        from = present;
        receivers = present.map((webhook) => webhookReceiver({ ...webhook, clock: options.clock }));
      }
      return Promise.resolve(receivers);
    },
  };
}

export interface StoredWebhooksOptions {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  /** For how long what was read is believed. */
  cacheMs?: number;
}

export function storedWebhooks(options: StoredWebhooksOptions): ReceiverSource {
  const { clock, log, cacheMs = 1000 } = options;
  let readAt = -Infinity;
  let reading: Promise<readonly Receiver[]> | undefined;
  let from = '';
  let receivers: readonly Receiver[] = [];

  async function read(): Promise<readonly Receiver[]> {
    const startedAt = performance.now();
    const found = await listWebhooks(options);
    readAt = startedAt;
    // Their documents change with how they fare: what they are is compared.
    const key = JSON.stringify(found);
    if (key === from) return receivers;
    from = key;
    receivers = found.map(({ id, url, types, secrets = [] }) => {
      const name = id.replace(/^webhook:/, '');
      const receiver = webhookReceiver({ id: name, url, types, secrets, clock });
      if (secrets.length > 0) return receiver;
      log.error('the secret of a receiver cannot be read: its events are held', { receiver: id });
      const encode = () => Promise.reject(new Error('it cannot be signed'));
      return { ...receiver, encode, paused: true };
    });
    return receivers;
  }

  return {
    all() {
      if (performance.now() - readAt < cacheMs) return Promise.resolve(receivers);
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}
