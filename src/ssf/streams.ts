/** The configuration endpoint: streams are made, read, changed and deleted (SSF 1.0 §8.1.1). */

import type { ParameterizedContext } from 'koa';
import type { Streams } from '../events/streams.ts';
import { singleQuery } from '../web/form.ts';
import { readJson } from '../web/json.ts';
import { requiredText, wishOf } from './fields.ts';
import { checkSupplied, streamJson } from './representation.ts';

export interface StreamEndpoints {
  issuer: string;
  streams: Streams;
}

type Endpoint = (ctx: ParameterizedContext, client: string, deps: StreamEndpoints) => Promise<void>;

/** §8.1.1.1. What only we may say of a stream is passed over. */
export const createStream: Endpoint = async (ctx, client, { issuer, streams }) => {
  const stream = await streams.create(client, wishOf(await readJson(ctx)));
  ctx.status = 201;
  ctx.body = streamJson(issuer, stream);
};

/** §8.1.1.2: one, or all of the client's. */
export const readStreams: Endpoint = async (ctx, client, { issuer, streams }) => {
  const id = singleQuery(ctx).get('stream_id');
  ctx.body =
    id === undefined
      ? (await streams.list(client)).map((stream) => streamJson(issuer, stream))
      : streamJson(issuer, await streams.read(client, id));
};

/** §8.1.1.3 */
export const updateStream: Endpoint = (ctx, client, deps) => configure(ctx, client, deps, 'update');

/** §8.1.1.4 */
export const replaceStream: Endpoint = (ctx, client, deps) =>
  configure(ctx, client, deps, 'replace');

/** §8.1.1.5 */
export const deleteStream: Endpoint = async (ctx, client, { streams }) => {
  await streams.remove(client, singleQuery(ctx).get('stream_id') ?? '');
  ctx.status = 204;
};

async function configure(
  ctx: ParameterizedContext,
  client: string,
  { issuer, streams }: StreamEndpoints,
  how: 'update' | 'replace',
): Promise<void> {
  const body = await readJson(ctx);
  const id = requiredText(body, 'stream_id');
  const wish = wishOf(body);
  checkSupplied(issuer, await streams.read(client, id), body);
  ctx.body = streamJson(issuer, await streams[how](client, id, wish));
}
