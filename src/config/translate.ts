/** From what the schema library says to what an operator can act on. */

import { z } from 'zod';
import { shown } from './fields.ts';
import { keyPath, nearest } from './problems.ts';
import type { ConfigProblem } from './problems.ts';
import { configSchema } from './schema.ts';
import { isRecord, unwrap } from './sound.ts';

const kinds: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
};

/** Values of these are never shown, not even a wrong one. */
const secretKeys = new Set(['secret', 'clientSecret', 'secrets', 'secretKey', 'webhookSecrets']);

const noSecret = {
  key: 'secrets',
  message: 'It is missing.',
  remedy: 'Set TOLLGATE_SECRET; `openssl rand -hex 32` makes one.',
};

/** Of keys that go with a variable: what to do where they are missing. */
const missing = new Map([
  [
    'stripe.secretKey',
    'Set TOLLGATE_STRIPE_SECRET_KEY; Stripe has it in its dashboard (Developers, API keys).',
  ],
  ['mail.server', 'Set TOLLGATE_MAIL_SERVER, such as smtps://name:password@mail.example.com.'],
  ['mail.from', "A mail server needs a sender: mail: { from: 'Example <id@example.com>' }."],
]);

export function translate(error: z.ZodError, input: unknown): ConfigProblem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return unknownKeys(issue.path, issue.keys);
    const found = valueAt(input, issue.path);
    if (found === undefined && issue.path[0] === 'secrets') return noSecret;
    const key = keyPath(issue.path);
    const remedy = found === undefined ? missing.get(key) : undefined;
    if (remedy !== undefined) return { key, message: 'It is missing.', remedy };
    return [{ key, ...explain(issue, found) }];
  });
}

function explain(issue: z.core.$ZodIssue, found: unknown): Omit<ConfigProblem, 'key'> {
  const remedy = remedyOf(issue);
  if (found === undefined && issue.code !== 'custom') {
    return { message: 'It is missing.', remedy: expectation(issue) };
  }
  if (issue.code === 'custom') return { message: issue.message, remedy };
  const value = issue.path.some((part) => secretKeys.has(String(part))) ? undefined : found;
  const message = `${describeValue(value, found)} does not fit.`;
  return { message, remedy: expectation(issue) ?? issue.message };
}

function remedyOf(issue: z.core.$ZodIssue): string | undefined {
  const remedy: unknown = issue.code === 'custom' ? issue.params?.['remedy'] : undefined;
  return typeof remedy === 'string' ? remedy : undefined;
}

function expectation(issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `It should be ${kinds[issue.expected] ?? issue.expected}.`;
    case 'invalid_value':
      return `It should be one of ${issue.values.map((value) => String(value)).join(', ')}.`;
    case 'too_small':
      return `It should ${bound(issue.origin)} at least ${issue.minimum}${unit(issue.origin)}.`;
    case 'too_big':
      return `It should ${bound(issue.origin)} at most ${issue.maximum}${unit(issue.origin)}.`;
    case 'invalid_format':
      return issue.message;
    default:
      return undefined;
  }
}

const bound = (origin: string) => (origin === 'string' || origin === 'array' ? 'have' : 'be');

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

function describeValue(value: unknown, found: unknown): string {
  if (typeof value === 'string') return shown(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(found)) return 'A list';
  if (found === null) return '`null`';
  return kinds[typeof found] === undefined ? 'The value' : capital(kinds[typeof found] ?? '');
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

function unknownKeys(path: readonly PropertyKey[], keys: readonly string[]): ConfigProblem[] {
  const known = knownKeys(path);
  return keys.map((name) => {
    const meant = nearest(name, known);
    return {
      key: keyPath([...path, name.slice(0, 100)]),
      message: 'There is no such key.',
      remedy:
        meant === undefined ? `There are: ${known.join(', ')}.` : `Did you mean \`${meant}\`?`,
    };
  });
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: z.core.$ZodType | undefined = configSchema;
  for (const part of path) {
    const inner: z.core.$ZodType | undefined = schema && unwrap(schema);
    if (inner instanceof z.ZodArray) schema = inner.element;
    else if (inner instanceof z.ZodObject) {
      const shape: Record<string, z.core.$ZodType> = inner.shape;
      schema = shape[String(part)];
    } else schema = undefined;
  }
  const last = schema && unwrap(schema);
  return last instanceof z.ZodObject ? Object.keys(last.shape) : [];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = value[part];
    else if (isRecord(value)) value = value[String(part)];
    else return undefined;
  }
  return value;
}
