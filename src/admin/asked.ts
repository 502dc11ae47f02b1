/** What is asked for by `tollgate users|accounts|members|invitations|sessions …`: which ids and options each action takes. */

import { quote, UsageError } from '../command_store.ts';

/** Options as the command line has them. */
export interface PeopleValues {
  status?: string;
  idle?: string;
  email?: string;
  provider?: string;
  issuer?: string;
  subject?: string;
  role?: string[];
  locale?: string;
  feedback?: string;
  reason?: string;
  owner?: string;
  since?: string;
  limit?: string;
  after?: string;
  now: boolean;
  'at-period-end': boolean;
  yes: boolean;
  json: boolean;
}

type Option = keyof PeopleValues;

interface Action {
  /** Names of what it needs, in order, for its usage. */
  ids: readonly string[];
  options: readonly Option[];
  /** It changes something: asks before, or takes `--yes`. */
  changes: boolean;
}

const reads = (ids: readonly string[], options: readonly Option[] = []): Action => ({
  ids,
  options,
  changes: false,
});

const changes = (ids: readonly string[], options: readonly Option[] = []): Action => ({
  ids,
  options,
  changes: true,
});

const paging = ['limit', 'after'] as const;

const nouns = {
  users: {
    list: reads([], ['status', 'idle', 'email', 'issuer', 'subject', ...paging]),
    show: reads(['USER']),
    disable: changes(['USER']),
    enable: changes(['USER']),
    delete: changes(['USER'], ['now']),
    keep: changes(['USER']),
    link: changes(['USER'], ['provider', 'issuer', 'subject']),
    unlink: changes(['USER'], ['issuer', 'subject']),
  },
  accounts: {
    list: reads([], ['status', 'idle', ...paging]),
    show: reads(['ACCOUNT']),
    create: changes(['NAME'], ['owner']),
    rename: changes(['ACCOUNT', 'NAME']),
    close: changes(['ACCOUNT'], ['now', 'at-period-end', 'feedback', 'reason']),
    keep: changes(['ACCOUNT']),
    reopen: changes(['ACCOUNT'], ['owner']),
    owner: changes(['ACCOUNT', 'USER']),
    reasons: reads([], ['since']),
  },
  members: {
    list: reads(['ACCOUNT'], paging),
    add: changes(['ACCOUNT', 'USER'], ['role']),
    remove: changes(['ACCOUNT', 'USER']),
    roles: changes(['ACCOUNT', 'USER'], ['role']),
  },
  invitations: {
    list: reads(['ACCOUNT'], paging),
    create: changes(['ACCOUNT'], ['email', 'role', 'locale']),
    resend: changes(['ACCOUNT', 'INVITATION']),
    withdraw: changes(['ACCOUNT', 'INVITATION']),
    confirm: changes(['ACCOUNT', 'INVITATION']),
    decline: changes(['ACCOUNT', 'INVITATION']),
  },
  sessions: {
    list: reads(['USER']),
    end: changes(['SESSION']),
  },
} as const satisfies Record<string, Record<string, Action>>;

type Nouns = typeof nouns;
export type Noun = keyof Nouns;

export interface PeopleAsked {
  noun: Noun;
  /** One of its noun's. */
  action: string;
  ids: readonly string[];
  values: PeopleValues;
}

export function isNoun(word: string): word is Noun {
  return Object.hasOwn(nouns, word);
}

/** Every action as it is typed, for help and for a test that each is tried. */
export function peopleActions(): {
  noun: Noun;
  action: string;
  ids: readonly string[];
  changes: boolean;
}[] {
  return Object.entries(nouns).flatMap(([noun, actions]) =>
    Object.entries<Action>(actions).map(([action, { ids, changes: isChange }]) => ({
      noun: noun as Noun,
      action,
      ids,
      changes: isChange,
    })),
  );
}

/** @throws {UsageError} */
export function peopleAsked(
  noun: Noun,
  [word, ...ids]: readonly string[],
  values: PeopleValues,
): PeopleAsked {
  const actions: Record<string, Action> = nouns[noun];
  const action = word !== undefined && Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (word === undefined || action === undefined) {
    const but = word === undefined ? '' : `, not ${quote(word)}`;
    throw new UsageError(`${noun} takes one of ${Object.keys(actions).join(', ')}${but}.`);
  }
  const missing = action.ids.slice(ids.length);
  if (missing.length > 0 || ids.includes('')) {
    throw new UsageError(`It is: tollgate ${[noun, word, ...action.ids].join(' ')}`);
  }
  const [extra] = ids.slice(action.ids.length);
  if (extra !== undefined) throw new UsageError(`What is ${quote(extra)}?`);
  const allowed: readonly string[] = [
    ...action.options,
    'json',
    ...(action.changes ? ['yes'] : []),
  ];
  for (const name of optionNames) {
    const value = values[name];
    if (value === undefined || value === false || allowed.includes(name)) continue;
    throw new UsageError(`--${name} is no option of ${noun} ${word}.`);
  }
  return { noun, action: word, ids, values };
}

const optionNames = [
  'status',
  'idle',
  'email',
  'provider',
  'issuer',
  'subject',
  'role',
  'locale',
  'feedback',
  'reason',
  'owner',
  'since',
  'limit',
  'after',
  'now',
  'at-period-end',
  'yes',
] as const satisfies readonly Option[];

const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** @returns milliseconds. @throws {UsageError} */
export function durationOf(option: string, text: string): number {
  const [, number, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  if (number !== undefined && unit !== undefined && unit in units) {
    return Number(number) * units[unit as keyof typeof units];
  }
  throw new UsageError(`--${option} takes a duration such as 90d or 12h, not ${quote(text)}.`);
}

/** @throws {UsageError} */
export function limitOf({ limit }: Pick<PeopleValues, 'limit'>, otherwise = 100): number {
  if (limit === undefined) return otherwise;
  if (/^\d{1,5}$/.test(limit) && Number(limit) > 0 && Number(limit) <= 10_000) return Number(limit);
  throw new UsageError(`--limit takes a number from 1 to 10000, not ${quote(limit)}.`);
}

/** @throws {UsageError} */
export function statusOf<const T extends string>(
  words: readonly T[],
  status: string | undefined,
): T | undefined {
  const found = words.find((word) => word === status);
  if (status === undefined || found !== undefined) return found;
  throw new UsageError(`--status takes one of ${words.join(', ')}, not ${quote(status)}.`);
}

/** @throws {UsageError} */
export function needed(
  values: PeopleValues,
  ...names: ('subject' | 'provider' | 'issuer' | 'owner')[]
) {
  for (const name of names) {
    if (values[name] === undefined) throw new UsageError(`--${name} is needed.`);
  }
}
