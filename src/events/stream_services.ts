/** All about streams, built from the same parts: for the composition root. */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Store } from '../storage/store.ts';
import { Deliveries } from './deliveries.ts';
import type { Handler } from './handlers.ts';
import { Notices } from './notices.ts';
import type { Sign } from './receivers.ts';
import { createRecentSets } from './recent_sets.ts';
import type { RecentSets } from './recent_sets.ts';
import { createStreamCare } from './stream_care.ts';
import type { StreamCare } from './stream_care.ts';
import { createStreamPolls } from './stream_polls.ts';
import type { StreamPolls } from './stream_polls.ts';
import type { StreamReceivers } from './stream_receivers.ts';
import { settleStream, settlingHandler } from './stream_settling.ts';
import { createStreams } from './streams.ts';
import type { Streams } from './streams.ts';

export interface StreamServicesOptions {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  /** Names this process: unique, and new at each start. */
  owner: string;
  issuer: string;
  sign: Sign;
  /** The same that deliveries have as a source. */
  receivers: StreamReceivers;
  /** What was held for a receiver goes now. */
  release(receiver: string): Promise<void>;
  mayHaveStreams(client: string): boolean;
  productOf?(client: string): string | undefined;
  allowPrivate: readonly string[];
  heartbeatSeconds: number;
}

export interface StreamServices {
  streams: Streams;
  polls: StreamPolls;
  recent: RecentSets;
  care: StreamCare;
  /** For the dispatcher. */
  handler: Handler;
}

export function createStreamServices(options: StreamServicesOptions): StreamServices {
  const { store, clock } = options;
  // Nothing of a stream is claimed here: it is fetched, or dropped.
  const deliveries = new Deliveries({ ...options, random: Math.random, claimMs: 0 });
  const settling = { store, clock, deliveries, release: options.release };
  const settle = (stream: string) => settleStream(settling, stream);
  return {
    streams: createStreams({ ...options, settle }),
    polls: createStreamPolls({ ...options, deliveries, notices: new Notices(options) }),
    recent: createRecentSets(options),
    care: createStreamCare({ ...options, deliveries }),
    handler: settlingHandler(settling),
  };
}
