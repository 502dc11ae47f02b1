/** The apps that are told when a session of theirs ends: clients of the configuration with an address for it. */

import type { Clock } from '../base/clock.ts';
import { clientReceiver } from './encodings/logout_token.ts';
import type { Receiver, ReceiverSource, Sign } from './receivers.ts';

/** What is asked of a client's configuration. */
export interface LogoutClient {
  id: string;
  backchannelLogoutUri?: string | undefined;
  idTokenAlg: 'RS256' | 'ES256';
}

export interface ClientReceiversOptions {
  issuer: string;
  /** Those of now: they may change while the process runs. */
  clients(): readonly LogoutClient[];
  sign: Sign;
  clock: Clock;
}

export function clientReceivers({ clients, ...shared }: ClientReceiversOptions): ReceiverSource {
  let from: readonly LogoutClient[] | undefined;
  let receivers: readonly Receiver[] = [];
  return {
    all() {
      const present = clients();
      if (present !== from) {
        from = present;
        receivers = present.flatMap(({ id, backchannelLogoutUri: url, idTokenAlg }) =>
          url === undefined ? [] : [clientReceiver({ ...shared, client: { id, url, idTokenAlg } })],
        );
      }
      return Promise.resolve(receivers);
    },
  };
}
