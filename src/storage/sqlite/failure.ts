/** What SQLite says when it cannot, in words for the log, the operator and the caller. */

import { Problem } from '../../base/errors.ts';

/** Result codes: https://www.sqlite.org/rescode.html. The low byte is the primary one. */
const busy = 5;
const fsyncFailed = 1034;

const retryAfterSeconds = 1;

interface Meaning {
  code: string;
  status: number;
  message: string;
}

const meanings: Record<number, Meaning> = {
  3: { code: 'store_read_only', status: 503, message: 'The database cannot be written.' },
  [busy]: { code: 'store_busy', status: 503, message: 'The database is busy. Try again.' },
  6: { code: 'store_busy', status: 503, message: 'The database is busy. Try again.' },
  7: { code: 'store_failed', status: 503, message: 'The database ran out of memory.' },
  8: { code: 'store_read_only', status: 503, message: 'The database cannot be written.' },
  10: { code: 'store_failed', status: 503, message: 'The disk of the database failed.' },
  11: { code: 'store_damaged', status: 503, message: 'The database is damaged.' },
  13: { code: 'store_full', status: 503, message: 'The disk of the database is full.' },
  14: { code: 'store_unavailable', status: 503, message: 'The database cannot be opened.' },
  26: { code: 'store_damaged', status: 503, message: 'The file is not a database.' },
};

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

function meaningOf(error: unknown): Meaning | undefined {
  const code = resultCode(error);
  return code === undefined ? undefined : meanings[code & 0xff];
}

/** Another process holds the lock: waiting helps. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code !== undefined && (code & 0xff) === busy;
}

/**
 * The database failed, not the one write that met it: nothing of the transaction may be trusted.
 */
export function isStoreFailure(error: unknown): boolean {
  return meaningOf(error) !== undefined;
}

/**
 * After a failed fsync the kernel may drop what was not written and answer the next fsync with
 * success, so that later commits would be acknowledged on top of a hole: only a restart helps.
 */
export function isFsyncFailure(error: unknown): boolean {
  return resultCode(error) === fsyncFailed;
}

export function busyProblem(cause?: unknown): Problem {
  return new Problem('store_busy', 503, 'The database is busy. Try again.', {
    cause,
    retryAfterSeconds,
  });
}

/** A Problem for what SQLite reports of itself; everything else is handed back as it is. */
export function explain(error: unknown): unknown {
  const meaning = meaningOf(error);
  if (meaning === undefined) return error;
  const { code, status, message } = meaning;
  return new Problem(code, status, message, { cause: error, retryAfterSeconds });
}
