/**
 * The linter holds the house together, so it is tested too: for each of its rules a violation is
 * planted in a tree of its own, and has to be reported there, and nothing else.
 */

import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onThisRuntime, root, run } from '../../scripts/tools.ts';

const rooms = 'no-restricted-imports';

/** What no room below may reach. */
const forbidden: Record<string, readonly string[]> = {
  'src/base/planted.ts': ['../config.ts', '../storage/store.ts', '../web/html.ts', '../main.ts'],
  'src/verify/planted.ts': ['../base/errors.ts', '../config.ts', '../oidc/oidc.ts'],
  'src/config.ts': ['./storage/store.ts', './server.ts', './oidc/oidc.ts'],
  'src/config/planted.ts': ['../storage/store.ts', '../web/html.ts', '../federation/presets.ts'],
  'src/storage/planted.ts': [
    '../config.ts',
    '../web/html.ts',
    '../events/types.ts',
    '../server.ts',
  ],
  'src/storage/sqlite/planted.ts': ['../../config.ts', '../../web/html.ts', 'undici'],
  'src/storage/mongodb/planted.ts': ['../../config.ts', '../../web/html.ts', 'node:sqlite'],
  'src/storage/redis/planted.ts': ['../../config.ts', '../../web/html.ts', 'mongodb'],
  'src/web/planted.ts': [
    '../config.ts',
    '../storage/store.ts',
    '../oidc/oidc.ts',
    '../../views/a.ts',
  ],
  'src/events/planted.ts': ['../config.ts', '../web/html.ts', '../directory/users.ts'],
  'src/directory/planted.ts': [
    '../config.ts',
    '../web/html.ts',
    '../oidc/oidc.ts',
    '../federation/a.ts',
  ],
  'src/federation/planted.ts': [
    '../web/html.ts',
    '../oidc/oidc.ts',
    '../config.ts',
    '../billing/a.ts',
  ],
  'src/billing/planted.ts': [
    '../web/html.ts',
    '../federation/a.ts',
    '../../views/a.ts',
    '../config.ts',
    '../../dev/stripe/simulator.ts',
  ],
  'src/oidc/planted.ts': [
    '../web/html.ts',
    '../federation/a.ts',
    '../links/a.ts',
    '../../views/a.ts',
  ],
  'views/planted.ts': ['../src/web/form.ts', '../src/oidc/oidc.ts', '../src/config.ts', 'koa'],
  'interactions/planted.ts': [
    '../src/storage/store.ts',
    '../src/events/types.ts',
    '../src/server.ts',
  ],
  'src/links/planted.ts': ['../storage/store.ts', '../admin/a.ts', '../../interactions/index.ts'],
  'src/admin/planted.ts': ['../storage/sqlite.ts', '../links/a.ts', '../main.ts'],
  'src/account/planted.ts': ['../storage/store.ts', '../mail/a.ts', '../../interactions/index.ts'],
  'src/mail/planted.ts': ['../links/a.ts', '../billing/a.ts', '../storage/mongodb.ts'],
  'src/server.ts': ['./main.ts', './storage/sqlite.ts', './storage/mongodb.ts', '../dev/demo.ts'],
};

/** What is allowed has to stay so: a rule that reports everything would pass the test above. */
const allowed: Record<string, readonly string[]> = {
  'src/config/allowed.ts': ['../base/addresses.ts', './schema.ts'],
  'src/storage/allowed.ts': ['../base/errors.ts', './store.ts'],
  'src/storage/sqlite/allowed.ts': ['../../base/log.ts', '../store.ts', 'node:sqlite'],
  'src/storage/mongodb/allowed.ts': ['../../base/log.ts', '../store.ts', 'mongodb'],
  'src/storage/redis/allowed.ts': ['../../base/log.ts', '../store.ts', 'ioredis'],
  'src/web/allowed.ts': ['../base/errors.ts', './html.ts', 'koa'],
  'src/events/allowed.ts': ['../base/log.ts', '../storage/store.ts'],
  'src/directory/allowed.ts': ['../events/types.ts', '../storage/store.ts'],
  'src/federation/allowed.ts': ['../directory/users.ts', '../storage/store.ts', '../base/log.ts'],
  'src/billing/allowed.ts': ['../directory/accounts.ts', '../events/types.ts', './stripe.ts'],
  'src/oidc/allowed.ts': ['../directory/directory.ts', '../billing/plans.ts', 'oidc-provider'],
  'views/allowed.ts': ['../src/web/html.ts', './layout.ts'],
  'interactions/allowed.ts': ['../views/layout.ts', '../src/web/page.ts', '../src/oidc/oidc.ts'],
  'src/links/allowed.ts': ['../web/page.ts', '../oidc/oidc.ts', '../../views/message.ts'],
  'src/admin/allowed.ts': [
    '../events/types.ts',
    '../directory/directory.ts',
    '../storage/store.ts',
  ],
  'src/account/allowed.ts': ['../links/errors.ts', '../directory/directory.ts'],
};

