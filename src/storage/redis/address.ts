/** The address of a Redis, as an operator writes it: one server, Sentinels, or a cluster. */

import { Problem } from '../../base/errors.ts';

export interface RedisHost {
  host: string;
  port: number;
}

export interface RedisAddress {
  mode: 'single' | 'sentinel' | 'cluster';
  hosts: RedisHost[];
  /** What the Sentinels call the master. */
  master?: string;
  database: number;
  username?: string;
  password?: string;
  tls: boolean;
  /** What all keys begin with. */
  prefix: string;
  /** How many replicas must have a write with events before it is acknowledged. */
  wait: number;
  /** Without secrets: for messages and logs. */
  shown: string;
}

const modes = {
  redis: { mode: 'single', port: 6379 },
  'redis+sentinel': { mode: 'sentinel', port: 26_379 },
  'redis+cluster': { mode: 'cluster', port: 6379 },
} as const;

const shape =
  /^(redis|rediss)(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^@/?]+)(\/[^?]*)?(?:\?(.*))?$/s;
const mostReplicas = 16;

/** @throws {Problem} with a sentence for the operator that repeats no password */
export function parseRedisAddress(text: string, otherwise: { prefix?: string } = {}): RedisAddress {
  const match = shape.exec(text);
  if (match === null) throw refused('is not understood; write redis://host:6379');
  const [, scheme = '', variant = '', userinfo, hosts = '', path = '', query = ''] = match;
  const kind = modes[`redis${variant}` as keyof typeof modes];
  const { mode } = kind;
  const segments = path.split('/').slice(1);
  const master = mode === 'sentinel' ? decoded(segments.shift() ?? '') : undefined;
  if (master === '')
    throw refused('needs the name of the master: redis+sentinel://host:26379/name');
  const parsed = hosts.split(',').map((host) => hostOf(host, kind.port));
  if (mode === 'single' && parsed.length > 1) {
    throw refused('names several hosts; write redis+sentinel:// or redis+cluster://');
  }
  return {
    mode,
    hosts: parsed,
    ...(master === undefined ? {} : { master }),
    database: databaseOf(segments, mode),
    ...credentialsOf(userinfo),
    tls: scheme === 'rediss',
    ...parametersOf(new URLSearchParams(query), otherwise.prefix ?? 'tollgate'),
    shown: `${scheme}${variant}://${hosts}${path}`,
  };
}

function refused(reason: string): Problem {
  return new Problem('store_address', 500, `The address of Redis ${reason}.`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('has a % that is not followed by two digits; a % itself is written %25');
  }
}

function hostOf(text: string, defaultPort: number): RedisHost {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[2] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535) throw refused('has a host that is none');
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
}

function databaseOf(segments: readonly string[], mode: RedisAddress['mode']): number {
  const [text = '', ...more] = segments;
  if (more.length > 0 || !/^\d{0,4}$/.test(text)) throw refused('has a database that is no number');
  const database = Number(text);
  if (mode === 'cluster' && database !== 0) throw refused('has a database; a cluster has only one');
  return database;
}

/** `user:password`, or `:password` for the default user. */
function credentialsOf(userinfo: string | undefined) {
  if (userinfo === undefined || userinfo === '') return {};
  const colon = userinfo.indexOf(':');
  if (colon < 0)
    throw refused('has a user without a password; write user:password@, or :password@');
  const username = decoded(userinfo.slice(0, colon));
  const password = decoded(userinfo.slice(colon + 1));
  return { ...(username === '' ? {} : { username }), password };
}

function parametersOf(parameters: URLSearchParams, defaultPrefix: string) {
  let prefix = defaultPrefix;
  let wait = 0;
  for (const [name, value] of parameters) {
    if (name === 'prefix') prefix = value;
    else if (name === 'wait') wait = /^\d{1,2}$/.test(value) ? Number(value) : Number.NaN;
    else
      throw refused(
        `has an unknown parameter ${JSON.stringify(name.slice(0, 40))}; known are prefix and wait`,
      );
  }
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(prefix)) {
    throw refused('has a prefix that is not of A-Z a-z 0-9 _ . - (64 at the most)');
  }
  if (!(wait <= mostReplicas)) throw refused(`has a wait that is no number up to ${mostReplicas}`);
  return { prefix, wait };
}
