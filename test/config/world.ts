/** A good configuration, and what becomes of it when something in it is changed. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigProblems, loadConfig } from '../../src/config.ts';
import type { Config, ConfigInput } from '../../src/config.ts';

export const serverSecret = 'f3b1c5a09d7e4862b0c91e5fd27a8436';
export const clientSecret = 'Q7.w~x2-Rk_9ZpTn4VbLs0YhJd8MfGe1';

export function goodInput(): ConfigInput {
  return {
    issuer: 'https://id.example.com',
    secrets: [serverSecret],
    providers: [{ id: 'google', preset: 'google', clientId: 'g', clientSecret: 'GOCSPX-1' }],
    clients: [
      {
        id: 'app',
        name: 'App',
        secret: clientSecret,
        redirectUris: ['https://app.example.com/callback'],
      },
    ],
    signin: { success: 'https://app.example.com/' },
    signout: { success: 'https://www.example.com/' },
  };
}

/** Loads the configuration as a file's content and an environment. */
export function load(input: unknown, env: Record<string, string> = {}): Promise<Config> {
  const readFile = () => Promise.resolve(JSON.stringify(input));
  return loadConfig({ file: 'tollgate.config.json', env, readFile });
}

/** `key: message remedy` of each problem; empty where all is well. */
export async function complaints(
  input: unknown,
  env: Record<string, string> = {},
): Promise<string[]> {
  return problemsOf(load(input, env));
}

export async function problemsOf(loading: Promise<Config>): Promise<string[]> {
  try {
    await loading;
    return [];
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    return error.problems.map(({ key, message, remedy }) =>
      [`${key}: ${message}`, remedy].filter((text) => text !== undefined).join(' '),
    );
  }
}

/** The good configuration with one client changed. */
export function withClient(change: object): object {
  const good = goodInput();
  return { ...good, clients: [{ ...good.clients?.[0], ...change }] };
}

export function withProvider(change: object): object {
  const good = goodInput();
  return { ...good, providers: [{ ...good.providers[0], ...change }] };
}

/** Files in a folder of their own. */
export async function inFolder<T>(
  files: Record<string, string>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-config-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
