/**
 * One audit record for each event: who, where, what, when, by ids. Names, addresses and whatever else
 * an event may carry stay out, because records are kept long after a person is gone.
 */

import type { AuditDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { PendingEvent, Store } from '../storage/store.ts';
import type { Handler } from './handlers.ts';

/** What a record may say. A field that is not named here is left out, also of events yet to come. */
const allowed: ReadonlySet<string> = new Set(
  [
    'user account owner session grant client clients sid provider issuer roles scopes reason kid alg',
    'product plan status subscription customer receiver stream invitation actor before feedback domain',
  ].flatMap((names) => names.split(' ')),
);

/** Words and ids have no spaces: a sentence, such as the reason that somebody typed, is not kept. */
const word = /^[!-~]{1,512}$/;
const mostEntries = 100;

export function createAuditHandler({ store }: { store: Store }): Handler {
  return {
    name: 'audit',
    types: 'all',
    async handle(event) {
      // A sign of life is no decision, and there are hundreds a day.
      if (event.type === 'stream.verification') return;
      try {
        await store.write('audit', event.id, auditRecord(event), { expect: 'absent' });
      } catch (error) {
        // Written before: by an earlier attempt, or by another process.
        if (!(error instanceof Conflict)) throw error;
      }
    },
  };
}

function auditRecord({ type, at, data }: PendingEvent): AuditDocument {
  const kept = allowedFields(data, 0);
  const user = kept.user ?? kept.owner;
  return {
    type,
    at,
    ...(typeof user === 'string' ? { user } : {}),
    ...(typeof kept.account === 'string' ? { account: kept.account } : {}),
    data: kept,
  };
}

function allowedFields(data: object, depth: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(data)) {
    const kept = allowed.has(name) ? allowedValue(value, depth) : undefined;
    if (kept !== undefined) fields[name] = kept;
  }
  return fields;
}

function allowedValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return word.test(value) ? value : undefined;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null || depth >= 3) return undefined;
  if (!Array.isArray(value)) return allowedFields(value, depth + 1);
  return value
    .slice(0, mostEntries)
    .map((entry) => allowedValue(entry, depth + 1))
    .filter((entry) => entry !== undefined);
}
