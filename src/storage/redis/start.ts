/** What is asked of a server before anything is kept in it, and what its operator is told. */

import { Problem } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { ServerClock } from './clock.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';

/** The layout of the keys. A greater one belongs to a newer version. */
const schemaVersion = 1;
const oldest = [6, 2] as const;

/** @throws {Problem} with a sentence for the operator */
export async function prepare(
  connection: Connection,
  { keys, clock, log }: { keys: Keys; clock: ServerClock; log?: Log | undefined },
): Promise<void> {
  // The first command of a cluster: by it the masters become known.
  await recogniseSchema(connection, keys);
  for (const { name, send } of connection.masters()) {
    const facts = factsOf(String(await send('info')));
    checkServer(name, facts);
    if (facts.get('aof_enabled') !== '1') {
      log?.warn(
        'Redis keeps no append-only file: when it stops, everybody who signed in since its last snapshot is signed out, and events are lost',
        { server: name, remedy: 'appendonly yes' },
      );
    }
    const [seconds, microseconds] = (await send('time')) as [string, string];
    clock.set(Number(seconds) * 1_000_000 + Number(microseconds));
  }
}

function factsOf(info: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) facts.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return facts;
}

function checkServer(name: string, facts: Map<string, string>): void {
  const version = facts.get('redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new Problem(
      'store_too_old',
      500,
      `Redis ${version} at ${name} is too old: ${oldest.join('.')} is needed.`,
    );
  }
  if (facts.get('role') !== 'master') {
    throw new Problem(
      'store_read_only',
      500,
      `The Redis at ${name} is a replica. Name its master, or the Sentinels that know it.`,
    );
  }
  const policy = facts.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    throw new Problem(
      'store_evicts',
      500,
      `The Redis at ${name} throws documents away when its memory is full (maxmemory-policy ${policy}). Set maxmemory-policy noeviction.`,
    );
  }
}

async function recogniseSchema(connection: Connection, keys: Keys): Promise<void> {
  await connection.send('set', keys.schema, schemaVersion, 'NX');
  const schema = Number(await connection.send('get', keys.schema));
  if (schema > schemaVersion) {
    throw new Problem(
      'store_newer',
      500,
      `A newer version made what is in Redis (schema ${schema}; this one knows ${schemaVersion}).`,
      { details: { schema, known: schemaVersion } },
    );
  }
}
