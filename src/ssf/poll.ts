/** Security events that are fetched: by polling a stream (RFC 8936), or all of the last minutes at once. */

import type { ParameterizedContext } from 'koa';
import { notFound, fieldProblem } from '../events/stream_problems.ts';
import { setIdPattern } from '../events/recent_sets.ts';
import type { RecentSets } from '../events/recent_sets.ts';
import type { SetError, Sets, StreamPolls } from '../events/stream_polls.ts';
import type { Stream } from '../events/stream_receivers.ts';
import type { Streams } from '../events/streams.ts';
import { singleQuery } from '../web/form.ts';
import { readJson } from '../web/json.ts';
import {
  optionalBoolean,
  optionalCount,
  optionalObject,
  optionalText,
  optionalTexts,
  requiredText,
} from './fields.ts';
import type { Waiting } from './waiting.ts';

export interface PollEndpoints {
  streams: Streams;
  polls: StreamPolls;
  recent: RecentSets;
  waiting: Waiting;
}

/** At a time: each is signed while somebody waits. */
const mostEvents = 100;
const longestError = 500;

/** §2.2 to §2.4: acknowledges first, so that one request does both. */
export async function poll(
  ctx: ParameterizedContext,
  client: string,
  { streams, polls, waiting }: PollEndpoints,
): Promise<void> {
  const { id } = ctx.params as { id: string };
  const body = await readJson(ctx);
  const most = Math.min(optionalCount(body, 'maxEvents') ?? mostEvents, mostEvents);
  const isQuick = optionalBoolean(body, 'returnImmediately') ?? false;
  const acknowledged = optionalTexts(body, 'ack') ?? [];
  const errors = errorsOf(body);
  const stream = await readPolled(streams, client, id);
  await polls.acknowledge(stream, acknowledged);
  await polls.refuse(stream, errors);
  let sets = await polls.fetch(stream, most);
  if (most > 0 && !isQuick && isEmpty(sets)) {
    const left = new AbortController();
    ctx.res.once('close', () => left.abort());
    await waiting.until(id, left.signal, () => polls.anyWaits(stream));
    // Meanwhile it may have been paused, or have gone.
    sets = await polls.fetch(await readPolled(streams, client, id), most);
  }
  ctx.body = sets;
}

/** A stream that is pushed has nothing to fetch, and no such address. */
async function readPolled(streams: Streams, client: string, id: string): Promise<Stream> {
  const stream = await streams.read(client, id);
  if (stream.document.method !== 'poll') throw notFound();
  return stream;
}

function isEmpty({ sets }: Sets): boolean {
  return Object.keys(sets).length === 0;
}

/** §2.6 */
function errorsOf(body: Parameters<typeof optionalObject>[0]): Map<string, SetError> {
  const given = optionalObject(body, 'setErrs') ?? {};
  return new Map(
    Object.keys(given).map((id) => {
      const error = optionalObject(given, id) ?? {};
      const err = requiredText(error, 'err').slice(0, longestError);
      const description = optionalText(error, 'description')?.slice(0, longestError);
      return [id, { err, description }];
    }),
  );
}

/** `GET /ssf/recent?since=&after=` */
export async function readRecent(
  ctx: ParameterizedContext,
  client: string,
  { streams, recent }: PollEndpoints,
): Promise<void> {
  const query = singleQuery(ctx);
  const since = query.get('since');
  const after = query.get('after');
  if (since !== undefined && !/^\d{1,11}(\.\d{1,3})?$/.test(since)) {
    throw fieldProblem('since', 'It must be a time in seconds since the epoch.');
  }
  if (after !== undefined && !setIdPattern.test(after)) {
    throw fieldProblem('after', 'It must be the `jti` of an event of ours.');
  }
  const [stream] = await streams.list(client);
  ctx.body = await recent.read({
    client,
    audience: stream?.document.audience ?? client,
    since: since === undefined ? undefined : Number(since) * 1000,
    after,
  });
}
