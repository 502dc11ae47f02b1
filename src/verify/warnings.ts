/** What an operator should hear of, while requests are answered all the same. */

export interface Warning {
  code:
    /** Keys could not be fetched. Those of the last hour are used on. */
    | 'keys_unavailable'
    /** Nothing came for `silenceSeconds`: events may be lost on their way. Once for each silence. */
    | 'stream_silent'
    /** The denylist in memory is full, and its oldest entries went before their time. */
    | 'denylist_full'
    /** The caller's store failed. */
    | 'deny_unavailable'
    /** An event was refused, or the caller's `onEvent` threw. */
    | 'event_refused'
    /** The poll client could not reach the issuer, and tries again. */
    | 'poll_failed';
  message: string;
  cause?: unknown;
}

export type Warn = (code: Warning['code'], message: string, cause?: unknown) => void;

/** A listener that throws breaks no request. */
export function warner(onWarning: ((warning: Warning) => void) | undefined): Warn {
  return (code, message, cause) => {
    try {
      onWarning?.({ code, message, ...(cause === undefined ? {} : { cause }) });
    } catch {
      // Nobody is left to be told.
    }
  };
}
