/** `tollgate receivers …`: who is told of events, how they fare, and the webhooks that are kept in the store. */

import { createFetch } from './base/fetch.ts';
import { Problem } from './base/errors.ts';
import { timeOrderedId } from './base/ids.ts';
import { printStatus, sourcesOf, unknownReceiver } from './command_deliveries.ts';
import { json, quote, table, UsageError, withStores } from './command_store.ts';
import type { CommandDeps } from './command_store.ts';
import { complainOfPlace, receiverSchema } from './config.ts';
import type { Config } from './config.ts';
import { attempt } from './events/attempt.ts';
import {
  addWebhook,
  disableReceiver,
  enableReceiver,
  endRotation,
  listWebhooks,
  removeWebhook,
  rotateSecret,
} from './events/receiver_store.ts';
import type { Receiver } from './events/receivers.ts';
import type { DeliveryDocument } from './storage/documents.ts';

const actions = [
  'add',
  'list',
  'remove',
  'rotate-secret',
  'test',
  'status',
  'enable',
  'disable',
] as const;

export interface ReceiversAsked {
  action: (typeof actions)[number];
  id: string | undefined;
  url: string | undefined;
  types: string[] | undefined;
  /** Of `rotate-secret`: from now on only the new one. */
  end: boolean;
  json: boolean;
}

/** @throws {UsageError} */
export function receiversAsked(
  [word, id, ...rest]: readonly string[],
  options: { url?: string; type?: string[]; end: boolean; json: boolean },
): ReceiversAsked {
  const action = actions.find((one) => one === word);
  if (action === undefined) {
    const but = word === undefined ? '' : `, not ${quote(word)}`;
    throw new UsageError(`receivers takes one of ${actions.join(', ')}${but}.`);
  }
  if (rest.length > 0) throw new UsageError(`One receiver at a time: what is ${quote(rest[0])}?`);
  const mayLackId = action === 'list' || action === 'status';
  if (id === undefined && !mayLackId) throw new UsageError(`receivers ${action} needs an id.`);
  if (action === 'add' && options.url === undefined) {
    throw new UsageError('receivers add needs --url.');
  }
  const { url, type: types, end, json: forPrograms } = options;
  return { action, id, url, types, end, json: forPrograms };
}

/** @returns what is to be printed */
export async function receivers(config: Config, asked: ReceiversAsked): Promise<string> {
  return withStores(config, async (deps) => {
    // A bare name is a webhook's; others are `client:web`, `stream:…`.
    const id = asked.id?.includes(':') === false ? `webhook:${asked.id}` : (asked.id ?? '');
    switch (asked.action) {
      case 'add':
        return add(deps, asked, id);
      case 'list':
        return list(deps, asked);
      case 'remove':
        refuseConfigured(deps, id);
        await removeWebhook(deps, id);
        return done(asked, id, 'Removed. Running processes notice within seconds.');
      case 'rotate-secret':
        return rotate(deps, asked, id);
      case 'test':
        return test(deps, asked, id);
      case 'status':
        return printStatus(deps, asked.json, asked.id === undefined ? undefined : id);
      case 'enable': {
        await known(deps, id);
        const changed = await enableReceiver(deps, id);
        const what = changed
          ? 'Enabled. What waits for it is sent; what it missed: `tollgate events replay --receiver ID --since TIME`.'
          : 'It was not disabled.';
        return done(asked, id, what);
      }
      case 'disable':
        await known(deps, id);
        await disableReceiver(deps, id);
        return done(asked, id, 'Disabled. Nothing is sent or kept for it until it is enabled.');
    }
  });
}

async function add(deps: CommandDeps, asked: ReceiversAsked, id: string): Promise<string> {
  const { url, types } = asked;
  const name = id.replace(/^webhook:/, '');
  const parsed = receiverSchema.safeParse({ id: name, url, types });
  const place = complainOfPlace(url ?? '', deps.config.outgoing.allowPrivate);
  const complaint = parsed.success ? place?.join(' ') : told(parsed.error.issues[0]);
  if (complaint !== undefined) throw new Problem('receiver_invalid', 400, complaint);
  refuseConfigured(deps, id);
  const secret = await addWebhook(deps, { id, url: url ?? '', types });
  if (asked.json) return json({ receiver: id, url, types, secret });
  return `${id} is added. Its messages are signed with this secret, which is not shown again:\n\n  ${secret}\n`;
}

function told(issue: { message: string; params?: Record<string, unknown> } | undefined): string {
  const remedy = issue?.params?.['remedy'];
  return [issue?.message ?? '', ...(typeof remedy === 'string' ? [remedy] : [])].join(' ');
}

