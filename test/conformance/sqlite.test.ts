import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { openAt } from './places.ts';
import { storeSuite } from './store.ts';

storeSuite(
  'SQLite in a file',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tollgate-store-'));
    const location = `sqlite:${join(directory, 'tollgate.db')}`;
    return {
      location,
      open: (clock) => openAt(location, clock),
      discard: () => rm(directory, { recursive: true, force: true }),
    };
  },
  { persistent: true, ordered: true, clocked: true },
);

storeSuite(
  'SQLite in memory',
  async () => ({
    open: (clock) => openSqlite({ path: ':memory:', clock }),
    discard: async () => {},
  }),
  { persistent: false, ordered: true, clocked: true },
);
