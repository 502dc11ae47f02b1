/**
 * Servers that all test files of a run share, started once: each test has a database and a prefix of its
 * own there. Runs once for each store, in one process: what is there already is left alone.
 */

import type { TestProject } from 'vitest/node';
import { startMongodb } from './mongodb/start.ts';
import { startRedis } from './redis.ts';

/** Neither a real server is named, nor one was started. */
function isUnset(name: string): boolean {
  const { env } = process;
  return env[`TEST_${name}_URL`] === undefined && env[`TOLLGATE_TEST_${name}`] === undefined;
}

export default async function setup({ name }: TestProject): Promise<() => Promise<void>> {
  const closing: (() => Promise<void>)[] = [];
  if (name.includes('mongodb') && isUnset('MONGODB')) {
    const { url, close } = await startMongodb();
    process.env.TOLLGATE_TEST_MONGODB = url;
    closing.push(close);
  }
  if (name.includes('redis') && isUnset('REDIS')) {
    const { address, stop } = await startRedis();
    process.env.TOLLGATE_TEST_REDIS = address;
    closing.push(stop);
  }
  return async () => {
    for (const close of closing) await close();
  };
}
