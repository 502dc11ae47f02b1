/** Status, subjects and verification of a stream (SSF 1.0 §8.1.2 to §8.1.4). */

import type { ParameterizedContext } from 'koa';
import { fieldProblem } from '../events/stream_problems.ts';
import type { Streams } from '../events/streams.ts';
import type { StreamStatus } from '../events/types.ts';
import { singleQuery } from '../web/form.ts';
import { readJson } from '../web/json.ts';
import { optionalBoolean, optionalText, requiredText } from './fields.ts';
import { statusJson } from './representation.ts';

type Endpoint = (
  ctx: ParameterizedContext,
  client: string,
  deps: { streams: Streams },
) => Promise<void>;

export const readStatus: Endpoint = async (ctx, client, { streams }) => {
  const id = singleQuery(ctx).get('stream_id') ?? '';
  if (id === '') throw fieldProblem('stream_id', 'It is missing.');
  ctx.body = statusJson(await streams.read(client, id));
};

export const updateStatus: Endpoint = async (ctx, client, { streams }) => {
  const body = await readJson(ctx);
  const id = requiredText(body, 'stream_id');
  const status = statusOf(requiredText(body, 'status'));
  ctx.body = statusJson(await streams.setStatus(client, id, status, optionalText(body, 'reason')));
};

export const verify: Endpoint = async (ctx, client, { streams }) => {
  const body = await readJson(ctx);
  const id = requiredText(body, 'stream_id');
  await streams.verify(client, id, optionalText(body, 'state'));
  ctx.status = 204;
};

/**
 * The answer is the same whoever the subject is, and whether anybody here knows it (§9.1, T69).
 * `verified` makes no difference: what a receiver believes of a subject changes nothing of what it may hear.
 */
export const addSubject: Endpoint = async (ctx, client, { streams }) => {
  const { stream, subject } = await subjectOf(ctx);
  await streams.addSubject(client, stream, subject);
  ctx.status = 200;
  ctx.body = '';
};

export const removeSubject: Endpoint = async (ctx, client, { streams }) => {
  const { stream, subject } = await subjectOf(ctx);
  await streams.removeSubject(client, stream, subject);
  ctx.status = 204;
};

async function subjectOf(ctx: ParameterizedContext): Promise<{ stream: string; subject: unknown }> {
  const body = await readJson(ctx);
  const stream = requiredText(body, 'stream_id');
  optionalBoolean(body, 'verified');
  return { stream, subject: Object.hasOwn(body, 'subject') ? body.subject : undefined };
}

function statusOf(value: string): StreamStatus {
  if (value === 'enabled' || value === 'paused' || value === 'disabled') return value;
  throw fieldProblem('status', 'It must be enabled, paused or disabled.');
}