/** Each vendor's package, and the only files of `src` that import it. */
const vendors: Record<string, { home: string; others: readonly string[] }> = {
  undici: {
    home: 'src/base/fetch.ts',
    others: ['src/base', 'src/federation', 'src/oidc', 'src/web'],
  },
  'prom-client': {
    home: 'src/base/metrics.ts',
    others: ['src/base', 'src/web', 'src/events', 'src/oidc', 'src/links'],
  },
  'openid-client': {
    home: 'src/federation/client.ts',
    others: ['src/federation', 'src/base', 'src/oidc', 'src/links'],
  },
  'oidc-provider': {
    home: 'src/oidc/provider.ts',
    others: ['src/base', 'src/web', 'src/storage', 'src/events', 'src/directory', 'src/federation'],
  },
  'node:sqlite': {
    home: 'src/storage/sqlite.ts',
    others: ['src/base', 'src/storage', 'src/events', 'src/directory', 'src/oidc', 'interactions'],
  },
  mongodb: {
    home: 'src/storage/mongodb.ts',
    others: ['src/base', 'src/storage', 'src/storage/sqlite', 'src/events', 'src/oidc'],
  },
  stripe: {
    home: 'src/billing/stripe.ts',
    others: ['src/base', 'src/directory', 'src/billing', 'src/oidc', 'src/links', 'interactions'],
  },
  ioredis: {
    home: 'src/storage/redis.ts',
    others: ['src/base', 'src/storage', 'src/storage/mongodb', 'src/events', 'src/oidc', 'src/web'],
  },
};

/** One violation of each rule that more than taste speaks for. */
const planted: Record<string, string> = {
  'no-floating-promises': 'async function work() {}\nexport function start() {\n  work();\n}\n',
  'no-misused-promises':
    "import { EventEmitter } from 'node:events';\nnew EventEmitter().on('a', async () => {\n  await Promise.resolve();\n});\n",
  'await-thenable': 'export async function wait(ready: boolean) {\n  await ready;\n}\n',
  'switch-exhaustiveness-check':
    "export function name(of: 'a' | 'b') {\n  switch (of) {\n    case 'a':\n      return 1;\n  }\n}\n",
  'only-throw-error': "export function refuse() {\n  throw 'no';\n}\n",
  'no-explicit-any': 'export function take(value: any) {\n  return String(value);\n}\n',
  'no-unsafe-member-access': "export const a = JSON.parse('{}').a as string;\n",
  'no-non-null-assertion': 'export const first = (list: string[]) => list[0]!.length;\n',
  'ban-ts-comment': '// @ts-ignore\nexport const wrong: string = 1;\n',
  'consistent-type-imports': "import { Log } from '../base/log.ts';\nexport type Own = Log;\n",
  'no-default-export': 'export default 1;\n',
  'prefer-node-protocol': "import { readFileSync } from 'fs';\nexport const read = readFileSync;\n",
  eqeqeq: 'export const same = (a: unknown, b: unknown) => a == b;\n',
  'no-console': "console.log('here');\n",
  'no-param-reassign': 'export function next(n: number) {\n  n = n + 1;\n  return n;\n}\n',
  'no-eval': "export const run = () => eval('1') as number;\n",
  'max-lines-per-function': `export function long() {\n${'  Math.random();\n'.repeat(95)}}\n`,
  'no-unused-vars': 'const unused = 1;\nexport const used = 2;\n',
};

