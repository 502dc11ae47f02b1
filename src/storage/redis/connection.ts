/**
 * The connection: opens it, sends commands, and bounds how long anything takes. Commands of one tick share
 * a round trip, since none waits for the answer of another.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import type { Log } from '../../base/log.ts';
import type { RedisAddress } from './address.ts';
import { createClient } from './client.ts';
import type { Client } from './client.ts';
import { busy, explain, isPassing, Lost, notReplicated, replyCode, TimedOut } from './failure.ts';
import type { Script } from './scripts.ts';

/** How long one command is tried, over lost connections, failovers and servers that start. */
const patienceMs = 3000;
/** How long replicas are waited for. */
const replicationMs = 1000;
const longestRetryDelayMs = 250;
const mostUnderway = 20_000;

type Argument = string | number;

/** A client, and how to end the attempts that wait for its answers. */
interface Line {
  client: Client;
  waiting: Set<(reason: Error) => void>;
}

/** What reads and writes need of it. */
export type Commands = Pick<Connection, 'send' | 'sendDurably' | 'run' | 'runDurably'>;

export class Connection {
  readonly #line: Line;
  /** For writes that wait for replicas: Redis answers nothing else on it meanwhile. */
  readonly #durable: Line | undefined;
  readonly #wait: number;
  readonly #log: Log | undefined;
  readonly #shown: string;
  /** What was logged since it last worked: once each. */
  readonly #told = new Set<string>();
  #trouble: Error | undefined;
  #refusal: Error | undefined;
  #underway = 0;

  constructor(address: RedisAddress, log?: Log) {
    this.#log = log;
    this.#wait = address.wait;
    this.#shown = address.shown;
    this.#line = this.#open(address);
    if (address.wait > 0) this.#durable = this.#open(address);
  }

