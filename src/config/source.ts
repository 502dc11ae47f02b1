/**
 * Where the configuration comes from: its file and the files of secrets, read at the start and, by a running
 * process, again when one of them has changed. Container platforms replace mounted files, and links to them, so
 * they are looked at by their names, every time.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { secretFolder } from './environment.ts';
import type { Environment } from './environment.ts';
import { loadConfig } from './load.ts';
import { ConfigProblems } from './problems.ts';
import type { Config } from './schema.ts';

export interface ConfigSourceOptions {
  file: string;
  /** Usually `process.env`. */
  env: Environment;
  /** What the command line says instead. */
  overrides?: Partial<Config>;
}

export interface ConfigSource {
  readonly file: string;
  /** @throws {ConfigProblems} which lists everything that is wrong */
  load(): Promise<Config>;
  /**
   * Whether there is something new to load. A change counts when a second look finds the same: what is being
   * written may be half there.
   */
  hasChanged(): Promise<boolean>;
}

/** A module that was imported stays in memory, 50 KiB for each change of the file. */
const mostImports = 1000;
const mostSecretFiles = 1000;

export function createConfigSource(options: ConfigSourceOptions): ConfigSource {
  const { file, env, overrides } = options;
  const importNew = createImporter(file);
  let loads = 0;
  let loaded = '';
  let seen = '';
  return {
    file,

    async load() {
      // Before it is read: what changes meanwhile will be seen as a change.
      loaded = await stampsOf(file, env);
      loads += 1;
      const running = loads > 1;
      const config = await loadConfig({ file, env, running, importFile: importNew });
      return { ...config, ...overrides };
    },

    async hasChanged() {
      const before = seen;
      seen = await stampsOf(file, env);
      return seen !== loaded && seen === before;
    },
  };
}

/** What tells one state of the files from another. */
async function stampsOf(file: string, env: Environment): Promise<string> {
  const named = Object.entries(env).flatMap(([name, path]) =>
    /^TOLLGATE_.*_FILE$/.test(name) && path !== undefined ? [path] : [],
  );
  const paths = [file, ...named, ...(await filesIn(env[secretFolder]))];
  return (await Promise.all(paths.map(stampOf))).join('\n');
}

async function stampOf(path: string): Promise<string> {
  try {
    // Also when it was changed in any way: tools keep `mtime`, and what could not be read may be allowed since.
    const { mtimeMs, ctimeMs, size, ino } = await stat(path);
    return `${path} ${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    // It may be about to be replaced, or for nobody's eyes: loading says so.
    return `${path} is not there`;
  }
}

async function filesIn(folder: string | undefined): Promise<string[]> {
  if (folder === undefined) return [];
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith('TOLLGATE_'))
    .toSorted()
    .slice(0, mostSecretFiles)
    .map((name) => join(folder, name));
}

/**
 * Both runtimes keep what they have imported, by its address: another query is another module. It is
 * imported only when its text is another one than last time.
 */
function createImporter(file: string): (address: string) => Promise<unknown> {
  let imports = 0;
  let last: { text: string; module: unknown } | undefined;
  return async (address) => {
    const text = createHash('sha256')
      .update(await readFile(file))
      .digest('base64url');
    if (last?.text === text) return last.module;
    if (imports >= mostImports) {
      const message = `It has changed ${mostImports} times.`;
      throw new ConfigProblems([{ key: '', message, remedy: 'Restart this process.' }], file);
    }
    imports += 1;
    const module: unknown = await import(imports === 1 ? address : `${address}?${imports}`);
    last = { text, module };
    return module;
  };
}
