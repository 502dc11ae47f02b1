/** `tollgate events …`: what has happened lately, who was told, and sending it again. */

import { setTimeout } from 'node:timers/promises';
import { Problem } from './base/errors.ts';
import { deliveriesOf } from './command_deliveries.ts';
import { json, moment, quote, table, timeOf, UsageError, withStores } from './command_store.ts';
import type { CommandDeps } from './command_store.ts';
import type { Config } from './config.ts';
import { complainOfEventType } from './config/event_types.ts';
import type { ReplayWish } from './events/replay.ts';
import type { DeliveryDocument, NoticeDocument } from './storage/documents.ts';
import type { Stored } from './storage/store.ts';

const actions = ['list', 'show', 'replay', 'tail'] as const;

export interface EventsAsked {
  action: (typeof actions)[number];
  ids: readonly string[];
  /** Of `list` and `tail`: these alone. */
  types: readonly string[] | undefined;
  receiver: string | undefined;
  dead: boolean;
  since: number | undefined;
  limit: number;
  json: boolean;
}

type Notice = Stored<NoticeDocument>;

const everyMs = 1000;
const pageSize = 500;
const mostLooked = 100_000;

export interface EventsOptions {
  type?: string[];
  receiver?: string;
  dead: boolean;
  since?: string;
  limit?: string;
  json: boolean;
}

/** @throws {UsageError} */
export function eventsAsked(
  [word, ...ids]: readonly string[],
  { type, since, limit = '50', receiver, dead, json: forPrograms }: EventsOptions,
): EventsAsked {
  const action = actions.find((one) => one === word);
  if (action === undefined) {
    const but = word === undefined ? '' : `, not ${quote(word)}`;
    throw new UsageError(`events takes one of ${actions.join(', ')}${but}.`);
  }
  const wantsIds = action === 'show' || action === 'replay';
  if (!wantsIds && ids.length > 0) throw new UsageError(`What is ${quote(ids[0])}?`);
  if (action === 'show' && ids.length !== 1) throw new UsageError('events show needs one id.');
  if (action === 'replay' && ids.length === 0 && !dead && since === undefined) {
    throw new UsageError('What is to be sent again? Ids, or --since, or --dead.');
  }
  for (const one of type ?? []) {
    const complaint = one.startsWith('stream.') ? undefined : complainOfEventType(one);
    if (complaint !== undefined) throw new UsageError(complaint.join(' '));
  }
  if (!/^\d{1,5}$/.test(limit)) {
    throw new UsageError(`--limit takes a number, not ${quote(limit)}.`);
  }
  return {
    action,
    ids,
    types: type,
    receiver: receiver?.includes(':') === false ? `webhook:${receiver}` : receiver,
    dead,
    since: since === undefined ? undefined : timeOf('since', since),
    limit: Number(limit),
    json: forPrograms,
  };
}

/** @param print takes what is to be printed, as it comes */
export async function events(
  config: Config,
  asked: EventsAsked,
  print: (text: string) => void,
): Promise<void> {
  await withStores(config, async (deps) => {
    switch (asked.action) {
      case 'list':
        print(await list(deps, asked));
        break;
      case 'show':
        print(await show(deps, asked));
        break;
      case 'replay':
        print(await replay(deps, asked));
        break;
      case 'tail':
        await tail(deps, asked, print);
    }
  });
}

async function list({ store }: CommandDeps, asked: EventsAsked): Promise<string> {
  const { since = -Infinity, limit } = asked;
  const found: Notice[] = [];
  let after: string | undefined;
  for (let seen = 0; seen < mostLooked && found.length < limit; seen += pageSize) {
    const options = { after, limit: pageSize, descending: true };
    const page = await store.find('notice', 'all', 'all', options);
    found.push(...page.filter((notice) => fits(asked, notice) && notice.document.at >= since));
    after = page.at(-1)?.id;
    if (page.length < pageSize || (page.at(-1)?.document.at ?? 0) < since) break;
  }
  const notices = found.slice(0, limit);
  if (asked.json) return json(notices.map(told));
  if (notices.length === 0) return 'Nothing has happened.\n';
  return notices.map(line).join('');
}

