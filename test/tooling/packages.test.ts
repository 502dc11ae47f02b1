/** The supply chain: few packages at run time, none that runs anything when it is installed, all locked. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/tools.ts';

interface Package {
  version: string;
  dev?: boolean;
  optional?: boolean;
  hasInstallScript?: boolean;
  integrity?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

async function read<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(root, name), 'utf8')) as T;
}

const manifest = await read<{ dependencies: Record<string, string> }>('package.json');
const { packages } = await read<{ packages: Record<string, Package> }>('package-lock.json');
const locked = Object.entries(packages).filter(([path]) => path !== '');
const atRunTime = locked.filter(([, { dev }]) => dev !== true);

/** Where Node would look for a package, from inside to outside. */
function isLocked(from: string, name: string): boolean {
  const parts = from.split('/node_modules/');
  const folders = parts.map((_part, index) => parts.slice(0, index + 1).join('/node_modules/'));
  return ['', ...folders.map((folder) => `${folder}/`)].some(
    (folder) => packages[`${folder}node_modules/${name}`] !== undefined,
  );
}

test('every package is locked with the checksum of its content', () => {
  const without = locked.filter(([, { integrity }]) => integrity === undefined);
  expect(without.map(([path]) => path)).toEqual([]);
});

test('the lock names the packages of every platform, or npm ci refuses it', () => {
  const missing = locked.flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(path, name))
      .map((name) => `${path} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

test('at run time there are few packages, and none runs a script when it is installed', () => {
  expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(12);
  const scripts = atRunTime.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripts.map(([path]) => path)).toEqual([]);
});

test('the protocol library is pinned: its defaults change in minor versions', () => {
  expect(manifest.dependencies['oidc-provider']).toMatch(/^\d+\.\d+\.\d+$/);
  expect(packages['node_modules/oidc-provider']?.version).toBe(
    manifest.dependencies['oidc-provider'],
  );
});
