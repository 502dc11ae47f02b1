/** A body that is one JSON object, bounded. What its members are is the reader's business. */

import type { ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import { readBody } from './form.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const defaultLimit = 64 * 1024;

/**
 * Whatever its `Content-Type` is: only JSON is taken, and no browser sends it with anybody's credentials.
 * @throws {Problem} `json_expected` 400, and those of `readBody`
 */
export async function readJson(
  ctx: ParameterizedContext,
  limitBytes: number = defaultLimit,
): Promise<JsonObject> {
  const body = await readBody(ctx, limitBytes);
  const value = parse(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw expected(new Error('no object'));
  }
  return value as JsonObject;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw expected(cause);
  }
}

function expected(cause: unknown): Problem {
  return new Problem('json_expected', 400, 'The body must be a JSON object.', { cause });
}
