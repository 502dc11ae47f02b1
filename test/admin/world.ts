/** Files for an import, and what came of one. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { exportAll } from '../../src/admin/export.ts';
import { importFile } from '../../src/admin/import.ts';
import { createFindings } from '../../src/admin/import_findings.ts';
import type { ImportReport } from '../../src/admin/import_findings.ts';
import type { Store } from '../../src/storage/store.ts';
import { directoryOver } from '../directory/world.ts';
import { openWorld } from '../events/world.ts';
import type { World } from '../events/world.ts';

export const google = 'https://accounts.google.com';

async function fileOf(content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-import-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'people.jsonl');
  await writeFile(file, content);
  return file;
}

const linesOf = (records: readonly unknown[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

export interface ImportWorld extends World {
  /** @param content records, or the file as it is */
  take(content: readonly unknown[] | string | Buffer, how?: TakeOptions): Promise<ImportReport>;
  exported(store?: Store): Promise<string>;
}

interface TakeOptions {
  write?: boolean;
  /** That of the world when not given. */
  store?: Store;
}

export async function openImport(): Promise<ImportWorld> {
  const world = await openWorld();
  return Object.assign(world, {
    async take(
      content: readonly unknown[] | string | Buffer,
      { write = true, store = world.store }: TakeOptions = {},
    ) {
      const isFile = typeof content === 'string' || Buffer.isBuffer(content);
      const file = await fileOf(isFile ? content : linesOf(content));
      const { finishOwner } = directoryOver(world, store);
      const deps = {
        store,
        clock: world.clock,
        findings: createFindings(),
        reservedIds: new Set(['app']),
        issuerOf: (provider: string) => (provider === 'google' ? google : undefined),
        finishOwner,
      };
      return importFile(deps, file, { write });
    },
    async exported(store: Store = world.store) {
      const parts: string[] = [];
      await exportAll(store, async (text) => void parts.push(text));
      return parts.join('');
    },
  });
}
