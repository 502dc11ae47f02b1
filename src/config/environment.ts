/**
 * Secrets come from the environment, so that the file can lie in a repository. One convention:
 * `TOLLGATE_SECRET`, `TOLLGATE_STORE` and `TOLLGATE_HOT` (connection strings have passwords),
 * `TOLLGATE_PROVIDER_<ID>_SECRET`, `TOLLGATE_CLIENT_<ID>_SECRET` and `TOLLGATE_RECEIVER_<ID>_SECRET`,
 * `TOLLGATE_MAIL_SERVER`, `TOLLGATE_STRIPE_SECRET_KEY` and `TOLLGATE_STRIPE_WEBHOOK_SECRETS`, each also with `_FILE` behind it, for a file that holds the secret. What is there wins over the file. The environment of a process that runs
 * cannot grow, so there may be a folder, too, with files that are named as the variables.
 */

import { join } from 'node:path';
import { nearest } from './problems.ts';
import type { ConfigProblem } from './problems.ts';
import { isRecord } from './sound.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => Promise<string>;

/** Those that are not secrets; `TOLLGATE_TEST_` is for the tests. */
export const secretFolder = 'TOLLGATE_SECRET_FOLDER';
const others = ['TOLLGATE_CONFIG', secretFolder];
const ownPrefix = /^TOLLGATE_(?!TEST_)/;

/** Keys whose values may have a password in them. */
const addresses = { store: 'TOLLGATE_STORE', hot: 'TOLLGATE_HOT' } as const;

type Named = 'PROVIDER' | 'CLIENT' | 'RECEIVER';

/** `my-app` is `MY_APP`. */
export function variableOf(kind: Named, id: string): string {
  return `TOLLGATE_${kind}_${id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_SECRET`;
}

interface Filled {
  input: unknown;
  problems: ConfigProblem[];
  /** Variables by which nothing is configured. */
  unread: ConfigProblem[];
}

/** Puts the environment's secrets where the file would have them. */
export async function addEnvironment(
  input: unknown,
  env: Environment,
  readFile: ReadFile,
): Promise<Filled> {
  if (!isRecord(input)) return { input, problems: [], unread: [] };
  const reader = createReader(env, readFile);
  const filled = { ...input };
  const secrets = await reader.read('TOLLGATE_SECRET');
  // Empty is as good as not there.
  if (secrets !== undefined && split(secrets).length > 0) filled['secrets'] = split(secrets);
  for (const [key, variable] of Object.entries(addresses)) {
    const address = await reader.read(variable);
    if (address !== undefined && address.trim() !== '') filled[key] = address.trim();
  }
  const stripe = await stripeOf(input['stripe'], reader);
  if (stripe !== undefined) filled['stripe'] = stripe;
  const mail = await mailOf(input['mail'], reader);
  if (mail !== undefined) filled['mail'] = mail;
  const providers = await fill(input['providers'], 'PROVIDER', 'clientSecret', reader);
  const clients = await fill(input['clients'], 'CLIENT', 'secret', reader);
  if (providers !== undefined) filled['providers'] = providers;
  const receivers = await fill(input['receivers'], 'RECEIVER', 'secret', reader);
  if (clients !== undefined) filled['clients'] = clients;
  if (receivers !== undefined) filled['receivers'] = receivers;
  return { input: filled, problems: reader.problems, unread: reader.unread() };
}

/** Who sets a key wants to sell: the group need not be in the file. */
async function stripeOf(group: unknown, reader: Reader): Promise<unknown> {
  const secretKey = (await reader.read('TOLLGATE_STRIPE_SECRET_KEY'))?.trim();
  const webhookSecrets = split((await reader.read('TOLLGATE_STRIPE_WEBHOOK_SECRETS')) ?? '');
  const said = {
    ...(secretKey !== undefined && secretKey !== '' && { secretKey }),
    ...(webhookSecrets.length > 0 && { webhookSecrets }),
  };
  if (Object.keys(said).length === 0 || (group !== undefined && !isRecord(group))) return group;
  return { ...group, ...said };
}

/** Its address has a password in it. */
async function mailOf(group: unknown, reader: Reader): Promise<unknown> {
  const server = (await reader.read('TOLLGATE_MAIL_SERVER'))?.trim();
  if (server === undefined || server === '' || (group !== undefined && !isRecord(group))) {
    return group;
  }
  return { ...group, server };
}

function split(text: string): string[] {
  return text
    .split(/[,\r\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

async function fill(list: unknown, kind: Named, key: string, reader: Reader): Promise<unknown> {
  if (!Array.isArray(list)) return list;
  const filled: unknown[] = [];
  for (const entry of list as unknown[]) {
    const id = isRecord(entry) ? entry['id'] : undefined;
    const secret = typeof id === 'string' ? await reader.read(variableOf(kind, id)) : undefined;
    filled.push(isRecord(entry) && secret !== undefined ? { ...entry, [key]: secret } : entry);
  }
  return filled;
}

type Reader = ReturnType<typeof createReader>;

function createReader(env: Environment, readFile: ReadFile) {
  const problems: ConfigProblem[] = [];
  const known = new Set<string>();
  const folder = env[secretFolder];

  async function contentOf(path: string, key: string, absent?: 'ENOENT') {
    try {
      return (await readFile(path)).trim();
    } catch (error) {
      const code = isRecord(error) && typeof error['code'] === 'string' ? error['code'] : 'unknown';
      if (code === absent) return undefined;
      const message = `The file ${JSON.stringify(path)} cannot be read (${code}).`;
      problems.push({ key, message });
      return undefined;
    }
  }

  async function fromFolder(name: string): Promise<string | undefined> {
    return folder === undefined ? undefined : contentOf(join(folder, name), secretFolder, 'ENOENT');
  }

  return {
    problems,

    async read(name: string): Promise<string | undefined> {
      const fileName = `${name}_FILE`;
      if (known.has(name)) return repeated(name, env, problems);
      known.add(name).add(fileName);
      const path = env[fileName];
      const value = env[name];
      if (path === undefined) return value ?? fromFolder(name);
      if (value !== undefined) {
        const message = `${name} is set as well.`;
        problems.push({ key: fileName, message, remedy: 'Set one of the two.' });
        return value;
      }
      return contentOf(path, fileName);
    },

    /**
     * A misspelled variable must not leave an app without its secret, or a server on an old one.
     */
    unread(): ConfigProblem[] {
      const unknown = Object.keys(env).filter(
        (name) => ownPrefix.test(name) && !known.has(name) && !others.includes(name),
      );
      return unknown.map((name) => {
        const meant = nearest(name, [...known, ...others]);
        return {
          key: name,
          message: 'Nothing is configured by this variable.',
          remedy: meant === undefined ? 'Remove it.' : `Did you mean ${meant}?`,
        };
      });
    },
  };
}

/** `my-app` and `my.app` would share a variable. */
function repeated(name: string, env: Environment, problems: ConfigProblem[]): undefined {
  if (env[name] === undefined && env[`${name}_FILE`] === undefined) return undefined;
  problems.push({
    key: name,
    message: 'Two ids of the configuration mean this variable.',
    remedy: 'Give them ids that differ in more than case and punctuation.',
  });
  return undefined;
}
