/** A stream as its owner sees it (SSF 1.0 §8.1.1). Never with its authorization header: that is a secret. */

import { supportedSetTypes } from '../events/encodings/set_types.ts';
import { fieldProblem } from '../events/stream_problems.ts';
import { deliveredTypes } from '../events/stream_receivers.ts';
import type { Stream } from '../events/stream_receivers.ts';
import { minVerificationSeconds } from '../events/streams.ts';
import type { JsonObject } from '../web/json.ts';
import { pollMethod, pushMethod } from './fields.ts';

export function streamJson(issuer: string, { id, document }: Stream): JsonObject {
  const { audience, method, url, requested, description } = document;
  return {
    stream_id: id,
    iss: issuer,
    aud: audience,
    events_supported: supportedSetTypes,
    ...(requested === undefined ? {} : { events_requested: requested }),
    events_delivered: deliveredTypes(requested),
    delivery:
      method === 'push'
        ? { method: pushMethod, endpoint_url: url }
        : { method: pollMethod, endpoint_url: `${issuer}/ssf/poll/${id}` },
    min_verification_interval: minVerificationSeconds,
    ...(description === undefined ? {} : { description }),
  };
}

export function statusJson({ id, document: { status, statusReason } }: Stream): JsonObject {
  return {
    stream_id: id,
    status,
    ...(statusReason === undefined ? {} : { reason: statusReason }),
  };
}

/** What the receiver may say, but not change (§8.1.1.3: "they MUST match the expected value"). */
export function checkSupplied(issuer: string, stream: Stream, body: JsonObject): void {
  const expected = streamJson(issuer, stream);
  for (const name of ['iss', 'aud', 'events_supported', 'min_verification_interval']) {
    const given = Object.hasOwn(body, name) ? body[name] : undefined;
    if (given !== undefined && !isSame(given, expected[name])) {
      throw fieldProblem(name, 'It cannot be changed.');
    }
  }
  // Follows from `events_requested`, in what is asked for now or in what it was.
  const delivered = Object.hasOwn(body, 'events_delivered') ? body.events_delivered : undefined;
  const requested = Array.isArray(body.events_requested)
    ? (body.events_requested as string[])
    : undefined;
  if (delivered === undefined || isSame(delivered, expected.events_delivered)) return;
  if (!isSame(delivered, deliveredTypes(requested))) {
    throw fieldProblem('events_delivered', 'It cannot be changed.');
  }
}

/** Lists in any order; an audience also as a list of one. */
function isSame(given: unknown, expected: unknown): boolean {
  if (given === expected) return true;
  const [one, other] = [[given].flat(), [expected].flat()];
  return one.length === other.length && one.every((value) => other.includes(value));
}
