/** `tollgate mail …`: e-mails that wait or were given up, and trying them again. The running processes send them. */

import { Problem } from './base/errors.ts';
import { json, moment, quote, table, UsageError, withStores } from './command_store.ts';
import type { CommandDeps } from './command_store.ts';
import type { Config } from './config.ts';
import { MailOutbox } from './mail/outbox.ts';
import type { Mail } from './mail/outbox.ts';

const actions = ['list', 'retry'] as const;

export interface MailAsked {
  action: (typeof actions)[number];
  ids: readonly string[];
  /** Those that were given up. */
  dead: boolean;
  limit: number;
  json: boolean;
}

export interface MailCommandOptions {
  dead: boolean;
  limit?: string;
  json: boolean;
}

const mostListed = 1000;
const pageSize = 500;
const mostRetried = 10_000;

/** @throws {UsageError} */
export function mailAsked(
  [word, ...ids]: readonly string[],
  { dead, limit = '50', json: forPrograms }: MailCommandOptions,
): MailAsked {
  const action = actions.find((one) => one === word);
  if (action === undefined) {
    const but = word === undefined ? '' : `, not ${quote(word)}`;
    throw new UsageError(`mail takes one of ${actions.join(', ')}${but}.`);
  }
  if (action === 'list' && ids.length > 0) throw new UsageError(`What is ${quote(ids[0])}?`);
  if (action === 'retry' && ids.length > 0 === dead) {
    throw new UsageError('What is to be tried again? Ids, or --dead: all that was given up.');
  }
  const count = /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > mostListed) {
    throw new UsageError(`--limit takes a number from 1 to ${mostListed}, not ${quote(limit)}.`);
  }
  return { action, ids, dead, limit: count, json: forPrograms };
}

export function mail(config: Config, asked: MailAsked): Promise<string> {
  return withStores(config, (deps) => {
    const outbox = outboxOf(deps);
    return asked.action === 'list' ? list(outbox, asked) : retry(outbox, asked);
  });
}

function outboxOf({ store, clock }: CommandDeps): MailOutbox {
  return new MailOutbox({ store, clock, random: Math.random, owner: 'command' });
}

async function list(outbox: MailOutbox, { dead, limit, json: forPrograms }: MailAsked) {
  const found = await outbox.find('dead', { limit });
  if (!dead) found.push(...(await outbox.find('waiting', { limit })));
  const mails = found.slice(0, limit);
  if (forPrograms) return json(mails.map(told));
  if (mails.length === 0) return dead ? 'Nothing was given up.\n' : 'Nothing waits.\n';
  const head = ['MAIL', 'STATE', 'WHAT', 'SINCE', 'ATTEMPTS', 'NEXT', 'PROBLEM'];
  const rows = mails.map(({ id, document }) => [
    id,
    document.state,
    document.template,
    moment(document.createdAt),
    String(document.attempts),
    document.state === 'waiting' ? moment(document.dueAt) : '-',
    document.problem ?? '',
  ]);
  return table([head, ...rows]);
}

/** With ids and words of ours only: to whom it goes is found when it is sent. */
function told({ id, document }: Mail): Record<string, unknown> {
  const { template, state, attempts, problem, createdAt, dueAt, invitation, account, user } =
    document;
  return {
    id,
    template,
    state,
    attempts,
    ...(problem === undefined ? {} : { problem }),
    ...(invitation === undefined ? {} : { invitation }),
    ...(account === undefined ? {} : { account }),
    ...(user === undefined ? {} : { user }),
    created_at: moment(createdAt),
    ...(state === 'waiting' ? { next_attempt: moment(dueAt) } : {}),
  };
}

async function retry(outbox: MailOutbox, asked: MailAsked): Promise<string> {
  const unknown: string[] = [];
  let count = 0;
  for await (const id of asked.dead ? allDead(outbox) : asked.ids) {
    if (await outbox.retry(id)) count += 1;
    else if (!asked.dead) unknown.push(id);
  }
  if (unknown.length > 0) {
    const names = unknown.map(quote).join(', ');
    throw new Problem('mail_unknown', 404, `There is nothing to be sent of the name ${names}.`);
  }
  if (asked.json) return json({ mails: count });
  return `${count} ${count === 1 ? 'e-mail is' : 'e-mails are'} on the way.\n`;
}

async function* allDead(outbox: MailOutbox): AsyncGenerator<string> {
  let after: string | undefined;
  for (let seen = 0; seen < mostRetried; seen += pageSize) {
    const page = await outbox.find('dead', { after, limit: pageSize });
    for (const { id } of page) yield id;
    after = page.at(-1)?.id;
    if (page.length < pageSize) return;
  }
}
