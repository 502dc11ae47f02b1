/**
 * What the owner of a stream may set, within which bounds (Shared Signals Framework 1.0 §8.1.1). Fields are named as
 * they come over the wire, so that whoever is refused knows what to mend.
 */

import { createAddressList, parseAddress, specialUse } from '../base/addresses.ts';
import { fieldProblem } from './stream_problems.ts';

export type DeliveryWish =
  | { method: 'poll' }
  /** `authorization`: `null` for none; as it is when not given, unless the address is another one. */
  | { method: 'push'; url: string; authorization?: string | null | undefined };

/** `undefined`: as it is. `null`: as if it had never been set. */
export interface StreamWish {
  delivery?: DeliveryWish | null | undefined;
  requested?: readonly string[] | null | undefined;
  description?: string | null | undefined;
}

export const bounds = {
  url: 2048,
  authorization: 2048,
  requested: 50,
  type: 300,
  description: 1000,
  reason: 500,
  state: 2048,
} as const;

export function checkLength(field: string, value: string, most: number): void {
  if (value.length > most) throw fieldProblem(field, `At most ${most} characters are kept of it.`);
}

/** @throws {Problem} `field_invalid` 400 with `details.field` */
export function checkWish(wish: StreamWish, allowPrivate: readonly string[]): void {
  const { delivery, requested, description } = wish;
  if (delivery?.method === 'push') checkPush(delivery, allowPrivate);
  if ((requested?.length ?? 0) > bounds.requested) {
    throw fieldProblem('events_requested', `At most ${bounds.requested} types can be asked for.`);
  }
  for (const type of requested ?? []) checkLength('events_requested', type, bounds.type);
  checkLength('description', description ?? '', bounds.description);
}

function checkPush(
  { url, authorization }: Extract<DeliveryWish, { method: 'push' }>,
  allowPrivate: readonly string[],
): void {
  const complaint = complainOfPushAddress(url, allowPrivate);
  if (complaint !== undefined) throw fieldProblem('delivery.endpoint_url', complaint);
  if (authorization === undefined || authorization === null) return;
  checkLength('delivery.authorization_header', authorization, bounds.authorization);
  // RFC 9110 §5.5. A line break would begin a header of the receiver's choice.
  if (!/^[!-~]([ -~]*[!-~])?$/.test(authorization)) {
    throw fieldProblem('delivery.authorization_header', 'It cannot be sent as a header.');
  }
}

/**
 * Judged by the address as it is written, to tell of it early. The guard of outgoing requests judges each
 * connection by where its name leads then; plain http goes to networks that the operator allows, and nowhere else.
 */
function complainOfPushAddress(text: string, allowPrivate: readonly string[]): string | undefined {
  const url = URL.parse(text);
  if (url === null || text.length > bounds.url) return 'It is no address, or too long a one.';
  if (url.username !== '' || url.password !== '' || text.includes('#')) {
    return 'It has a user name, a password or a fragment.';
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'It must begin with https://.';
  const isLocalName = url.hostname === 'localhost' || url.hostname.endsWith('.localhost');
  const address = parseAddress(isLocalName ? '127.0.0.1' : url.hostname);
  const plain = url.protocol === 'http:';
  if (address === undefined) {
    return plain && allowPrivate.length === 0 ? 'It must begin with https://.' : undefined;
  }
  if (createAddressList(allowPrivate).has(address)) return undefined;
  if (specialUse(address) !== undefined) return 'Requests may not go to this network.';
  return plain ? 'It must begin with https://.' : undefined;
}
