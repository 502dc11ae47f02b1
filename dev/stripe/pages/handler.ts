/**
 * The simulator's pages: Checkout (`/c/pay/…`), the customer portal (`/p/session/…`), single invoices
 * (`/p/invoice/…`) and its dashboard (`/dashboard`). Forms by POST and no script; what they do, tests can do by the same functions.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { markup } from '../../look.ts';
import type { PageHandler, StripeSimulator } from '../contract.ts';
import { ApiError } from '../errors.ts';
import { checkoutPages } from './checkout.ts';
import { dashboardPages } from './dashboard.ts';
import type { Surroundings } from './dashboard.ts';
import { frame, nothingHere } from './frame.ts';
import type { Reply, Visit } from './frame.ts';
import { invoicePages } from './invoice.ts';
import { portalPages } from './portal.ts';

const maxBodyBytes = 64 * 1024;

type Room = (visit: Visit) => Promise<Reply | undefined>;

/** @param around what the dashboard shows of the world around the simulator */
export function stripePages(simulator: StripeSimulator, around: Surroundings = {}): PageHandler {
  const rooms: Record<string, Room> = {
    '/c/pay': checkoutPages(simulator),
    '/p/session': portalPages(simulator),
    '/p/invoice': invoicePages(simulator),
    '/dashboard': dashboardPages(simulator, around),
  };
  return async (request, response) => {
    const url = new URL(request.url ?? '/', simulator.url);
    const [prefix, room] = Object.entries(rooms).find(([start]) => isUnder(url, start)) ?? [];
    if (prefix === undefined || room === undefined) return false;
    const path = url.pathname
      .slice(prefix.length)
      .split('/')
      .filter((part) => part !== '');
    const method = methodOf(request);
    if (method === undefined || isForeign(request)) {
      send(response, refused);
      return true;
    }
    const form = method === 'POST' ? await readForm(request) : new URLSearchParams();
    if (form === undefined) {
      send(response, { ...refused, status: 413 });
      return true;
    }
    const visit = { method, path, query: url.searchParams, form };
    send(response, (await answer(room, visit)) ?? nothingHere(url.pathname));
    return true;
  };
}

const isUnder = ({ pathname }: URL, start: string): boolean =>
  pathname === start || pathname.startsWith(`${start}/`);

const refused: Reply = {
  status: 403,
  title: 'Refused',
  body: markup`<h1>Refused</h1><p>This page takes its own forms, and nobody else’s.</p>`,
};

const methodOf = ({ method }: IncomingMessage): Visit['method'] | undefined =>
  method === 'GET' || method === 'POST' ? method : undefined;

/** A form that another site posts, as browsers say. Links from elsewhere are how people come here. */
function isForeign({ method, headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  return method === 'POST' && site !== undefined && site !== 'same-origin' && site !== 'none';
}

async function answer(room: Room, visit: Visit): Promise<Reply | undefined> {
  try {
    return await room(visit);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) return nothingHere(error.message);
    const title = 'That is not possible';
    const body = markup`<h1>${title}</h1><p>${error.message}</p>`;
    return { status: error.status, title, body };
  }
}

/** @returns nothing where it is too large */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Read to its end all the same: who still sends would not hear the answer.
    if (length <= maxBodyBytes) chunks.push(chunk);
  }
  if (length > maxBodyBytes) return undefined;
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

function send(response: ServerResponse, reply: Reply): void {
  const headers = { 'cache-control': 'no-store', 'referrer-policy': 'same-origin' };
  if ('location' in reply) {
    response.writeHead(303, { ...headers, location: reply.location }).end();
    return;
  }
  if ('json' in reply) {
    response.writeHead(200, { ...headers, 'content-type': 'application/json' });
    response.end(JSON.stringify(reply.json));
    return;
  }
  response.writeHead(reply.status ?? 200, {
    ...headers,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
  });
  response.end(frame(reply));
}
