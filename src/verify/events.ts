/**
 * What an event says, whichever of the three encodings it came in (`logout.ts`, `set.ts`, `webhook.ts`), and
 * what it does: a rule for the denylist where it has one, and a word to the caller's `onEvent`.
 */

import type { Rule, Subject } from './denylist.ts';
import { VerifyError } from './errors.ts';
import type { EventReason } from './errors.ts';
import { isObject } from './http.ts';

export interface ReceivedEvent {
  encoding: 'logout_token' | 'set' | 'webhook';
  /** The address of the event type, or of a webhook its name: `member.removed`. */
  type: string;
  /** `jti`, or `webhook-id`. */
  id: string;
  issuer: string;
  /** When it took effect, in seconds since the epoch. */
  at: number;
  /** Whom it is about, as far as it says. */
  subject: Subject;
  /** What the event says beside that. */
  data: Readonly<Record<string, unknown>>;
  /** Whether it is no news, but a sign of life: SSF 1.0 §8.1.4 `verification`, or `ping`. */
  heartbeat: boolean;
  /** What the denylist does with tokens of before. Absent: nothing. */
  denies?: Rule['kind'];
}

export interface Understood {
  event: ReceivedEvent;
  rule?: Rule;
  /** How long it is remembered, so that it has an effect once. */
  seenSeconds: number;
  /** Whether it shows that the stream is alive. */
  alive: boolean;
}

/** Retries go on for two days, and an answer may be lost. */
export const seenSeconds = 3 * 86_400;

/** An id of Tollgate's: `sub` has at most 255 characters, and so has the rest. */
export function readId(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 255 ? value : undefined;
}

/** @throws {VerifyError} `event_invalid` */
export function requireId(value: unknown, name: string): string {
  return readId(value) ?? refuse(`There is no usable ${name}.`);
}

/** @throws {VerifyError} `event_invalid` */
export function requireObject(value: unknown, name: string): Record<string, unknown> {
  return isObject(value) ? value : refuse(`${name} is not an object.`);
}

/** @throws {VerifyError} `event_invalid` */
export function refuse(message: string, reason: EventReason = 'invalid_request'): never {
  throw new VerifyError('event_invalid', { message, reason });
}
