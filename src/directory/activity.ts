/** What happened in an account, for those who may see it: its audit records, newest first, with the names of now. */

import type { AuditDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import type { Page, Paging } from './invitation_types.ts';

export interface ActivityRow {
  id: string;
  type: string;
  at: number;
  /** Whom it is about. */
  user?: Named;
  /** Who did it. Absent: an operator, or nobody in particular. */
  actor?: Named;
  /** What the record says of it. Ids of nothing else. */
  words: { roles?: string[]; domain?: string };
}

export interface Named {
  id: string;
  /** Absent: they have none, or were deleted. */
  name?: string;
}

export interface Activity {
  activityOf: (account: string, paging?: Paging) => Promise<Page<ActivityRow>>;
}

const pageSize = 50;
const mostRows = 200;

export function createActivity({ store }: { store: Store }): Activity {
  async function nameOf(id: string): Promise<Named> {
    const user = (await store.get('user', id))?.document;
    const name = user?.name ?? user?.email;
    return name === undefined ? { id } : { id, name };
  }

  async function activityOf(account: string, paging: Paging = {}): Promise<Page<ActivityRow>> {
    const limit = Math.min(Math.max(paging.limit ?? pageSize, 1), mostRows);
    const { after } = paging;
    const from = after === undefined ? {} : { after };
    const options = { limit: limit + 1, descending: true, ...from };
    const found = await store.find('audit', 'account', account, options);
    const shown = found.slice(0, limit);
    const ids = shown.flatMap(({ document }) => [document.user, textOf(document, 'actor')]);
    const known = new Set(ids.filter((id) => id !== undefined));
    const people = await Promise.all([...known].map(nameOf));
    const names = new Map(people.map((named) => [named.id, named]));
    const rows = shown.map(({ id, document }) => rowOf(id, document, names));
    const last = shown.at(-1);
    return found.length > limit && last !== undefined ? { rows, next: last.id } : { rows };
  }

  return { activityOf };
}

function rowOf(id: string, record: AuditDocument, names: ReadonlyMap<string, Named>): ActivityRow {
  const { type, at } = record;
  const user = names.get(record.user ?? '');
  const actor = names.get(textOf(record, 'actor') ?? '');
  const { roles } = record.data;
  const domain = textOf(record, 'domain');
  const words = {
    ...(Array.isArray(roles) ? { roles: roles.filter((role) => typeof role === 'string') } : {}),
    ...(domain === undefined ? {} : { domain }),
  };
  return {
    id,
    type,
    at,
    ...(user === undefined ? {} : { user }),
    ...(actor === undefined ? {} : { actor }),
    words,
  };
}

function textOf({ data }: AuditDocument, name: string): string | undefined {
  const value = data[name];
  return typeof value === 'string' ? value : undefined;
}
