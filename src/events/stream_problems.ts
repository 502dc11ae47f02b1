/** What owners of streams are refused, in one place: the statuses are those of SSF 1.0 §8.1. */

import { Problem } from '../base/errors.ts';

/** @param field as it comes over the wire, such as `delivery.endpoint_url` */
export function fieldProblem(field: string, message: string): Problem {
  return new Problem('field_invalid', 400, message, { details: { field } });
}

/** Also for a stream of somebody else, of which not even this is said: that it is there. */
export function notFound(): Problem {
  return new Problem('stream_not_found', 404, 'There is no such stream.');
}

export function tooMany(most: number): Problem {
  return new Problem('streams_too_many', 409, `A client may have ${most} streams.`);
}

export function subjectsTooMany(most: number): Problem {
  const message = `At most ${most} subjects can be removed from a stream.`;
  return new Problem('subjects_too_many', 409, message);
}

export function tooSoon(leftMs: number): Problem {
  return new Problem('rate_limited', 429, 'It was verified a moment ago. Try again later.', {
    retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)),
  });
}

export function busy(): Problem {
  return new Problem('busy', 503, 'This stream changes all the time.', { retryAfterSeconds: 1 });
}
