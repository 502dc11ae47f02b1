/** Receivers of all three encodings in one web server of the test's: they take everything, and keep account. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { claimsOf } from './world.ts';

export const encodings = ['logout', 'webhook', 'stream'] as const;
export type Encoding = (typeof encodings)[number];

/** One event, once or several times. */
export interface Arrival {
  times: number;
  /** Of the event; logout tokens do not say it. */
  event?: string;
  type?: string;
  sid?: string;
}

export interface EventReceivers {
  /** Where each is told. */
  address(encoding: Encoding): string;
  /** By id of the event and, where the session is what counts, by `sid`. */
  arrived: Record<Encoding, Map<string, Arrival>>;
  close(): Promise<void>;
}

export const webhookSecret = `whsec_${Buffer.from('the webhook secret of these tests').toString('base64')}`;

export async function startEventReceivers(): Promise<EventReceivers> {
  const arrived: EventReceivers['arrived'] = {
    logout: new Map(),
    webhook: new Map(),
    stream: new Map(),
  };
  const server = createServer((request, response) => {
    void bodyOf(request).then(
      (body) => {
        const encoding = encodings.find((one) => request.url === `/${one}`);
        if (encoding !== undefined) note(arrived[encoding], readers[encoding](body, request));
        response.writeHead(encoding === undefined ? 404 : 202).end();
      },
      // Whoever sent it is gone in the middle: it did not arrive.
      () => request.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: (encoding) => `http://127.0.0.1:${port}/${encoding}`,
    arrived,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

type Read = Omit<Arrival, 'times'> & { id: string };

const readers: Record<Encoding, (body: string, request: IncomingMessage) => Read> = {
  logout(body) {
    const { sid } = claimsOf(new URLSearchParams(body).get('logout_token') ?? '');
    return { id: String(sid), sid: String(sid) };
  },
  webhook(body, { headers }) {
    const { type, data } = JSON.parse(body) as {
      type: string;
      data: { sid?: string; clients?: { sid: string }[] };
    };
    const event = String(headers['webhook-id']);
    const sid = data.sid ?? data.clients?.[0]?.sid;
    return { id: event, event, type, ...(sid === undefined ? {} : { sid }) };
  },
  stream(body) {
    const claims = claimsOf(body) as {
      jti: string;
      txn: string;
      sub_id: { session?: { id: string } };
      events: object;
    };
    const sid = claims.sub_id.session?.id;
    const [type = ''] = Object.keys(claims.events);
    const { jti: id, txn: event } = claims;
    return { id, event, type, ...(sid === undefined ? {} : { sid }) };
  },
};

function note(arrived: Map<string, Arrival>, { id, ...rest }: Read): void {
  arrived.set(id, { ...rest, times: (arrived.get(id)?.times ?? 0) + 1 });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
