/** Events as Stripe sends them, signed here by the rule and not by Stripe's library. */

import { createHmac } from 'node:crypto';
import { post } from './post.ts';

export const webhookSecret = 'whsec_a_secret_of_tests';
/** Of the test mode, which nobody knows. */
export const stripeKey = 'sk_test_of_tests';

let count = 0;

/** An event with its object in it. */
export function snapshotEvent(
  type: string,
  object: Record<string, unknown> = { id: 'sub_1', object: 'subscription', customer: 'cus_1' },
  more: Record<string, unknown> = {},
) {
  count += 1;
  return {
    id: `evt_snapshot${count}`,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: Math.floor(Date.now() / 1000),
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: null,
    type,
    ...more,
  };
}

/** An event that only names its object. */
export function thinEvent(
  type: string,
  related: { id?: string; type: string; url: string } | null = {
    id: 'sub_1',
    type: 'subscription',
    url: '/v1/subscriptions/sub_1',
  },
  more: Record<string, unknown> = {},
) {
  count += 1;
  return {
    id: `evt_thin${count}`,
    object: 'v2.core.event',
    created: new Date().toISOString(),
    livemode: false,
    type: `v1.${type}`,
    related_object: related,
    ...more,
  };
}

export interface Signing {
  secret?: string;
  /** Seconds from now on. */
  at?: number;
  scheme?: string;
}

/** The header of a payload: `t=…,v1=…`. */
export function signatureOf(payload: string | Uint8Array, signing: Signing = {}): string {
  const { secret = webhookSecret, at = 0, scheme = 'v1' } = signing;
  const time = Math.floor(Date.now() / 1000) + at;
  const mac = createHmac('sha256', secret).update(`${time}.`).update(payload).digest('hex');
  return `t=${time},${scheme}=${mac}`;
}

export interface Sent {
  status: number;
  body: { received?: boolean; error?: { code: string } };
}

/** @param signature none is sent where it is null; the right one when it is not given */
export async function sendEvent(
  issuer: string,
  event: object | string | Uint8Array,
  signature?: string | null,
  headers: Record<string, string> = {},
): Promise<Sent> {
  const payload =
    typeof event === 'string' || event instanceof Uint8Array ? event : JSON.stringify(event);
  const header = signature === undefined ? signatureOf(payload) : signature;
  const answer = await post(`${issuer}/integrations/stripe/events`, Buffer.from(payload), {
    'Content-Type': 'application/json; charset=utf-8',
    Accept: '*/*',
    ...(header === null ? {} : { 'Stripe-Signature': header }),
    ...headers,
  });
  return { status: answer.status, body: JSON.parse(answer.text) as Sent['body'] };
}