async function show({ store }: CommandDeps, asked: EventsAsked): Promise<string> {
  const [id = ''] = asked.ids;
  const notice = await store.get('notice', id);
  if (notice === undefined) {
    throw new Problem('event_unknown', 404, `There is no event ${quote(id)}, or none any more.`);
  }
  const found = await store.find('delivery', 'notice', id, { limit: 1000 });
  if (asked.json) {
    return json({ ...told(notice), deliveries: found.map(delivered) });
  }
  const rows = found.map(({ document: { receiver, state, attempts, dueAt, last } }) => [
    receiver,
    state,
    String(attempts),
    last === undefined ? '-' : `${moment(last.at)} ${last.status ?? last.problem ?? ''}`,
    state === 'waiting' ? moment(dueAt) : '',
  ]);
  const head = ['RECEIVER', 'STATE', 'ATTEMPTS', 'LAST', 'NEXT'];
  const data = JSON.stringify(notice.document.data);
  return `${line(notice)}${data}\n\n${table([head, ...rows])}`;
}

async function replay(deps: CommandDeps, asked: EventsAsked): Promise<string> {
  const { ids, receiver, dead, since } = asked;
  const wish: ReplayWish = {
    ...(ids.length > 0 ? { ids } : {}),
    ...(receiver === undefined ? {} : { receiver }),
    ...(dead ? { state: 'dead' } : {}),
    ...(since === undefined ? {} : { since }),
  };
  const done = await deliveriesOf(deps).replay(wish);
  if (done.unknown.length > 0) {
    const names = done.unknown.map(quote).join(', ');
    throw new Problem('event_unknown', 404, `There is nothing of the name ${names}.`);
  }
  if (asked.json) return json(done);
  const expired = done.expired > 0 ? ` ${done.expired} are kept no longer.` : '';
  const more = done.more ? ' There are more: ask again.' : '';
  return `${done.deliveries} deliveries are on their way.${expired}${more}\n`;
}

/** Until it is stopped. */
async function tail(
  { store, clock }: CommandDeps,
  asked: EventsAsked,
  print: (text: string) => void,
): Promise<void> {
  const stop = new AbortController();
  const end = () => stop.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  let after = `evt_${(asked.since ?? clock()).toString(16).padStart(12, '0')}`;
  while (!stop.signal.aborted) {
    const page = await store.find('notice', 'all', 'all', { after, limit: pageSize });
    for (const notice of page) {
      if (fits(asked, notice))
        print(asked.json ? `${JSON.stringify(told(notice))}\n` : line(notice));
    }
    after = page.at(-1)?.id ?? after;
    if (page.length === pageSize) continue;
    await setTimeout(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

function fits({ types }: EventsAsked, { document }: Notice): boolean {
  const { type } = document;
  return (
    types === undefined || types.some((one) => one === type || one === `${type.split('.')[0]}.*`)
  );
}

function line({ id, document: { at, type, cause } }: Notice): string {
  return `${moment(at)}  ${id}  ${type.padEnd(22)}  ${cause.kind} ${cause.id}\n`;
}

function told({ id, document: { at, type, data, cause } }: Notice): Record<string, unknown> {
  return { id, type, at: new Date(at).toISOString(), data, cause };
}

function delivered({ id, document }: Stored<DeliveryDocument>): Record<string, unknown> {
  const { receiver, state, attempts, dueAt, last } = document;
  return {
    id,
    receiver,
    state,
    attempts,
    ...(state === 'waiting' && dueAt !== undefined ? { next_attempt: moment(dueAt) } : {}),
    ...(last === undefined ? {} : { last: { ...last, at: moment(last.at) } }),
  };
}
