/**
 * Collections and indexes, looked after at every start, and the schema's number in a row of its own.
 * Steps only go forward, and running one twice, or twice at once, does no harm.
 */

import type { CreateIndexesOptions, IndexDescription } from 'mongodb';
import { Problem } from '../../base/errors.ts';
import { kinds } from '../kinds.ts';
import type { Kind } from '../kinds.ts';
import { isDuplicateKey } from './failure.ts';
import { allKinds } from './rows.ts';
import type { Tables } from './rows.ts';

/** What has to be done to the rows of an older version. A released step is never edited. */
const steps: readonly ((tables: Tables) => Promise<void>)[] = [
  // The first: there are no older rows, and the indexes are made below.
  async () => {},
];

const schemaVersion = steps.length;

/** `sweep` deletes what has expired. A net for a service that does not run for long. */
const netSeconds = 24 * 60 * 60;

/** @throws {Problem} the database belongs to a newer Tollgate, or to another program */
export async function migrate(tables: Tables): Promise<void> {
  const version = await recognisedVersion(tables);
  await Promise.all([
    ...allKinds.map((kind) => tables.of(kind).createIndexes(indexesOf(kind))),
    tables.counters.createIndexes([{ key: { expiresAt: 1 }, expireAfterSeconds: netSeconds }]),
  ]);
  for (let done = version; done < schemaVersion; done += 1) {
    await steps[done]?.(tables);
    await noteVersion(tables, done + 1);
  }
}

/**
 * Sparse, so that a write touches only what its row has. A row that may have events that wait is never
 * left to a time to live: the server would not see them.
 */
function indexesOf(kind: Kind): IndexDescription[] {
  const { indexes, unique, due, eventless } = kinds[kind];
  const sparse: CreateIndexesOptions = { sparse: true };
  const list: IndexDescription[] = [{ key: { deletedAt: 1 }, ...sparse }];
  if (indexes !== undefined || unique !== undefined) list.push({ key: { entries: 1, _id: 1 } });
  if (unique !== undefined) list.push({ key: { unique: 1 }, unique: true, ...sparse });
  const net = eventless === true ? { expireAfterSeconds: netSeconds } : {};
  if (due !== undefined) list.push({ key: { due: 1 }, ...sparse, ...net });
  if (eventless !== true) list.push({ key: { pending: 1 }, ...sparse });
  return list;
}

async function recognisedVersion(tables: Tables): Promise<number> {
  const version = await notedVersion(tables);
  if (version === undefined) {
    if (!(await isEmpty(tables)) && (await notedVersion(tables)) === undefined) {
      throw new Problem('store_foreign', 500, 'It holds documents of another program.');
    }
    return 0;
  }
  if (version > schemaVersion) {
    throw new Problem(
      'store_newer',
      500,
      `A newer version made it (schema ${version}; this one knows ${schemaVersion}).`,
      { details: { schema: version, known: schemaVersion } },
    );
  }
  return version;
}

async function notedVersion(tables: Tables): Promise<number | undefined> {
  return (await tables.facts.findOne({ _id: 'schema' }))?.version;
}

async function isEmpty(tables: Tables): Promise<boolean> {
  const found = await Promise.all(
    allKinds.map((kind) => tables.of(kind).findOne({}, { projection: { _id: 1 } })),
  );
  return found.every((row) => row === null);
}

/** Never back: another process may have gone further. */
async function noteVersion(tables: Tables, version: number): Promise<void> {
  try {
    await tables.facts.updateOne(
      { _id: 'schema', version: { $lt: version } },
      { $set: { version } },
      { upsert: true },
    );
  } catch (error) {
    // It is there, and not lower.
    if (!isDuplicateKey(error)) throw error;
  }
}
