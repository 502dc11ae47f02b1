/** What an outgoing request can come to. The reasons are causes: for the log, never for a page. */

import { Problem } from './errors.ts';

export function refused(reason: string): Problem {
  return new Problem('outgoing_refused', 502, 'A request to another server was not allowed.', {
    cause: new Error(reason),
  });
}

export function failed(cause: unknown): Problem {
  return new Problem('outgoing_failed', 502, 'A request to another server failed.', { cause });
}

export function timedOut(cause: unknown): Problem {
  return new Problem('outgoing_timeout', 504, 'Another server did not answer in time.', { cause });
}
