/** The library's client for an address, with limits on how long it tries. */

import { Cluster, Redis } from 'ioredis';
import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { RedisAddress } from './address.ts';
import { replyCode } from './failure.ts';

const connectTimeoutMs = 2000;
/** A server that sends nothing for so long while it owes an answer is gone, whatever TCP thinks. */
const silenceMs = 4000;

export type Client = Redis | Cluster;

export function createClient(address: RedisAddress): Client {
  const { mode, hosts, database, username, password, tls } = address;
  const reconnectDelay = (times: number) => Math.min(50 * times, 1000);
  const options: RedisOptions = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    protocol: 2,
    disableClientInfo: true,
    // Its own check asks INFO at each connection; a server that still loads says so at each command.
    enableReadyCheck: false,
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMs,
    maxRetriesPerRequest: 2,
    autoResendUnfulfilledCommands: false,
  };
  if (mode === 'cluster') {
    const cluster: ClusterOptions = {
      redisOptions: options,
      clusterRetryStrategy: reconnectDelay,
      // Names stay names: certificates are made out to them.
      dnsLookup: (host, found) => found(null, host),
    };
    return new Cluster(hosts, cluster);
  }
  return new Redis({
    ...options,
    db: database,
    retryStrategy: reconnectDelay,
    // A master that became a replica: the Sentinels, or the name, lead to the new one.
    reconnectOnError: (error) => replyCode(error) === 'READONLY',
    ...(mode === 'single' ? hosts[0] : sentinelOptions(address)),
  });
}

function sentinelOptions({ hosts, master, tls }: RedisAddress): RedisOptions {
  return {
    sentinels: hosts,
    ...(master === undefined ? {} : { name: master }),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    sentinelRetryStrategy: (times) => Math.min(50 * times, 1000),
    failoverDetector: true,
  };
}
