/**
 * The process: what was asked for on the command line, and how it ends. What an operator can put right
 * is said in plain words on standard error; only a defect shows a stack.
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Problem } from './base/errors.ts';
import { quote, timeOf, UsageError } from './command_store.ts';
import { isNoun } from './admin/asked.ts';
import type { Noun } from './admin/asked.ts';
import { billingWarnings } from './config/billing_rules.ts';
import { ConfigProblems } from './config/problems.ts';
import { createConfigSource } from './config/source.ts';
import type { ConfigSource } from './config/source.ts';
import { withoutSecrets } from './config/store_address.ts';
import type { Config } from './config.ts';
import type { KeysAsked } from './keys_command.ts';
import { peopleOptions, usage, usageOfPeople } from './usage.ts';
import type { RevokeAsked, RevokeTarget } from './revoke_command.ts';

interface Asked {
  command:
    | 'serve'
    | 'check'
    | 'keys'
    | 'revoke'
    | 'receivers'
    | 'events'
    | 'stripe'
    | 'mail'
    | 'import'
    | 'export'
    | Noun
    | 'help'
    | 'version';
  file: string;
  port: number | undefined;
  host: string | undefined;
  keys: KeysAsked;
  revoke: RevokeAsked | undefined;
  /** Of all that know themselves what they take. */
  rest: readonly string[];
  values: Values;
}

type Values = ReturnType<typeof parseKnown>['values'];

function parse(parameters: readonly string[]): Asked {
  const { values, positionals } = parseKnown(parameters);
  const [word = 'serve', ...rest] = positionals;
  // `users list --help` is `help users`.
  if (values.help) rest.splice(0, Infinity, ...(hasOwnHelp(word) ? [word] : []));
  const command = commandOf(values.help ? 'help' : values.version ? 'version' : word);
  const action = command === 'keys' ? actionOf(rest.shift()) : 'list';
  const { yes, json } = values;
  const revoke =
    command === 'revoke'
      ? { target: targetOf(rest.splice(0, 2), values['all-before']), yes, json }
      : undefined;
  if (!takesMore(command) && rest.length > 0)
    throw new UsageError(`One command at a time: what is ${quote(rest[0])}?`);
  return {
    command,
    file: values.config ?? process.env['TOLLGATE_CONFIG'] ?? 'tollgate.config.ts',
    port: values.port === undefined ? undefined : portOf(values.port),
    host: values.host,
    keys: { action, alg: algorithmOf(values.alg), json },
    revoke,
    rest,
    values,
  };
}

function takesMore(command: Asked['command']): boolean {
  const open = ['receivers', 'events', 'stripe', 'mail', 'import', 'export', 'help'];
  return open.includes(command) || isNoun(command);
}

