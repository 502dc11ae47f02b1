/**
 * Least privilege: what `deno task start` grants is enough, and holds nothing by which a defect could reach
 * the rest of the machine.
 */

import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { find, root } from '../../scripts/tools.ts';
import { start } from './program.ts';

const deno = 'deno' in process.versions ? process.execPath : find('deno');

async function grants(): Promise<string[]> {
  const { tasks } = JSON.parse(await readFile(join(root, 'deno.json'), 'utf8')) as {
    tasks: { start: string };
  };
  const words = tasks.start.split(' ');
  expect(words.slice(0, 2)).toEqual(['deno', 'run']);
  return words.slice(2);
}

/** The sources in a place of their own, for the grants are relative to it. */
async function checkout(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'tollgate-deno-')));
  for (const name of ['src', 'interactions', 'views', 'package.json', 'deno.json']) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeConfig(folder, config);
  return folder;
}

const config = {
  issuer: 'http://localhost:4400',
  port: 0,
  providers: [{ id: 'google', preset: 'google', clientId: 'client' }],
  signin: { success: 'http://localhost:4401/' },
  signout: { success: 'http://localhost:4401/' },
  // Stripe's library is loaded, and asks an address that nobody listens at.
  stripe: { apiBase: 'http://127.0.0.1:1' },
  outgoing: { allowPrivate: ['127.0.0.0/8'] },
  // So is the library for e-mails.
  mail: { server: 'smtp://127.0.0.1:1', from: 'id@example.com' },
};

async function writeConfig(folder: string, config: object): Promise<void> {
  const source = `import { defineConfig } from './src/config.ts';
    export default defineConfig(${JSON.stringify(config)});`;
  await writeFile(join(folder, 'tollgate.config.ts'), source);
}

test.skipIf(deno === undefined)('T79 it lives with what `deno task start` grants', async () => {
  const folder = await checkout();
  const audit = join(folder, 'audit.jsonl');
  const program = start({
    folder,
    command: [deno ?? '', 'run', '--quiet', ...(await grants())],
    environment: {
      DENO_AUDIT_PERMISSIONS: audit,
      TOLLGATE_SECRET: 'q7TzX0vLw2nKd9RbYc4JmHs8PfGe5UaN',
      TOLLGATE_PROVIDER_GOOGLE_SECRET: 'GOCSPX-a1b2c3d4e5',
      TOLLGATE_STRIPE_SECRET_KEY: 'sk_test_a1b2c3d4e5',
    },
  });
  const { port } = await program.listening();
  for (const path of ['/health/ready', '/.well-known/openid-configuration', '/signin', '/none']) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });
    expect({ path, status: answer.status }).not.toEqual({ path, status: 500 });
    await answer.text();
  }
  // It is imported again while it runs.
  await writeConfig(folder, { ...config, returnOrigins: ['http://localhost:4402'] });
  const record = await program.logged('the configuration has changed');
  expect(record['changed']).toEqual(['returnOrigins']);
  program.signal('SIGTERM');
  expect((await program.ended).code).toBe(0);

  const asked = (await readFile(audit, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { permission: string; value: unknown });
  expect([...new Set(asked.map(({ permission }) => permission))].toSorted()).toEqual([
    'env',
    'net',
    'read',
    'write',
  ]);
  const written = asked.filter(({ permission }) => permission === 'write');
  for (const { value } of written) expect(value).toMatch(new RegExp(`^${folder}/data(/|$)`));
  await rm(folder, { recursive: true, force: true });
});

test('and what it grants is no program, no library, and no other file', async () => {
  const flags = (await grants()).filter((word) => word.startsWith('-'));

  expect(flags.toSorted()).toEqual([
    '--allow-env',
    '--allow-net',
    '--allow-read=.,/run/secrets',
    '--allow-write=data',
    '--no-prompt',
  ]);
});

test('npm starts Deno with the same grants', async () => {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(manifest.scripts['start:deno']).toBe(`deno run ${(await grants()).join(' ')}`);
});
