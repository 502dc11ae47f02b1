/**
 * Security event tokens (RFC 8417) as the Shared Signals Framework 1.0 wants them: one event each, RS256, no `sub` and
 * no `exp`. Sent again it is the same token with the same `jti`, so that a receiver knows it (T67); pushed by
 * RFC 8935, or fetched by RFC 8936.
 */

import type { DeliveryDocument, NoticeDocument } from '../../storage/documents.ts';
import type { Encoded, Receiver, Sign } from '../receivers.ts';
import { setsOf } from './sets_of.ts';
import type { Subject } from './subjects.ts';

export interface StreamReceiverOptions {
  /** The `stream_id`. */
  stream: string;
  issuer: string;
  audience: string;
  /** Push: where to, and the `Authorization` header as it was given. A stream that polls has neither. */
  url?: string | undefined;
  authorization?: string | undefined;
  paused?: boolean;
  /** The types that it asked for, of `supportedSetTypes`. */
  types: ReadonlySet<string>;
  wantsSubject?(subject: Subject): boolean;
  /** See `isOfOtherProduct`. */
  product?: string | undefined;
  sign: Sign;
}

/** Beside the notices that a stream asked for, those that are about the stream itself. */
export const ownTypes: ReadonlySet<string> = new Set(['stream.verification', 'stream.updated']);

export function streamReceiver(options: StreamReceiverOptions): Receiver {
  const { stream, issuer, types, product, wantsSubject = () => true } = options;
  return {
    id: `stream:${stream}`,
    url: options.url,
    // `account-disabled` in front of an older `account-enabled` would leave the account enabled.
    inOrder: true,
    ...(options.paused === true ? { paused: true } : {}),
    wants(_id, notice) {
      if (ownTypes.has(notice.type)) return notice.data.stream === stream ? [{}] : [];
      if (isOfOtherProduct(notice, product)) return [];
      return setsOf(issuer, notice).flatMap(({ type, subject }, part) =>
        types.has(type) && wantsSubject(subject) ? [part === 0 ? {} : { part }] : [],
      );
    },
    encode: (id, notice, delivery) => encodeSet(options, id, notice, delivery),
    judge: judgePush,
  };
}

/** @param product of the audience: claims of another's subscription are not those of its tokens. Any when not given */
export function isOfOtherProduct(
  { type, data }: Pick<NoticeDocument, 'type' | 'data'>,
  product: string | undefined,
): boolean {
  return product !== undefined && type === 'subscription.changed' && data.product !== product;
}

/** `jti` of a delivery: the notice's id, and behind it which one where there are several. */
export function setId(notice: string, part = 0): string {
  return part === 0 ? notice : `${notice}.${part}`;
}

export async function encodeSet(
  {
    issuer,
    audience,
    authorization,
    sign,
  }: Pick<StreamReceiverOptions, 'issuer' | 'audience' | 'authorization' | 'sign'>,
  id: string,
  notice: NoticeDocument,
  { part, createdAt }: Pick<DeliveryDocument, 'part' | 'createdAt'>,
): Promise<Encoded> {
  const event = setsOf(issuer, notice)[part ?? 0];
  if (event === undefined) throw new Error(`${notice.type} is no security event`);
  const claims = {
    iss: issuer,
    aud: audience,
    // Not of the attempt, so that it is the same token each time.
    iat: Math.floor(createdAt / 1000),
    jti: setId(id, part),
    // All that is told of one event, to whomever.
    txn: id,
    sub_id: event.subject,
    events: { [event.type]: event.payload },
  };
  return {
    body: await sign('RS256', { typ: 'secevent+jwt' }, claims),
    headers: {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
  };
}

/** RFC 8935 §2: 202 is success, 400 says that it is no use to send it again. */
function judgePush(status: number): ReturnType<Receiver['judge']> {
  if (status >= 200 && status < 300) return 'delivered';
  return status === 400 ? 'refused' : 'later';
}