  /** The last thing that went wrong with the connection itself, until it is there again. */
  get trouble(): string | undefined {
    return (this.#refusal ?? this.#trouble)?.message;
  }

  get isCluster(): boolean {
    return this.#line.client instanceof Cluster;
  }

  /** All commands but INFO, TIME and SCAN have a key: a cluster sends them where it lives. */
  send(name: string, ...parameters: Argument[]): Promise<unknown> {
    return this.#patiently(this.#line, (client) => client.call(name, parameters));
  }

  /**
   * For what a durable write relies on. Only in a cluster it waits for replicas: a single server's have
   * all that came before what they have.
   */
  sendDurably(name: string, ...parameters: Argument[]): Promise<unknown> {
    if (this.#durable === undefined || !this.isCluster) return this.send(name, ...parameters);
    return this.#patiently(this.#durable, (client) => this.#andWait(client, name, parameters));
  }

  run(script: Script, key: string, ...parameters: Argument[]): Promise<unknown> {
    return this.#patiently(this.#line, (client) =>
      evaluate((name, all) => client.call(name, all), script, [key, ...parameters]),
    );
  }

  /** The same, and then waits until as many replicas have it as the address says. */
  runDurably(script: Script, key: string, ...parameters: Argument[]): Promise<unknown> {
    if (this.#durable === undefined) return this.run(script, key, ...parameters);
    return this.#patiently(this.#durable, (client) =>
      evaluate((name, all) => this.#andWait(client, name, all), script, [key, ...parameters]),
    );
  }

  /** One for each master: the one, or all of a cluster. For what concerns a whole server. */
  masters(): {
    name: string;
    send: (name: string, ...parameters: Argument[]) => Promise<unknown>;
  }[] {
    const { client } = this.#line;
    const nodes = client instanceof Cluster ? client.nodes('master') : [client];
    return nodes.map((node) => ({
      name: node === client ? this.#shown : `${node.options.host}:${node.options.port}`,
      send: (name, ...parameters) => this.#patiently(this.#line, () => node.call(name, parameters)),
    }));
  }

  close(): void {
    this.#line.client.disconnect();
    this.#durable?.client.disconnect();
  }

  /** On one connection, for WAIT asks about the writes of its own. */
  async #andWait(client: Client, name: string, parameters: Argument[]): Promise<unknown> {
    const pipeline = client.pipeline().call(name, parameters).wait(this.#wait, replicationMs);
    const [[error, answer] = [], [waitError, acknowledged] = []] = (await pipeline.exec()) ?? [];
    const failure = error ?? waitError;
    if (failure !== null && failure !== undefined) {
      // The library learns where a slot is now from single commands only.
      if (client instanceof Cluster) client.refreshSlotsCache();
      throw failure;
    }
    if (Number(acknowledged) < this.#wait) throw notReplicated(Number(acknowledged), this.#wait);
    return answer;
  }

  /** Repeats what failed for a reason that passes, until patience ends. */
  async #patiently<T>(line: Line, attempt: (client: Client) => Promise<T>): Promise<T> {
    if (this.#underway >= mostUnderway) throw busy();
    this.#underway += 1;
    try {
      const giveUpAt = performance.now() + patienceMs;
      for (let count = 0; ; count += 1) {
        try {
          return await bounded(line, attempt, giveUpAt - performance.now());
        } catch (error) {
          const pause = retryDelay(count);
          const refusal = this.#refusal;
          const isHopeless =
            !isPassing(error) || error instanceof TimedOut || refusal !== undefined;
          if (isHopeless || performance.now() + pause >= giveUpAt) throw explain(refusal ?? error);
          await delay(pause);
        }
      }
    } finally {
      this.#underway -= 1;
    }
  }

  #open(address: RedisAddress): Line {
    const line: Line = { client: createClient(address), waiting: new Set() };
    const failed = (error: Error) => {
      // With this user or password the server wants no connection: nothing to wait for.
      if (isRefusal(error)) this.#refusal = error;
      this.#trouble = error;
      if (this.#told.has(error.message)) return;
      this.#told.add(error.message);
      this.#log?.error('the connection to Redis failed', { error: error.message });
    };
    line.client.on('error', failed);
    // One node of a cluster: the others go on, and its slots move.
    line.client.on('node error', failed);
    line.client.on('ready', () => {
      if (this.#trouble !== undefined) this.#log?.info('connected to Redis again');
      this.#trouble = undefined;
      this.#told.clear();
      this.#refusal = undefined;
    });
    // What was sent and not answered is for us to repeat: the library would keep it for as long as it takes.
    line.client.on('close', () => {
      for (const end of line.waiting) end(new Lost());
    });
    return line;
  }
}

function isRefusal(error: Error): boolean {
  return /^(WRONGPASS|NOAUTH|NOPERM)$/.test(replyCode(error) ?? '');
}

function retryDelay(count: number): number {
  return Math.min(longestRetryDelayMs, 20 * 2 ** Math.min(count, 6)) * (0.5 + Math.random());
}

async function bounded<T>(
  { client, waiting }: Line,
  attempt: (client: Client) => Promise<T>,
  milliseconds: number,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let end: (reason: Error) => void = () => {};
  const ended = new Promise<never>((_, reject) => {
    end = reject;
    timer = setTimeout(() => reject(new TimedOut()), Math.max(0, milliseconds));
  });
  waiting.add(end);
  try {
    return await Promise.race([attempt(client), ended]);
  } finally {
    waiting.delete(end);
    clearTimeout(timer);
  }
}

/** By its hash; a server that was restarted or flushed does not know it and is sent the text. */
async function evaluate(
  call: (name: string, parameters: Argument[]) => Promise<unknown>,
  script: Script,
  rest: Argument[],
): Promise<unknown> {
  try {
    return await call('evalsha', [script.sha, 1, ...rest]);
  } catch (error) {
    if (replyCode(error) !== 'NOSCRIPT') throw error;
    return call('eval', [script.lua, 1, ...rest]);
  }
}
