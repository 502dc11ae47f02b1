/** Redis for tests: one server, one watched by Sentinels, a cluster; and an empty place in one for a test. */

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Cluster, Redis } from 'ioredis';
import { freePort, startRedis } from './redis/process.ts';
import type { RedisProcess } from './redis/process.ts';

export { redisIsThere, startRedis } from './redis/process.ts';
export type { RedisProcess } from './redis/process.ts';

const run = promisify(execFile);
const longestWaitMs = 30_000;

/** @throws when it does not come true in time */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + longestWaitMs;
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) throw new Error(`it did not come about that ${what}`);
    await delay(50);
  }
}

/** What `redis-cli` prints. */
export async function cli(port: number, ...parameters: string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-p', String(port), ...parameters]);
  return stdout;
}

/** A real one that is named; that of the whole test run; otherwise one for each worker. */
let own: Promise<RedisProcess> | undefined;
export async function sharedRedis(): Promise<string> {
  const given = process.env.TEST_REDIS_URL ?? process.env.TOLLGATE_TEST_REDIS;
  if (given !== undefined && given !== '') return given;
  own ??= startRedis();
  return (await own).address;
}

export interface RedisPlace {
  /** With a prefix of its own. */
  address: string;
  prefix: string;
  /** Deletes what is under the prefix. */
  discard(): Promise<void>;
}

/** @param address such as `redis://127.0.0.1:6379` */
export function redisPlace(address: string): RedisPlace {
  const prefix = `test-${randomUUID()}`;
  const joint = address.includes('?') ? '&' : '?';
  return {
    address: `${address}${joint}prefix=${prefix}`,
    prefix,
    async discard() {
      const client = connectTo(address);
      try {
        await client.ping();
        for (const master of client instanceof Cluster ? client.nodes('master') : [client]) {
          await deleteAll(master, prefix);
        }
      } finally {
        client.disconnect();
      }
    },
  };
}

/** A bare connection, to look behind the store. */
export function connectTo(address: string): Redis | Cluster {
  if (!address.startsWith('redis+cluster://')) return new Redis(address);
  const [hosts = ''] = address.slice('redis+cluster://'.length).split(/[/?]/);
  return new Cluster(hosts.split(','));
}

async function deleteAll(master: Redis, prefix: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await master.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000);
    await Promise.all(keys.map((key) => master.unlink(key)));
    cursor = next;
  } while (cursor !== '0');
}

export interface RedisCluster {
  address: string;
  nodes: RedisProcess[];
  stop(): Promise<void>;
}

/** Three masters with a replica each. */
export async function startRedisCluster(
  settings: Record<string, string> = {},
): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: 6 }, () =>
      startRedis({
        settings: {
          'cluster-enabled': 'yes',
          'cluster-node-timeout': '2000',
          'repl-diskless-sync-delay': '0',
          ...settings,
        },
      }),
    ),
  );
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const create = ['--cluster', 'create', ...hosts, '--cluster-replicas', '1', '--cluster-yes'];
  await run('redis-cli', create, { timeout: longestWaitMs });
  for (const { port } of nodes) {
    await until('the cluster is whole', async () =>
      (await cli(port, 'cluster', 'info')).includes('cluster_state:ok'),
    );
    await until(
      'the replicas follow',
      async () => !/link_status:down/.test(await cli(port, 'info', 'replication')),
    );
  }
  return {
    address: `redis+cluster://${hosts.join(',')}`,
    nodes,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

export interface SentinelSetup {
  address: string;
  /** The first one is the master at the beginning. */
  servers: RedisProcess[];
  stop(): Promise<void>;
}

/** A master with replicas, and three Sentinels that agree fast. */
export async function startSentinel({
  replicas = 1,
  settings = {},
}: { replicas?: number; settings?: Record<string, string> } = {}): Promise<SentinelSetup> {
  const common = { 'repl-diskless-sync-delay': '0', ...settings };
  const master = await startRedis({ settings: common });
  const followers = await Promise.all(
    Array.from({ length: replicas }, () =>
      startRedis({ settings: { ...common, replicaof: `127.0.0.1 ${master.port}` } }),
    ),
  );
  for (const { port } of followers) {
    await until('the replica follows', async () =>
      (await cli(port, 'info', 'replication')).includes('master_link_status:up'),
    );
  }
  const sentinels = await Promise.all(
    Array.from({ length: 3 }, async () => startWatching(await freePort(), master.port)),
  );
  for (const { port } of sentinels) {
    await until('the Sentinels know each other', async () => {
      const facts = await cli(port, 'sentinel', 'master', 'main');
      return facts.includes('num-other-sentinels\n2') && facts.includes(`num-slaves\n${replicas}`);
    });
  }
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`);
  return {
    address: `redis+sentinel://${hosts.join(',')}/main`,
    servers: [master, ...followers],
    stop: async () => {
      await Promise.all([...sentinels, master, ...followers].map((server) => server.stop()));
    },
  };
}

function startWatching(port: number, masterPort: number): Promise<RedisProcess> {
  return startRedis({
    port,
    sentinel: true,
    settings: {
      'sentinel monitor': `main 127.0.0.1 ${masterPort} 2`,
      'sentinel down-after-milliseconds': 'main 1000',
      'sentinel failover-timeout': 'main 5000',
      'sentinel parallel-syncs': 'main 1',
    },
  });
}
