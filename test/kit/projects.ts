/** Which tests run on which store: all on SQLite, and what stores have to do with on every one. */

import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { storeNames } from './store_names.ts';
import type { StoreName } from './store_names.ts';

/** Whole stories, races and crashes, and the suite that every driver passes. */
const everywhere = [
  'test/admin/import.test.ts',
  'test/billing/{catch_up,inbox,seats,sync}.test.ts',
  'test/conformance/store.test.ts',
  'test/directory/{crash,races}.test.ts',
  'test/events/*.test.ts',
  'test/flows/*.test.ts',
  'test/mail/outbox.test.ts',
];

/** What can go wrong on the way to a server, which a file does not have. */
const wired = 'test/flows/wired/*.test.ts';

/** What loops over faults is about documents that are kept, which are in SQLite there: that is tried without Redis. */
const kept = 'test/flows/{signup_faults,signup_kills,switch_faults,closing_faults}.test.ts';

export interface Project {
  name: StoreName;
  include: string[];
  exclude: string[];
  globalSetup: string[];
}

/**
 * `TOLLGATE_TEST_STORES=sqlite,mongodb` runs on those alone, and `TOLLGATE_TEST_ALL_ON=mongodb` all tests on that
 * one.
 */
export function storeProjects(env: NodeJS.ProcessEnv): Project[] {
  const wanted = env['TOLLGATE_TEST_STORES']?.split(',') ?? storeNames;
  const all = env['TOLLGATE_TEST_ALL_ON'] ?? 'sqlite';
  return storeNames
    .filter((name) => wanted.includes(name) && serversAreThere(name, env))
    .map((name) => ({
      name,
      include: name === all ? ['test/**/*.test.ts'] : [...everywhere, wired],
      exclude: [
        'node_modules/**',
        ...(name === 'sqlite' ? [wired] : []),
        ...(name === 'redis+sqlite' ? [kept] : []),
      ],
      globalSetup: name === 'sqlite' ? [] : ['test/kit/global_setup.ts'],
    }));
}

/**
 * Without its servers a store is left out, visibly; where everything is required (`TOLLGATE_TEST_REQUIRE=all`) its
 * tests are there, and fail.
 */
function serversAreThere(name: StoreName, env: NodeJS.ProcessEnv): boolean {
  const missing = [
    ...(name.includes('redis') && env['TEST_REDIS_URL'] === undefined ? ['redis-server'] : []),
    ...(name.includes('mongodb') && env['TEST_MONGODB_URL'] === undefined ? ['java', 'mvn'] : []),
  ].filter((program) => !isThere(program, env));
  if (missing.length === 0 || env['TOLLGATE_TEST_REQUIRE'] === 'all') return true;
  process.stderr.write(
    `\nNOT TESTED: the store ${name}. There is no ${missing.join(', no ')}.\n\n`,
  );
  return false;
}

function isThere(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}
