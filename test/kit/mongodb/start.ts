/**
 * A server that speaks MongoDB's protocol, for tests on a machine without the real one. With
 * `TEST_MONGODB_URL` the tests use that server instead.
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MongoClient } from 'mongodb';

const here = import.meta.dirname;
const cache = join(here, '..', '..', '..', 'node_modules', '.cache', 'mongodb-for-tests');

/** Of MongoDB 5.0: the oldest that has what drivers ask for. */
const defaultWireVersion = 13;
/** It lives for a few tests: a quick start is worth more than speed. */
const javaOptions = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dslf4j.internal.verbosity=ERROR',
];
const mavenLimitMs = 120_000;
const startLimitMs = 30_000;

export interface TestMongodb {
  /** Without a database. */
  url: string;
  port: number;
  /** As a power cut would; what it keeps in a file stays. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export interface StartOptions {
  /** Where it keeps its documents, also when it is killed; in memory without one. */
  file?: string;
  port?: number;
  wireVersion?: number;
}

/** It ends with this process, however that ends. */
export async function startMongodb(options: StartOptions = {}): Promise<TestMongodb> {
  const { file, port = 0, wireVersion = defaultWireVersion } = options;
  const child = spawn(
    'java',
    [
      ...javaOptions,
      '-cp',
      join(await libraries(), '*'),
      join(here, 'Launcher.java'),
      String(port),
      String(wireVersion),
      ...(file === undefined ? [] : [file]),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  const taken = await Promise.race([portOf(child), ended.then(() => NaN)]);
  if (!(taken > 0)) throw new Error('the MongoDB server for tests does not start');
  // Nothing is kept alive for it: it notices when its input ends.
  child.unref();
  return {
    url: `mongodb://127.0.0.1:${taken}`,
    port: taken,
    kill: async () => {
      child.ref();
      child.kill('SIGKILL');
      await ended;
    },
    close: async () => {
      child.ref();
      child.stdin?.end();
      await ended;
    },
  };
}

async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('the server has no standard output');
  const limit = setTimeout(() => child.kill('SIGKILL'), startLimitMs);
  try {
    for await (const line of createInterface({ input: child.stdout })) return Number(line);
    return NaN;
  } finally {
    clearTimeout(limit);
  }
}

/** Fetched once, and again when `pom.xml` changes. @returns the folder of the Java archives */
async function libraries(): Promise<string> {
  const pom = join(here, 'pom.xml');
  const version = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 16);
  const folder = join(cache, version);
  if (existsSync(folder)) return folder;
  // Whole or not at all, also when several processes begin at once.
  const fresh = join(cache, `fetching-${randomBytes(8).toString('hex')}`);
  await mkdir(fresh, { recursive: true });
  await maven(['-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fresh}`]);
  try {
    await rename(fresh, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    await rm(fresh, { recursive: true });
  }
  return folder;
}

async function maven(parameters: readonly string[]): Promise<void> {
  const child = spawn('mvn', ['-q', '-B', ...parameters], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: mavenLimitMs,
    killSignal: 'SIGKILL',
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error('Maven could not fetch the MongoDB server for tests');
}

const lazily: { url?: Promise<string | undefined> } = {};

/** @returns undefined where there is no server to be had; then the tests of it are left out, visibly */
export function mongodbUrl(): Promise<string | undefined> {
  lazily.url ??= findOrStart();
  return lazily.url;
}

async function findOrStart(): Promise<string | undefined> {
  const given = process.env.TEST_MONGODB_URL ?? process.env.TOLLGATE_TEST_MONGODB;
  if (given !== undefined) return given;
  try {
    return (await startMongodb()).url;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (process.env.TOLLGATE_TEST_REQUIRE === 'all') {
      throw new Error(`There is no MongoDB, and all tests are required: ${reason}`, {
        cause: error,
      });
    }
    process.stderr.write(`\nNOT TESTED: MongoDB. It needs Java and Maven: ${reason}\n\n`);
    return undefined;
  }
}

export interface TestDatabase {
  /** The connection string, with the name of the database. */
  address: string;
  name: string;
  drop(): Promise<void>;
}

/** An empty database of its own. */
export function testDatabase(url: string): TestDatabase {
  const name = `tollgate_test_${randomBytes(8).toString('hex')}`;
  const address = withDatabase(url, name);
  return {
    address,
    name,
    drop: async () => {
      const client = new MongoClient(address);
      try {
        await client.db(name).dropDatabase();
      } finally {
        await client.close();
      }
    },
  };
}

/** Who signs in by another database than the one that is used has to say so. */
function withDatabase(url: string, name: string): string {
  const [, start = '', path, query] =
    /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url) ?? [];
  const parameters = new URLSearchParams(query);
  if (start.includes('@') && !parameters.has('authSource')) {
    parameters.set('authSource', path || 'admin');
  }
  const rest = parameters.toString();
  return `${start}/${name}${rest === '' ? '' : `?${rest}`}`;
}
