/** All who are told of events, of one configuration and one store: for the server, and for commands. */

import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import type { Secrets } from './base/secrets.ts';
import { receiverSecrets } from './config.ts';
import type { Config, ReceiverConfig } from './config.ts';
import { toldFields } from './events/encodings/fields.ts';
import { clientReceivers } from './events/client_receivers.ts';
import type { ReceiverSource, Sign } from './events/receivers.ts';
import { configuredWebhooks, storedWebhooks } from './events/webhook_receivers.ts';
import type { ConfiguredWebhook } from './events/webhook_receivers.ts';
import type { Store } from './storage/store.ts';

/** What leaves the house: all but steps on the way to something else. */
export const deliverable = [...toldFields.keys(), 'stream.verification', 'stream.updated'];

/** What the configuration of now says of a client that wants streams. */
export function streamRights(config: () => Config) {
  const find = (client: string) => config().clients.find(({ id }) => id === client);
  return {
    mayHaveStreams: (client: string) => find(client)?.ssf === true,
    productOf: (client: string) => find(client)?.product,
  };
}

export interface ReceiverSourcesOptions {
  issuer: string;
  /** The one of now. */
  config(): Config;
  store: Store;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  sign: Sign;
}

/** The configuration's come first: of two with one id, it counts. */
export function receiverSources(options: ReceiverSourcesOptions): readonly ReceiverSource[] {
  const { issuer, config, clock, sign } = options;
  let from: readonly ReceiverConfig[] | undefined;
  let webhooks: readonly ConfiguredWebhook[] = [];
  return [
    clientReceivers({ issuer, clients: () => config().clients, sign, clock }),
    configuredWebhooks({
      clock,
      webhooks() {
        const present = config().receivers;
        if (present !== from) webhooks = present.map(configured);
        from = present;
        return webhooks;
      },
    }),
    storedWebhooks(options),
  ];
}

function configured({ id, url, types, secret }: ReceiverConfig): ConfiguredWebhook {
  return { id, url, types, secrets: receiverSecrets(secret) };
}