interface Report {
  diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[];
}

let tree: string;
/** The rules that were broken, by file, and by line (`src/server.ts:2`). */
let reported: Map<string, string[]>;

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'tollgate-lint-'));
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) {
    await cp(join(root, file), join(tree, file));
  }
  await plantAll();
  reported = await lint();
});

afterAll(() => rm(tree, { recursive: true, force: true }));

describe.each(Object.entries(forbidden))('%s', (file, list) => {
  test.each(list)('may not import %s', (from) => {
    expect(reported.get(`${file}:${list.indexOf(from) + 1}`)).toEqual([rooms]);
  });
});

test.each(Object.entries(allowed))('%s may import %j', (file) => {
  expect(reported.get(file) ?? []).toEqual([]);
});

describe.each(Object.entries(vendors))('%s', (vendor, { home, others }) => {
  test(`is imported by ${home}`, () => {
    expect(reported.get(home) ?? []).toEqual([]);
  });

  test.each(others)('is not imported elsewhere in %s', (room) => {
    expect(reported.get(vendorFile(room, vendor))).toEqual([rooms]);
  });
});

test.each(Object.keys(planted))('%s is reported', (rule) => {
  expect(reported.get(`src/web/${rule}.ts`)).toContain(rule);
});

test('two files that import each other are reported', () => {
  expect(reported.get('src/web/circle_one.ts')).toContain('no-cycle');
});

test('of the configuration a room may import the types', () => {
  expect(reported.get('src/federation/types.ts') ?? []).toEqual([]);
});

test('the simulator takes its types from the package of Stripe', () => {
  expect(reported.get('dev/stripe/planted.ts') ?? []).toEqual([]);
});

test('a comment that silences nothing is reported', () => {
  expect(reported.get('src/web/silence.ts')).toHaveLength(1);
});

function vendorFile(room: string, vendor: string): string {
  return `${room}/planted_${vendor.replaceAll(/[^a-z]+/g, '_')}.ts`;
}

async function plantAll(): Promise<void> {
  const files = new Map<string, string>();
  const line = (from: string) => `export { thing } from '${from}';\n`;
  for (const [file, list] of Object.entries({ ...forbidden, ...allowed })) {
    files.set(file, list.map(line).join(''));
  }
  for (const [vendor, { home, others }] of Object.entries(vendors)) {
    files.set(home, line(vendor));
    for (const room of others) files.set(vendorFile(room, vendor), line(vendor));
  }
  for (const [rule, text] of Object.entries(planted)) files.set(`src/web/${rule}.ts`, text);
  files.set(
    'src/web/circle_one.ts',
    "import { two } from './circle_two.ts';\nexport const one = () => two;\n",
  );
  files.set(
    'src/web/circle_two.ts',
    "import { one } from './circle_one.ts';\nexport const two = () => one;\n",
  );
  files.set(
    'src/federation/types.ts',
    "import type { Config } from '../config.ts';\nexport type Own = Config;\n",
  );
  files.set(
    'dev/stripe/planted.ts',
    "import type { Stripe } from 'stripe';\nexport type Own = Stripe;\n",
  );
  files.set(
    'src/web/silence.ts',
    '// oxlint-disable-next-line no-debugger\nexport const quiet = 1;\n',
  );
  for (const [file, text] of files) {
    await mkdir(dirname(join(tree, file)), { recursive: true });
    await writeFile(join(tree, file), text);
  }
}

async function lint(): Promise<Map<string, string[]>> {
  const program = onThisRuntime(join(root, 'node_modules/oxlint/bin/oxlint'));
  const { output } = await run([...program, '--type-aware', '--format=json'], {
    limitMs: 60_000,
    output: 'kept',
    folder: tree,
  });
  const { diagnostics } = JSON.parse(output) as Report;
  const found = new Map<string, string[]>();
  for (const { code, filename, labels } of diagnostics) {
    const rule = /\((.+)\)$/.exec(code)?.[1] ?? code;
    for (const place of [filename, `${filename}:${labels[0]?.span.line}`]) {
      found.set(place, [...(found.get(place) ?? []), rule]);
    }
  }
  return found;
}
