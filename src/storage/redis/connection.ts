/**
 * The connection: opens it, sends commands, and bounds how long anything takes. Commands of one tick share
 * a round trip, since none waits for the answer of another.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { Log } from '../../base/log.ts';
import type { RedisAddress } from './address.ts';
import { explain, isPassing, notReplicated, replyCode, TimedOut } from './failure.ts';
import type { Script } from './scripts.ts';

const connectTimeoutMs = 2000;
/** How long one command is tried, over lost connections, failovers and servers that start. */
const patienceMs = 3000;
/** A server that sends nothing for so long while it owes an answer is gone, whatever TCP thinks. */
const silenceMs = 4000;
/** How long replicas are waited for. */
const replicationMs = 1000;
const longestRetryDelayMs = 250;

type Argument = string | number;
type Client = Redis | Cluster;

/** What reads and writes need of it. */
export type Commands = Pick<Connection, 'send' | 'run' | 'runDurably'>;

export class Connection {
  readonly #client: Client;
  /** For writes that wait for replicas: Redis answers nothing else on it meanwhile. */
  readonly #durable: Client | undefined;
  readonly #wait: number;
  readonly #log: Log | undefined;
  #lastError: Error | undefined;
  #lost = false;

  constructor(address: RedisAddress, log?: Log) {
    this.#log = log;
    this.#wait = address.wait;
    this.#client = this.#listening(createClient(address));
    if (address.wait > 0) this.#durable = this.#listening(createClient(address));
  }

  /** The last thing that went wrong with the connection itself. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** @param key makes a cluster send it where the key lives; all commands but INFO have one */
  send(name: string, ...parameters: Argument[]): Promise<unknown> {
    return this.#patiently(() => this.#client.call(name, parameters));
  }

  run(script: Script, key: string, ...parameters: Argument[]): Promise<unknown> {
    return this.#patiently(() => evaluate(this.#client, script, [key, ...parameters]));
  }

  /** The same, and then waits until as many replicas have it as the address says. */
  async runDurably(script: Script, key: string, ...parameters: Argument[]): Promise<unknown> {
    const client = this.#durable;
    if (client === undefined) return this.run(script, key, ...parameters);
    const [answer, acknowledged] = await this.#patiently(() =>
      evaluateAndWait(client, script, [key, ...parameters], this.#wait),
    );
    if (Number(acknowledged) < this.#wait) throw notReplicated(Number(acknowledged), this.#wait);
    return answer;
  }

  /** One client for each master: the one, or all of a cluster. For what concerns a whole server. */
  masters(): {
    name: string;
    send: (name: string, ...parameters: Argument[]) => Promise<unknown>;
  }[] {
    const nodes = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    return nodes.map((node) => ({
      name: `${node.options.host}:${node.options.port}`,
      send: (name, ...parameters) => this.#patiently(() => node.call(name, parameters)),
    }));
  }

  close(): void {
    this.#client.disconnect();
    this.#durable?.disconnect();
  }

  /** Repeats what failed for a reason that passes, until patience ends. */
  async #patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const giveUpAt = performance.now() + patienceMs;
    for (let count = 0; ; count += 1) {
      try {
        return await bounded(attempt(), giveUpAt - performance.now());
      } catch (error) {
        const pause =
          Math.min(longestRetryDelayMs, 20 * 2 ** Math.min(count, 6)) * (0.5 + Math.random());
        const hopeless = !isPassing(error) || error instanceof TimedOut || this.#refused();
        if (hopeless || performance.now() + pause >= giveUpAt)
          throw explain(this.#refused() ?? error);
        await delay(pause);
      }
    }
  }

  /** The server wants no connection with this user or password: nothing to wait for. */
  #refused(): Error | undefined {
    const code = replyCode(this.#lastError);
    return code === 'WRONGPASS' || code === 'NOAUTH' || code === 'NOPERM'
      ? this.#lastError
      : undefined;
  }

  #listening(client: Client): Client {
    client.on('error', (error: Error) => {
      this.#lastError = error;
      if (!this.#lost) this.#log?.error('the connection to Redis failed', { error: error.message });
      this.#lost = true;
    });
    client.on('ready', () => {
      if (this.#lost) this.#log?.info('connected to Redis again');
      this.#lastError = undefined;
      this.#lost = false;
    });
    return client;
  }
}

async function bounded<T>(answer: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOut()), Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** By its hash; a server that was restarted or flushed does not know it and is sent the text. */
async function evaluate(client: Client, script: Script, rest: Argument[]): Promise<unknown> {
  try {
    return await client.call('evalsha', [script.sha, 1, ...rest]);
  } catch (error) {
    if (replyCode(error) !== 'NOSCRIPT') throw error;
    return client.call('eval', [script.lua, 1, ...rest]);
  }
}

/** On one connection, for WAIT asks about the writes of its own. */
async function evaluateAndWait(
  client: Client,
  script: Script,
  rest: Argument[],
  replicas: number,
): Promise<[answer: unknown, acknowledged: unknown]> {
  const together = async (name: string, text: string) => {
    const pipeline = client.pipeline().call(name, [text, 1, ...rest]);
    const answers = await pipeline.wait(replicas, replicationMs).exec();
    const [[error, answer] = [], [waitError, acknowledged] = []] = answers ?? [];
    const failure = error ?? waitError;
    if (failure !== null && failure !== undefined) {
      // The library learns where a slot is now from single commands only.
      if (client instanceof Cluster) client.refreshSlotsCache();
      throw failure;
    }
    return [answer, acknowledged] as [unknown, unknown];
  };
  try {
    return await together('evalsha', script.sha);
  } catch (error) {
    if (replyCode(error) !== 'NOSCRIPT') throw error;
    return together('eval', script.lua);
  }
}

function createClient(address: RedisAddress): Client {
  const { mode, hosts, database, username, password, tls } = address;
  const retryDelay = (times: number) => Math.min(50 * times, 1000);
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
  };
  if (mode === 'cluster') {
    const cluster: ClusterOptions = {
      redisOptions: options,
      clusterRetryStrategy: retryDelay,
      // Names stay names: certificates are made out to them.
      dnsLookup: (host, found) => found(null, host),
    };
    return new Cluster(hosts, cluster);
  }
  return new Redis({
    ...options,
    db: database,
    retryStrategy: retryDelay,
    // A master that became a replica: the Sentinels, or the name, lead to the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
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
