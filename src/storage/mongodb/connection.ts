/** The connection string: what is taken from it, what is set over it, and how it is named to people. */

import { MongoClient, MongoServerError, MongoServerSelectionError } from 'mongodb';
import type { MongoClientOptions } from 'mongodb';
import { Problem } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { explain } from './failure.ts';

const defaultDatabase = 'tollgate';

/** Unless the connection string says otherwise. A socket outlasts the wait for a majority. */
const bounds = {
  appName: 'tollgate',
  serverSelectionTimeoutMS: 5000,
  connectTimeoutMS: 5000,
  socketTimeoutMS: 8000,
  waitQueueTimeoutMS: 5000,
  maxPoolSize: 50,
  maxConnecting: 4,
  maxIdleTimeMS: 10 * 60_000,
} as const satisfies MongoClientOptions;

/** Whatever the connection string says: what a write and a read promise is not a setting. */
const promises = {
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: 5000 },
  readPreference: 'primary',
} as const;

export interface Connection {
  client: MongoClient;
  /** For people: hosts and database, never the user or the password. */
  place: string;
  database: string;
}

/** @throws {Problem} when nobody can read the string. Nothing of it is in the message. */
export function connectionTo(address: string): Connection {
  const database = databaseOf(address) ?? defaultDatabase;
  let client: MongoClient;
  try {
    client = new MongoClient(address, {
      ...unnamed(address),
      // Repeated by us, with an id: it needs no sessions, and what is read counts as well.
      retryWrites: false,
      retryReads: false,
    });
  } catch (error) {
    throw unreadable(error);
  }
  const { srvHost, hosts } = client.options;
  const names = srvHost ?? hosts.map(String).join(', ');
  return { client, database, place: `${database} at ${names}` };
}

/** @throws {Problem} when no database can have the name */
export function databaseIn({ client, database }: Connection) {
  try {
    return client.db(database, promises);
  } catch (error) {
    throw new Problem(
      'store_address',
      500,
      `No database of MongoDB can be called ${JSON.stringify(database.slice(0, 64))}: it has one of / \\ . " $ or a space in it.`,
      { cause: error },
    );
  }
}

/** The part behind the hosts. */
function databaseOf(address: string): string | undefined {
  const name = /^mongodb(?:\+srv)?:\/\/[^/?]+\/([^?/]+)/.exec(address)?.[1];
  if (name === undefined) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Those of our bounds that the connection string leaves open. */
function unnamed(address: string): MongoClientOptions {
  const [, query = ''] = address.split('?', 2);
  const named = new Set([...new URLSearchParams(query).keys()].map((key) => key.toLowerCase()));
  return Object.fromEntries(
    Object.entries(bounds).filter(([name]) => !named.has(name.toLowerCase())),
  );
}

function unreadable(error: unknown): Problem {
  const reason = error instanceof Error ? error.message : '';
  // The driver's other sentences may quote the string, and with it the password.
  const harmless = /^options? [\w, ]+ (is|are) not supported$/.test(reason) ? ` ${reason}.` : '';
  return new Problem(
    'store_address',
    500,
    `The MongoDB connection string cannot be read.${harmless} ` +
      'In a user name and a password, characters such as @ : / ? % are written as %40 and so on.',
  );
}

/** Waits until a server is found that takes writes. */
export async function connect(connection: Connection, log: Log | undefined): Promise<void> {
  const { client, place } = connection;
  // Without a listener it would end the process. Whoever asks next is told.
  client.on('error', (error) => {
    log?.error('the database is not usable', { database: place, error: error.message });
  });
  let told = false;
  client.on('serverDescriptionChanged', ({ newDescription }) => {
    if (told || newDescription.type !== 'Standalone') return;
    told = true;
    log?.warn('the database is a single server: what it acknowledged is lost with its disk', {
      database: place,
    });
  });
  await client.connect();
}

/** What went wrong at the start, in a sentence for the operator that names the place. */
export function unusable(place: string, error: unknown): Problem {
  const known = explain(error);
  const problem = known instanceof Problem ? known : undefined;
  const because = reasonOf(error);
  return new Problem(
    problem?.code ?? 'store_unavailable',
    500,
    `The database ${place} cannot be used. ${problem?.message ?? 'It failed.'}${because}`,
    { cause: error, details: { ...problem?.details, database: place } },
  );
}

/** Where no server is found the driver says why; of all else the name of the failure is enough. */
function reasonOf(error: unknown): string {
  if (error instanceof MongoServerSelectionError) return ` (${error.message})`;
  if (error instanceof MongoServerError) return ` (${error.codeName ?? error.code})`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? ` (${code})` : '';
}