async function rotate(deps: CommandDeps, asked: ReceiversAsked, id: string): Promise<string> {
  refuseConfigured(deps, id);
  if (asked.end) {
    await endRotation(deps, id);
    return done(asked, id, 'From now on its messages are signed with the newest secret alone.');
  }
  const secret = await rotateSecret(deps, id);
  if (asked.json) return json({ receiver: id, secret });
  return `Messages to ${id} are signed with this new secret as well, which is not shown again:\n\n  ${secret}\n
When the receiver knows it: tollgate receivers rotate-secret ${asked.id} --end\n`;
}

async function list(deps: CommandDeps, asked: ReceiversAsked): Promise<string> {
  const stored = new Map((await listWebhooks(deps)).map((webhook) => [webhook.id, webhook]));
  const configured = new Set(deps.config.receivers.map(({ id }) => `webhook:${id}`));
  const rows = (await all(deps)).map(({ id, url }) => ({
    receiver: id,
    from: id.startsWith('stream:')
      ? 'stream'
      : configured.has(id) || !stored.has(id)
        ? 'configuration'
        : 'command',
    url: url ?? null,
    types: typesOf(deps, id) ?? stored.get(id)?.types ?? null,
  }));
  if (asked.json) return json(rows);
  if (rows.length === 0) return 'Nobody is told of events.\n';
  const cells = rows.map(({ receiver, from, url, types }) => [
    receiver,
    from,
    url ?? '(fetches)',
    types?.join(' ') ?? '',
  ]);
  return table([['RECEIVER', 'FROM', 'URL', 'TYPES'], ...cells]);
}

/** Sends a `ping` from here, at once, and says what came of it. */
async function test(deps: CommandDeps, asked: ReceiversAsked, id: string): Promise<string> {
  const { clock, config } = deps;
  const receiver = await known(deps, id);
  if (!id.startsWith('webhook:')) {
    throw new Problem('receiver_untestable', 400, 'Only webhooks can be tested.');
  }
  const now = clock();
  const event = timeOrderedId('evt', now);
  const cause = { kind: 'receiver', id, version: 1 };
  const notice = { type: 'ping', at: now, data: { receiver: id }, cause, expiresAt: now };
  const delivery: DeliveryDocument = {
    notice: event,
    receiver: id,
    lane: id,
    type: 'ping',
    state: 'waiting',
    attempts: 0,
    createdAt: now,
  };
  const { allowPrivate } = config.outgoing;
  const fetch = createFetch({ allowPrivate, timeoutMs: 10_000, connectTimeoutMs: 5000 });
  try {
    const signal = new AbortController().signal;
    const sending = { id: event, receiver, notice, delivery, mayBegin: () => true };
    const options = { fetch, clock, timeoutMs: 10_000, signal, stops: () => false };
    const { kind, last } = await attempt(options, sending);
    const { status: answered, milliseconds, problem } = last;
    const what = answered === undefined ? (problem ?? 'no answer') : `it answered ${answered}`;
    if (kind !== 'delivered') {
      throw new Problem('receiver_failed', 502, `${id} did not take a ping: ${what}.`);
    }
    if (asked.json) return json({ receiver: id, event, status: answered, milliseconds });
    return `${id} has taken a ping (${event}): ${what} after ${milliseconds} ms.\n`;
  } finally {
    await fetch.close();
  }
}

async function all(deps: CommandDeps): Promise<Receiver[]> {
  const lists = await Promise.all(sourcesOf(deps).map(async (source) => source.all()));
  const byId = new Map(
    lists
      .flat()
      .toReversed()
      .map((receiver) => [receiver.id, receiver]),
  );
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

async function known(deps: CommandDeps, id: string): Promise<Receiver> {
  const found = (await all(deps)).find((receiver) => receiver.id === id);
  if (found === undefined) throw unknownReceiver(id);
  return found;
}

function typesOf({ config }: CommandDeps, id: string): string[] | undefined {
  return config.receivers.find((receiver) => `webhook:${receiver.id}` === id)?.types;
}

function refuseConfigured({ config }: CommandDeps, id: string): void {
  if (!config.receivers.some((receiver) => `webhook:${receiver.id}` === id)) return;
  throw new Problem(
    'receiver_configured',
    409,
    `The receiver ${quote(id)} is one of the configuration: change it there.`,
  );
}

function done(asked: ReceiversAsked, id: string, sentence: string): string {
  return asked.json ? json({ receiver: id }) : `${sentence}\n`;
}
