/**
 * What a file names, so that its lines can be compared with each other in any order: ids, identities, customers and
 * domains, and of accounts the owners. About 300 bytes a line; everything else of a line is forgotten at once.
 */

import { identityKey } from '../storage/kinds.ts';
import type { Findings } from './import_findings.ts';
import type { ImportRecord } from './records.ts';

export interface FileIndex {
  users: Map<string, number>;
  accounts: Map<string, { line: number; owners: readonly string[] }>;
  add(line: number, record: ImportRecord): void;
}

/** Second lines about the same are told as problems. */
export function createFileIndex({ problem }: Findings): FileIndex {
  const users: FileIndex['users'] = new Map();
  const accounts: FileIndex['accounts'] = new Map();
  const identities = new Map<string, number>();
  const customers = new Map<string, number>();
  const domains = new Map<string, number>();
  const once = (seen: Map<string, number>, value: string, at: { line: number; field: string }) => {
    const before = seen.get(value);
    if (before === undefined) seen.set(value, at.line);
    else problem({ ...at, problem: `Line ${before} has the same.` });
  };
  return {
    users,
    accounts,
    add(line, record) {
      if (record.type === 'user') {
        once(users, record.id, { line, field: 'id' });
        for (const { issuer, subject } of record.fields.identities ?? []) {
          once(identities, identityKey(issuer, subject), { line, field: 'identities' });
        }
        const at = { line, field: 'memberships' };
        const seen = new Map<string, number>();
        for (const { account } of record.fields.memberships ?? []) once(seen, account, at);
        return;
      }
      const { id, fields } = record;
      const before = accounts.get(id)?.line;
      if (before === undefined) accounts.set(id, { line, owners: fields.owners });
      else problem({ line, field: 'id', problem: `Line ${before} has the same.` });
      if (fields.customer !== undefined) {
        once(customers, fields.customer, { line, field: 'customer' });
      }
      for (const { domain, provenAt } of fields.domains ?? []) {
        if (provenAt !== undefined) once(domains, domain, { line, field: 'domains' });
      }
    },
  };
}
