/**
 * What a request carries: its query and its form, flat and without surprises. A parameter that
 * comes twice is refused (T14): whoever reads the first and whoever reads the last would differ.
 */

import type { ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';

/** A map, so that no name (`__proto__`) means anything. */
export type Form = ReadonlyMap<string, string>;

const defaultLimit = 64 * 1024;
const maximumFields = 200;

/**
 * The fields of an `application/x-www-form-urlencoded` body. A second call answers the same.
 * @throws {Problem} `form_expected` 415, `body_too_large` 413, `form_unreadable` 400,
 *   `parameter_repeated` 400 (with `details.parameter`)
 */
export async function readForm(
  ctx: ParameterizedContext,
  limitBytes: number = defaultLimit,
): Promise<Form> {
  const state = ctx.state as { form?: Form };
  if (state.form) return state.form;
  const type = ctx.get('Content-Type').toLowerCase().split(';');
  const charset = type.slice(1).find((part) => part.trim().startsWith('charset='));
  if (type[0]?.trim() !== 'application/x-www-form-urlencoded') throw formExpected();
  if (charset !== undefined && !/^charset="?utf-8"?$/.test(charset.trim())) throw formExpected();
  const body = await readBody(ctx, limitBytes);
  state.form = parseFields(decodeText(body));
  return state.form;
}

/** The query of the address. @throws {Problem} `parameter_repeated`, `form_unreadable` (400) */
export function singleQuery(ctx: ParameterizedContext): Form {
  return parseFields(ctx.querystring);
}

/** The number of a page in a list, as a link has it. What is none is the first page. */
export function pageOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

/**
 * The bytes of the body as they came.
 * @throws {Problem} `body_too_large` 413, `encoding_not_supported` 415, `body_incomplete` 400
 */
export async function readBody(ctx: ParameterizedContext, limitBytes: number): Promise<Buffer> {
  const { req } = ctx;
  const encoding = ctx.get('Content-Encoding').toLowerCase();
  if (encoding !== '' && encoding !== 'identity') {
    throw new Problem('encoding_not_supported', 415, 'The body must not be compressed.');
  }
  if (Number(req.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(ctx);
  if (req.readableEnded || req.destroyed) throw incomplete();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let received = 0;
  const onData = (chunk: Buffer) => {
    received += chunk.length;
    if (received > limitBytes) reject(tooLarge(ctx));
    else chunks.push(chunk);
  };
  const onEnd = () => resolve(Buffer.concat(chunks));
  const onBreak = (cause?: unknown) => reject(incomplete(cause));
  req.on('data', onData).on('end', onEnd).on('error', onBreak).on('close', onBreak);
  try {
    return await promise;
  } finally {
    req.off('data', onData).off('end', onEnd).off('error', onBreak).off('close', onBreak);
    // What is left of it stays unread; an error of the stream has nobody else to go to.
    req.on('error', () => undefined);
    if (!req.readableEnded) req.pause();
  }
}

function parseFields(text: string): Form {
  const fields = new Map<string, string>();
  const pairs = text.split('&', maximumFields + 1);
  if (pairs.length > maximumFields) {
    throw new Problem('form_unreadable', 400, 'The request has too many fields.');
  }
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeField(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decodeField(pair.slice(equals + 1));
    if (fields.has(name)) {
      throw new Problem('parameter_repeated', 400, 'A parameter was sent twice.', {
        details: { parameter: name.slice(0, 100) },
      });
    }
    fields.set(name, value);
  }
  return fields;
}

/** Unlike `URLSearchParams`, which puts U+FFFD where something cannot be read. */
function decodeField(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw unreadable(cause);
  }
}

function decodeText(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw unreadable(cause);
  }
}

function formExpected(): Problem {
  return new Problem('form_expected', 415, 'The request must be an ordinary form.');
}

function tooLarge(ctx: ParameterizedContext): Problem {
  // The rest of the body is not read: the connection cannot be used again.
  ctx.set('Connection', 'close');
  return new Problem('body_too_large', 413, 'The request is too large.');
}

function incomplete(cause?: unknown): Problem {
  return new Problem('body_incomplete', 400, 'The request was not complete.', { cause });
}

function unreadable(cause: unknown): Problem {
  return new Problem('form_unreadable', 400, 'The request cannot be read.', { cause });
}
