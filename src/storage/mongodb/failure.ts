/** What MongoDB and its driver say when they cannot, in words for the log, the operator and the caller. */

import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
} from 'mongodb';
import { Problem } from '../../base/errors.ts';

const retryAfterSeconds = 1;

interface Meaning {
  code: string;
  message: string;
  /** It passes by itself, mostly within a second or two: the command is repeated. */
  passes: boolean;
}

const unavailable: Meaning = {
  code: 'store_unavailable',
  message: 'The database cannot be reached.',
  passes: true,
};
const slow: Meaning = {
  code: 'store_unavailable',
  message: 'The database did not answer in time.',
  passes: true,
};
const noPrimary: Meaning = {
  code: 'store_read_only',
  message: 'The database takes no writes at the moment.',
  passes: true,
};
const tooFew: Meaning = {
  code: 'store_unavailable',
  message: 'Too few members of the database confirm writes.',
  passes: true,
};
const refused: Meaning = {
  code: 'store_unauthorized',
  message: 'The database does not accept the user or its password.',
  passes: false,
};
const forbidden: Meaning = {
  code: 'store_unauthorized',
  message: 'The database does not allow its user to do this.',
  passes: false,
};
const readOnly: Meaning = { ...noPrimary, passes: false };
const full: Meaning = {
  code: 'store_full',
  message: 'The disk of the database is full.',
  passes: false,
};

/** https://www.mongodb.com/docs/manual/reference/error-codes */
const meanings = new Map<unknown, Meaning>([
  [6, unavailable], // HostUnreachable
  [7, unavailable], // HostNotFound
  [13, forbidden], // Unauthorized
  [18, refused], // AuthenticationFailed
  [43, unavailable], // CursorNotFound
  [50, slow], // MaxTimeMSExpired
  [63, unavailable], // StaleShardVersion
  [64, tooFew], // WriteConcernTimeout
  [89, slow], // NetworkTimeout
  [91, unavailable], // ShutdownInProgress
  [100, { ...tooFew, passes: false }], // UnsatisfiableWriteConcern
  [112, slow], // WriteConflict
  [133, unavailable], // FailedToSatisfyReadPreference
  [150, unavailable], // StaleEpoch
  [189, noPrimary], // PrimarySteppedDown
  [202, slow], // NetworkInterfaceExceededTimeLimit: mongos, of a shard
  [262, slow], // ExceededTimeLimit
  [371, readOnly], // UserWritesBlocked
  [8000, refused], // a hosted server's word for it
  [9001, unavailable], // SocketException
  [10_058, noPrimary], // LegacyNotPrimary
  [10_107, noPrimary], // NotWritablePrimary
  [11_600, unavailable], // InterruptedAtShutdown
  [11_602, unavailable], // InterruptedDueToReplStateChange
  [13_388, unavailable], // StaleConfig
  [13_435, unavailable], // NotPrimaryNoSecondaryOk
  [13_436, unavailable], // NotPrimaryOrSecondary
  [14_031, full], // OutOfDiskSpace
]);

/** By name: the driver does not export the classes of all of them. */
const driverMeanings = new Map<unknown, Meaning>([
  ['MongoNetworkTimeoutError', slow],
  ['MongoOperationTimeoutError', slow],
  ['MongoWaitQueueTimeoutError', slow],
  ['MongoServerClosedError', unavailable],
  ['MongoTopologyClosedError', unavailable],
  ['MongoNotConnectedError', unavailable],
]);

/** Of several changes in one command the driver says only that they failed, and why inside. */
function reasonOf(error: unknown): unknown {
  const inside: unknown = error instanceof MongoBulkWriteError ? error.errorResponse : undefined;
  return inside instanceof MongoError ? inside : error;
}

function meaningOf(thrown: unknown): Meaning | undefined {
  const error = reasonOf(thrown);
  if (!(error instanceof MongoError)) return undefined;
  const known = meanings.get(error.code) ?? driverMeanings.get(error.name);
  if (known !== undefined) return known;
  if (error instanceof MongoWriteConcernError) return tooFew;
  if (error instanceof MongoNetworkError) return unavailable;
  if (error instanceof MongoServerSelectionError) return unavailable;
  const labels = ['RetryableWriteError', 'RetryableError', 'SystemOverloadedError'];
  return labels.some((label) => error.hasErrorLabel(label)) ? unavailable : undefined;
}

/**
 * Whether it is worth while to ask again. All that is asked may be asked again: a write carries its
 * id.
 */
export function passes(error: unknown): boolean {
  return tooOld(error) === undefined && (meaningOf(error)?.passes ?? false);
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11_000;
}

export function busyProblem(): Problem {
  return new Problem('store_busy', 503, 'The database is busy. Try again.', { retryAfterSeconds });
}

/** A Problem for what MongoDB reports of itself; everything else is handed back as it is. */
export function explain(error: unknown): unknown {
  const old = tooOld(error);
  if (old !== undefined) return old;
  const meaning = meaningOf(error);
  if (meaning === undefined) return error;
  const { code, message } = meaning;
  return new Problem(code, 503, message, { cause: error, retryAfterSeconds });
}

/** What the wire versions that the driver no longer speaks were called. */
const releases: Record<string, string> = { 6: '3.6', 7: '4.0', 8: '4.2' };
const oldest = '4.4';

function tooOld(error: unknown): Problem | undefined {
  const wire = complaints(error)
    .map((text) => /reports (?:maximum )?wire version (\d+), .* at least/.exec(text)?.[1])
    .find((number) => number !== undefined);
  if (wire === undefined) return undefined;
  const found = releases[wire] ?? 'one before it';
  const sentence = `The database is MongoDB ${found}: version ${oldest} or a later one is needed.`;
  return new Problem('store_too_old', 503, sentence, { details: { found, needed: oldest } });
}

/** Where no server is fit, each server has a reason of its own. */
function complaints(error: unknown): string[] {
  if (!(error instanceof MongoServerSelectionError)) return [];
  const servers = [...(error.reason?.servers.values() ?? [])];
  return [
    error.reason?.compatibilityError ?? '',
    ...servers.map(({ error: failure }) => failure?.message ?? ''),
  ];
}
