/** What Redis says when it cannot, in words for the log, the operator and the caller. */

import { Problem } from '../../base/errors.ts';

const retryAfterSeconds = 1;

/** By the first word of the reply: https://redis.io/docs/latest/develop/reference/protocol-spec/ */
const meanings: Record<string, readonly [code: string, message: string]> = {
  READONLY: ['store_read_only', 'The hot store cannot be written: it is a replica.'],
  MISCONF: ['store_read_only', 'The hot store cannot be written: its disk fails.'],
  OOM: ['store_full', 'The memory of the hot store is full.'],
  NOAUTH: ['store_forbidden', 'The hot store asks for a password.'],
  WRONGPASS: ['store_forbidden', 'The hot store refuses the user name or the password.'],
  NOPERM: ['store_forbidden', 'The user of the hot store may not do what is needed.'],
};

/** What passes by itself: a server that has no connection left, one that starts, a failover, slots that move. */
const passing = new Set(
  'CROWDED LOADING BUSY READONLY MASTERDOWN NOREPLICAS CLUSTERDOWN TRYAGAIN MOVED ASK'.split(' '),
);

/** No answer in time. The command may still be carried out: who repeats it must expect that. */
export class TimedOut extends Error {
  constructor() {
    super('no answer in time');
    this.name = 'TimedOut';
  }
}

/** The connection was lost before the answer came: whether the command was carried out nobody knows. */
export class Lost extends Error {
  constructor() {
    super('the connection was lost');
    this.name = 'Lost';
  }
}

/** Before 7.0 what a script came to is inside of a sentence: `ERR Error running script (…): …: -OOM …`. */
const inScript = /^ERR Error running script .*? -([A-Z]+) /;
/** Has no word of its own. */
const crowded = 'ERR max number of clients reached';

/** The first word of an error that Redis itself answered with; undefined for any other. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  const { message } = error;
  if (message.startsWith(crowded)) return 'CROWDED';
  return inScript.exec(message)?.[1] ?? message.split(' ', 1)[0];
}

/** Waiting may help. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof Problem) {
    return false;
  }
  const code = replyCode(error);
  return code === undefined || passing.has(code);
}

/**
 * A Problem for what Redis reports of itself, and for a connection that is lost; a defect is handed back as
 * it is. The cause is the text alone: the library hangs the command with all its arguments on its errors,
 * AUTH with the password too.
 */
export function explain(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof Problem) {
    return error;
  }
  const reply = replyCode(error);
  const meaning = reply === undefined ? undefined : meanings[reply];
  const cause = new Error(error.message);
  if (meaning !== undefined) {
    return new Problem(meaning[0], 503, meaning[1], { cause, retryAfterSeconds });
  }
  return isPassing(error) ? unavailable(cause) : cause;
}

function unavailable(cause?: unknown): Problem {
  const message = 'The hot store cannot be reached. Try again.';
  return new Problem('store_unavailable', 503, message, { cause, retryAfterSeconds });
}

export function busy(): Problem {
  return new Problem('store_busy', 503, 'The hot store is busy. Try again.', { retryAfterSeconds });
}

/** The write is there, so repeating it with its write id is safe and asks the replicas again. */
export function notReplicated(acknowledged: number, wanted: number): Problem {
  const message = 'Too few replicas of the hot store have the write. Try again.';
  return new Problem('store_not_replicated', 503, message, {
    details: { acknowledged, wanted },
    retryAfterSeconds,
  });
}

/** @param format of the document, written by a neighbour that is a version ahead */
export function newer(format: unknown): Problem {
  const message = 'A newer version of this service wrote the document.';
  return new Problem('store_newer', 503, message, { details: { format }, retryAfterSeconds });
}
