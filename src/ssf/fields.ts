/** Members of the JSON that receivers send, each of the type that the standard gives it. Others are passed over. */

import { fieldProblem } from '../events/stream_problems.ts';
import type { DeliveryWish, StreamWish } from '../events/stream_settings.ts';
import type { JsonObject } from '../web/json.ts';

export const pushMethod = 'urn:ietf:rfc:8935';
export const pollMethod = 'urn:ietf:rfc:8936';

/** `undefined` where it is not there. */
export function optionalText(body: JsonObject, name: string): string | undefined {
  const value = own(body, name);
  if (value === undefined || typeof value === 'string') return value;
  throw fieldProblem(name, 'It must be a text.');
}

export function requiredText(body: JsonObject, name: string): string {
  const value = optionalText(body, name);
  if (value === undefined || value === '') throw fieldProblem(name, 'It is missing.');
  return value;
}

export function optionalBoolean(body: JsonObject, name: string): boolean | undefined {
  const value = own(body, name);
  if (value === undefined || typeof value === 'boolean') return value;
  throw fieldProblem(name, 'It must be true or false.');
}

export function optionalCount(body: JsonObject, name: string): number | undefined {
  const value = own(body, name);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw fieldProblem(name, 'It must be a whole number, 0 or more.');
}

export function optionalTexts(body: JsonObject, name: string): string[] | undefined {
  const value = own(body, name);
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw fieldProblem(name, 'It must be a list of texts.');
}

export function optionalObject(body: JsonObject, name: string): JsonObject | undefined {
  const value = own(body, name);
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw fieldProblem(name, 'It must be an object.');
}

/** What the receiver may set (SSF 1.0 §8.1.1). `null` takes away what was set before. */
export function wishOf(body: JsonObject): StreamWish {
  const orNull = <T>(name: string, read: (body: JsonObject, name: string) => T | undefined) =>
    own(body, name) === null ? null : read(body, name);
  const delivery = optionalObject(body, 'delivery');
  return {
    delivery: delivery === undefined ? undefined : deliveryOf(delivery),
    requested: orNull('events_requested', optionalTexts),
    description: orNull('description', optionalText),
  };
}

function deliveryOf(delivery: JsonObject): DeliveryWish {
  const within = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw nested(error);
    }
  };
  const method = within(() => requiredText(delivery, 'method'));
  // The transmitter's own address: whatever is said of it (§6.1.2).
  if (method === pollMethod) return { method: 'poll' };
  if (method !== pushMethod) {
    throw fieldProblem('delivery.method', `It must be ${pushMethod} or ${pollMethod}.`);
  }
  return {
    method: 'push',
    url: within(() => requiredText(delivery, 'endpoint_url')),
    authorization: within(() =>
      delivery.authorization_header === null
        ? null
        : optionalText(delivery, 'authorization_header'),
    ),
  };
}

function nested(error: unknown): unknown {
  const { details, message } = error as { details?: { field?: unknown }; message: string };
  const field = details?.field;
  return typeof field === 'string' ? fieldProblem(`delivery.${field}`, message) : error;
}

/** Not what every object has by birth. */
function own(body: JsonObject, name: string): unknown {
  return Object.hasOwn(body, name) ? body[name] : undefined;
}
