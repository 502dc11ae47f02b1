/** A request of Node's kind as the web has it, for services on Koa, Express or `node:http`. */

import { VerifyError } from './errors.ts';
import type { HeaderRecord } from './presented.ts';

export interface NodeRequest extends AsyncIterable<Uint8Array | string> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: HeaderRecord;
  /** Whether somebody has read the body already. */
  readonly readableDidRead?: boolean;
}

/**
 * Signatures are over the bytes as they came, so no body parser may have been there before.
 * @throws {VerifyError} `event_failed`: the body has been read
 */
export function webRequest(incoming: NodeRequest): Request {
  if (incoming.readableDidRead === true) {
    throw new VerifyError('event_failed', {
      message: 'The body was read before. Put the route for events before body parsers.',
    });
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    // Of HTTP/2: no header.
    if (name.startsWith(':')) continue;
    if (value !== undefined)
      headers.set(name, typeof value === 'string' ? value : value.join(', '));
  }
  const { method = 'GET' } = incoming;
  const bodiless = method === 'GET' || method === 'HEAD';
  // Nothing is decided by its address.
  return new Request('http://localhost/', {
    method,
    headers,
    ...(bodiless ? {} : { body: streamOf(incoming), duplex: 'half' }),
  });
}

function streamOf(incoming: NodeRequest): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array | string, unknown> = incoming[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const chunk = await chunks.next();
      if (chunk.done === true) controller.close();
      else {
        const { value } = chunk;
        controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value);
      }
    },
    async cancel() {
      await chunks.return?.();
    },
  });
}
