/**
 * Subjects that a stream does not want to hear of (Shared Signals Framework 1.0 §8.1.3), as hashes: they may be
 * e-mail addresses of people whom nobody here knows, and a thousand of them must fit into one document.
 *
 * A removed subject covers what is about it: `{user}` also what is about the user in one account; `{user, tenant}`
 * only what is about both. So the parts of an event's subject are looked up in all their combinations.
 */

import { sha256 } from '../base/secrets.ts';
import { fieldProblem } from './stream_problems.ts';

/** By format, the members that make a subject (RFC 9493 §3.2, SSF 1.0 §3.3). */
const members: Readonly<Record<string, readonly string[]>> = {
  account: ['uri'],
  did: ['url'],
  email: ['email'],
  iss_sub: ['iss', 'sub'],
  opaque: ['id'],
  phone_number: ['phone_number'],
  uri: ['uri'],
  jwt_id: ['iss', 'jti'],
  saml_assertion_id: ['issuer', 'assertion_id'],
};

const parts = ['user', 'device', 'session', 'application', 'tenant', 'org_unit', 'group'] as const;
const mostCharacters = 1024;
const mostAliases = 10;
/** Ours have three at most. */
const mostParts = 5;

type Json = Readonly<Record<string, unknown>>;

/**
 * The keys under which a subject is kept: one, or one for each of its aliases.
 * @throws {Problem} `field_invalid` 400 for what is no subject; never because of who it is (T69)
 */
export function keysOfSubject(subject: unknown, field = 'subject'): string[] {
  if (!isObject(subject)) throw fieldProblem(field, 'It must be a subject identifier (RFC 9493).');
  if (subject.format !== 'aliases') return [sha256(canonical(subject, field))];
  const { identifiers } = subject;
  if (!Array.isArray(identifiers) || identifiers.length === 0 || identifiers.length > mostAliases) {
    throw fieldProblem(`${field}.identifiers`, `It must be a list of 1 to ${mostAliases}.`);
  }
  return identifiers.map((one: unknown) => {
    const at = `${field}.identifiers`;
    if (!isObject(one)) throw fieldProblem(at, 'Each must be a subject identifier (RFC 9493).');
    return sha256(canonical(one, at));
  });
}

/** @param subject of an event of ours */
export function isRemoved(removed: ReadonlySet<string>, subject: object): boolean {
  if (removed.size === 0) return false;
  if ((subject as Json).format !== 'complex') {
    return removed.has(sha256(canonical(subject as Json, 'subject')));
  }
  const present = parts.flatMap((name): [string, Json][] => {
    const part = (subject as Json)[name];
    return isObject(part) ? [[name, part]] : [];
  });
  if (present.some(([, part]) => removed.has(sha256(canonical(part, 'subject'))))) return true;
  return combinations(present.slice(0, mostParts)).some((some) =>
    removed.has(sha256(canonical({ format: 'complex', ...Object.fromEntries(some) }, 'subject'))),
  );
}

/** One spelling of each, whatever else is in it. */
function canonical(subject: Json, field: string): string {
  const format = formatOf(subject, field);
  const text =
    format === 'complex'
      ? canonicalComplex(subject, field)
      : canonicalSimple(format, subject, field);
  if (text.length > mostCharacters) throw fieldProblem(field, 'It is too long.');
  return text;
}

/** SSF 1.0 §3.3: a complex subject may leave out that it is one. */
function formatOf(subject: Json, field: string): string {
  const { format } = subject;
  const isComplex = format === undefined && parts.some((name) => isObject(subject[name]));
  if (isComplex) return 'complex';
  if (typeof format === 'string') return format;
  throw fieldProblem(`${field}.format`, 'It must be the name of a format (RFC 9493).');
}

function canonicalComplex(subject: Json, field: string): string {
  const present = parts.flatMap((name) => {
    const part = subject[name];
    if (part === undefined) return [];
    const at = `${field}.${name}`;
    if (!isObject(part) || part.format === 'complex') {
      throw fieldProblem(at, 'It must be a subject identifier (RFC 9493).');
    }
    const format = formatOf(part, at);
    if (format === 'complex') throw fieldProblem(at, 'It must be a simple one.');
    return [[name, canonicalSimple(format, part, at)]];
  });
  if (present.length === 0) throw fieldProblem(field, 'It has no part.');
  return JSON.stringify(['complex', ...present]);
}

function canonicalSimple(format: string, subject: Json, field: string): string {
  const names =
    (Object.hasOwn(members, format) ? members[format] : undefined) ??
    // Of a format that is not known here: all that is text.
    Object.keys(subject)
      .filter((name) => name !== 'format' && typeof subject[name] === 'string')
      .toSorted();
  const values = names.map((name) => {
    const value = subject[name];
    if (typeof value === 'string' && value !== '') return [name, value];
    throw fieldProblem(`${field}.${name}`, 'It must be a text.');
  });
  if (values.length === 0) throw fieldProblem(field, 'It names nobody.');
  return JSON.stringify([format, ...values]);
}

function combinations<T>(list: readonly T[]): T[][] {
  return list
    .reduce<T[][]>((some, one) => [...some, ...some.map((few) => [...few, one])], [[]])
    .slice(1);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
