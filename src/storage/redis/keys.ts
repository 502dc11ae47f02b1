/**
 * Names of keys, and the members of the sorted sets. All members have the score 0 and are read in the
 * order of their bytes, so a page goes on exactly behind the last member of the one before.
 *
 * A member ends in (or begins with) a *mark*: when it was added, by Redis' clock, and something random. The
 * document names the marks of its present members. So a member that a crash left behind, or that a
 * document no longer wants, is told apart from the one that counts, however the writes interleave.
 */

import { kinds } from '../kinds.ts';
import type { Kind } from '../kinds.ts';

const digits = 16;
/** Behind every byte that UTF-8 can have. */
const end = '\u{10FFFF}';

export interface Keys {
  document(kind: Kind, id: string): string;
  index(kind: Kind, name: string, value: string): string;
  due(kind: Kind): string;
  pending: string;
  counter(name: string): string;
  schema: string;
  /** For SCAN: everything. */
  all: string;
  /** The kind of the documents that an index is of, where the key is one of an index. */
  indexedKind(key: string): Kind | undefined;
  /** The document whose key it is, if it is one's. */
  documentAt(key: string): { kind: Kind; id: string } | undefined;
}

export function createKeys(prefix: string): Keys {
  const beginning = `${prefix}:index:`;
  return {
    document: (kind, id) => `${prefix}:${kind}:${id}`,
    index: (kind, name, value) => `${beginning}${kind}:${name}:${value}`,
    due: (kind) => `${prefix}:due:${kind}`,
    pending: `${prefix}:pending`,
    counter: (name) => `${prefix}:count:${name}`,
    schema: `${prefix}:schema`,
    all: `${prefix}:*`,
    indexedKind: (key) =>
      key.startsWith(beginning)
        ? (key.slice(beginning.length).split(':', 1)[0] as Kind)
        : undefined,
    documentAt(key) {
      const [kind = '', ...id] = key.slice(prefix.length + 1).split(':');
      return Object.hasOwn(kinds, kind) ? { kind: kind as Kind, id: id.join(':') } : undefined;
    },
  };
}

/** Fixed width, so that the order of the texts is that of the numbers. */
export function sortable(value: number): string {
  const whole = Math.max(0, Math.min(Math.trunc(value), Number.MAX_SAFE_INTEGER));
  return String(whole).padStart(digits, '0');
}

/** When a mark was made, in microseconds by Redis' clock. */
export function markedAt(mark: string): number {
  return Number(mark.slice(0, digits));
}

export const indexMember = (id: string, mark: string): string => `${id}\0${mark}`;

export function parseIndexMember(member: string): { id: string; mark: string } {
  const zero = member.indexOf('\0');
  return { id: member.slice(0, zero), mark: member.slice(zero + 1) };
}

/** Where members of an index begin or end, behind all those of an id. */
export const behindId = (id: string): string => `(${id}\u0001`;
export const beforeId = (id: string): string => `(${id}\0`;

/** As a document keeps it: the time by which it is entered, and the mark. */
export const dueEntry = (due: number, mark: string): string => `${sortable(due)}${mark}`;

export function dueMember(id: string, entry: string): string {
  return `${entry.slice(0, digits)}\0${id}\0${entry.slice(digits)}`;
}

export function parseDueMember(member: string): { id: string; due: number; entry: string } {
  const time = member.slice(0, digits);
  const last = member.lastIndexOf('\0');
  return {
    id: member.slice(digits + 1, last),
    due: Number(time),
    entry: time + member.slice(last + 1),
  };
}

/** Behind all members that are due by then. */
export const behindDue = (due: number): string => `(${sortable(due)}${end}`;

export const pendingMember = (kind: Kind, id: string, mark: string): string =>
  `${mark}\0${kind}\0${id}`;

export function parsePendingMember(member: string): { kind: Kind; id: string; mark: string } {
  const first = member.indexOf('\0');
  const second = member.indexOf('\0', first + 1);
  return {
    mark: member.slice(0, first),
    kind: member.slice(first + 1, second) as Kind,
    id: member.slice(second + 1),
  };
}
