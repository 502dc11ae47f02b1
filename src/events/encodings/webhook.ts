/**
 * Webhooks by Standard Webhooks: the event as JSON, and an HMAC over its id, the time and the body, one for each
 * secret that is good at present, so that a secret can be changed without a message lost.
 */

import { createHmac } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { NoticeDocument } from '../../storage/documents.ts';
import type { Encoded, Receiver } from '../receivers.ts';
import { toldFields } from './fields.ts';

export interface WebhookReceiverOptions {
  /** Behind `webhook:`. */
  id: string;
  url: string;
  /** `session.ended`, or `session.*`; everything when not given. */
  types?: readonly string[] | undefined;
  /** `whsec_` and base64, newest first. */
  secrets: readonly string[];
  clock: Clock;
}

/** Of the body: a receiver that finds another one does not know it. */
export const webhookVersion = 1;

export function webhookReceiver(options: WebhookReceiverOptions): Receiver {
  const { id, url, types } = options;
  return {
    id: `webhook:${id}`,
    url,
    wants(_id, { type, data }) {
      if (!toldFields.has(type)) return [];
      // A test is for the one who asked for it.
      if (type === 'ping') return data.receiver === `webhook:${id}` ? [{}] : [];
      return types === undefined || types.some((wanted) => covers(wanted, type)) ? [{}] : [];
    },
    encode: (noticeId, notice) => Promise.resolve(encodeWebhook(options, noticeId, notice)),
    judge: judgeWebhook,
  };
}

function covers(wanted: string, type: string): boolean {
  return wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : wanted === type;
}

function encodeWebhook(
  { secrets, clock }: Pick<WebhookReceiverOptions, 'secrets' | 'clock'>,
  id: string,
  notice: NoticeDocument,
): Encoded {
  const body = JSON.stringify(webhookBody(notice));
  const timestamp = String(Math.floor(clock() / 1000));
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': secrets
        .map((secret) => webhookSignature(secret, { id, timestamp, body }))
        .join(' '),
    },
  };
}

export function webhookBody({ type, at, data }: Pick<NoticeDocument, 'type' | 'at' | 'data'>) {
  const declared = Object.keys(toldFields.get(type)?.fields ?? {});
  const told = declared.filter((name) => data[name] !== undefined);
  return {
    type,
    timestamp: new Date(at).toISOString(),
    version: webhookVersion,
    data: Object.fromEntries(told.map((name) => [name, data[name]])),
  };
}

/** `v1,` and base64. */
export function webhookSignature(
  secret: string,
  { id, timestamp, body }: { id: string; timestamp: string; body: string },
): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`);
  return `v1,${mac.digest('base64')}`;
}

/** 410 says: never again. Everything else that is no success may be a passing state. */
function judgeWebhook(status: number): ReturnType<Receiver['judge']> {
  if (status >= 200 && status < 300) return 'delivered';
  return status === 410 ? 'gone' : 'later';
}
