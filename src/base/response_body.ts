/** Reads the body of an answer from another server within bounds. */

import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { failed } from './outgoing_problems.ts';

/** One encoding at most: chains of them are what bombs are made of. */
export function decompressed(body: Readable, encoding: string | null): Readable {
  const decoder = decoderOf(encoding?.trim().toLowerCase() ?? '');
  // The callback is needed and may be empty: an error reaches whoever reads the decoder.
  return decoder ? pipeline(body, decoder, () => undefined) : body;
}

function decoderOf(encoding: string): Transform | undefined {
  if (encoding === '' || encoding === 'identity') return undefined;
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip();
  if (encoding === 'deflate') return createInflate();
  if (encoding === 'br') return createBrotliDecompress();
  throw failed(new Error('an unknown content encoding'));
}

/** @throws {Problem} `outgoing_failed`: there is more */
export async function readBounded(body: Readable, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk as Uint8Array);
    received += bytes.byteLength;
    // Leaving the loop destroys the body, and with it the connection.
    if (received > maxBytes) throw failed(new Error(`the body has more than ${maxBytes} bytes`));
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads what is short and comes soon, so that the connection can be used again, and ends the connection otherwise.
 * Whatever becomes of the body, it has been answered.
 */
export async function discard(body: Readable, maxBytes: number, maxMs: number): Promise<void> {
  const timer = setTimeout(() => body.destroy(), maxMs);
  let received = 0;
  try {
    for await (const chunk of body) {
      received += (chunk as Uint8Array).byteLength;
      if (received > maxBytes) break;
    }
  } catch {
    // Broken off, by either side.
  } finally {
    clearTimeout(timer);
  }
}