function parseKnown(parameters: readonly string[]) {
  try {
    return parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: {
        config: { type: 'string', short: 'c' },
        port: { type: 'string', short: 'p' },
        host: { type: 'string' },
        alg: { type: 'string' },
        'all-before': { type: 'string' },
        url: { type: 'string' },
        type: { type: 'string', multiple: true },
        receiver: { type: 'string' },
        dead: { type: 'boolean', default: false },
        since: { type: 'string' },
        limit: { type: 'string' },
        end: { type: 'boolean', default: false },
        thin: { type: 'boolean', default: false },
        ...peopleOptions,
        yes: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false },
      },
    });
  } catch (error) {
    // Its messages are sentences for whoever typed the command.
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function commandOf(word: string): Asked['command'] {
  if (isNoun(word)) return word;
  switch (word) {
    case 'serve':
    case 'check':
    case 'keys':
    case 'revoke':
    case 'receivers':
    case 'events':
    case 'stripe':
    case 'mail':
    case 'import':
    case 'export':
    case 'help':
    case 'version':
      return word;
    default:
      throw new UsageError(`There is no command ${quote(word)}.`);
  }
}

function actionOf(word: string | undefined): KeysAsked['action'] {
  if (word === 'list' || word === 'rotate') return word;
  throw new UsageError('Keys can be listed (`keys list`) and rotated (`keys rotate`).');
}

function targetOf([what, id]: readonly string[], before: string | undefined): RevokeTarget {
  if (before !== undefined) {
    if (what !== undefined)
      throw new UsageError('--all-before is about everybody: leave the rest out.');
    return { what: 'everything', before: timeOf('all-before', before) };
  }
  const isKind = what === 'user' || what === 'account' || what === 'session' || what === 'client';
  if (!isKind || id === undefined || id === '') {
    throw new UsageError('What is to be revoked? A user, account, session or client, and its id.');
  }
  return { what, id };
}

function algorithmOf(word: string | undefined): KeysAsked['alg'] {
  if (word === undefined || word === 'ES256' || word === 'RS256') return word;
  throw new UsageError(`--alg takes ES256 or RS256, not ${quote(word)}.`);
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new UsageError(`--port takes a number from 0 to 65535, not ${quote(text)}.`);
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function configuration({ file, port, host }: Asked): ConfigSource {
  const overrides = { ...(port !== undefined && { port }), ...(host !== undefined && { host }) };
  return createConfigSource({ file, env: process.env, overrides });
}

async function main(parameters: readonly string[]): Promise<void> {
  const asked = parse(parameters);
  switch (asked.command) {
    case 'help':
      process.stdout.write(usageOf(asked.rest));
      return;
    case 'version':
      process.stdout.write(`${version()}\n`);
      return;
    case 'check':
      process.stdout.write(summary(asked.file, await configuration(asked).load()));
      return;
    case 'keys': {
      const { keys } = await import('./keys_command.ts');
      process.stdout.write(await keys(await configuration(asked).load(), asked.keys));
      return;
    }
    case 'revoke': {
      if (asked.revoke === undefined) return;
      const { revoke } = await import('./revoke_command.ts');
      process.stdout.write(await revoke(await configuration(asked).load(), asked.revoke));
      return;
    }
    case 'receivers': {
      const { receivers, receiversAsked } = await import('./receivers_command.ts');
      const wish = receiversAsked(asked.rest, asked.values);
      process.stdout.write(await receivers(await configuration(asked).load(), wish));
      return;
    }
    case 'events': {
      const { events, eventsAsked } = await import('./events_command.ts');
      const wish = eventsAsked(asked.rest, asked.values);
      const print = (text: string) => void process.stdout.write(text);
      await events(await configuration(asked).load(), wish, print);
      return;
    }
    case 'mail': {
      const { mail, mailAsked } = await import('./mail_command.ts');
      const wish = mailAsked(asked.rest, asked.values);
      process.stdout.write(await mail(await configuration(asked).load(), wish));
      return;
    }
    case 'stripe': {
      const { stripe, stripeAsked } = await import('./stripe_command.ts');
      const wish = stripeAsked(asked.rest, asked.values);
      const { text, isGood } = await stripe(await configuration(asked).load(), wish);
      process.stdout.write(text);
      if (!isGood) process.exitCode = 1;
      return;
    }
    case 'import': {
      const { importAsked, importPeople } = await import('./admin/transfer_command.ts');
      const wish = importAsked(asked.rest, asked.values);
      const { text, isGood } = await importPeople(await configuration(asked).load(), wish);
      process.stdout.write(text);
      if (!isGood) process.exitCode = 1;
      return;
    }
    case 'export': {
      const { exportAsked, exportPeople } = await import('./admin/transfer_command.ts');
      const wish = exportAsked(asked.rest, asked.values);
      process.stderr.write(await exportPeople(await configuration(asked).load(), wish));
      return;
    }
    case 'users':
    case 'accounts':
    case 'members':
    case 'invitations':
    case 'sessions': {
      const { peopleAsked } = await import('./admin/asked.ts');
      const wish = peopleAsked(asked.command, asked.rest, asked.values);
      const { people } = await import('./admin/people_command.ts');
      process.stdout.write(await people(await configuration(asked).load(), wish));
      return;
    }
    case 'serve': {
      // On demand, so that the other commands answer at once.
      const { serve } = await import('./serve.ts');
      await serve(configuration(asked), version());
    }
  }
}

function hasOwnHelp(word: string): boolean {
  return isNoun(word) || word === 'import' || word === 'export';
}

/** `help`, or `help users`. */
function usageOf([topic, ...rest]: readonly string[]): string {
  if (topic === undefined) return usage;
  if (hasOwnHelp(topic) && rest.length === 0) return usageOfPeople;
  throw new UsageError(
    `There is no help about ${quote(topic)}: \`tollgate help\` has all commands.`,
  );
}

function stores({ store, hot }: Config): string {
  const kept = withoutSecrets(store);
  return hot === undefined ? kept : `${kept}, and ${withoutSecrets(hot)} for what is hot`;
}

function summary(file: string, config: Config): string {
  const list = (entries: readonly { id: string }[]) =>
    entries.length === 0 ? 'none' : entries.map(({ id }) => id).join(', ');
  return `${file} is good.
  issuer     ${config.issuer}
  listens    ${config.host}:${config.port}
  store      ${stores(config)}
  providers  ${list(config.providers)}
  clients    ${list(config.clients)}
  products   ${list(config.products)}
  plans      ${list(config.products.flatMap(plansOf))}
  stripe     ${config.stripe === undefined ? 'none' : stripeOf(config.stripe)}
  receivers  ${list(config.receivers)}
  mail       ${config.mail === undefined ? 'none' : mailServer(config.mail.server)}
${billingWarnings(config)
  .map((warning) => `\n${warning}\n`)
  .join('')}`;
}

function plansOf({ id, plans }: Config['products'][number]): { id: string }[] {
  return plans.map((plan) => ({
    id: `${id}/${plan.id}${plan.prices.length === 0 ? ' (free)' : ''}`,
  }));
}

/** Where it is, and not who we are there. */
function mailServer(server: string): string {
  const { protocol, host } = new URL(server);
  return `${protocol}//${host}`;
}

/** Of the key no more than the mode. */
function stripeOf({ secretKey, apiBase }: NonNullable<Config['stripe']>): string {
  return `${apiBase}, ${/^.k_live_/.test(secretKey) ? 'live' : 'test'} mode`;
}

/** What the operator is told, and the exit code: 2 for a command that cannot be meant, 1 for the rest. */
function fail(error: unknown): void {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  process.stderr.write(`${explain(error)}\n`);
}

const otherSecret = `The database was made with another secret than the one that is set now.
To change it, keep the old one behind the new one: TOLLGATE_SECRET=new,old
Where it is lost, begin with an empty store: what it sealed cannot be opened.`;

function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nTry: tollgate help`;
  if (error instanceof Problem && error.code === 'secret_unreadable') return otherSecret;
  if (error instanceof ConfigProblems || error instanceof Problem) return error.message;
  if (!(error instanceof Error)) return String(error);
  // Deno was started without a permission: its message says which.
  return error.name === 'NotCapable' ? error.message : (error.stack ?? error.message);
}

await main(process.argv.slice(2)).catch(fail);
