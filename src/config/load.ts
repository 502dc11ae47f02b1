/** Reads the configuration: the file, the environment's secrets, and what is wrong with both. */

import { existsSync } from 'node:fs';
import { readFile as readFileOf } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigProblems } from './problems.ts';
import type { ConfigProblem } from './problems.ts';
import { addEnvironment } from './environment.ts';
import type { Environment, ReadFile } from './environment.ts';
import { shown } from './fields.ts';
import { checkTogether } from './rules.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';
import { sound } from './sound.ts';
import { translate } from './translate.ts';

export interface LoadOptions {
  /** `.ts`, `.js` or `.json`; relative to the working directory. */
  file: string;
  /** Usually `process.env`. */
  env: Environment;
  /** For files of secrets and `.json` configurations. */
  readFile?: ReadFile;
  /** For the others, by their address. */
  importFile?: (address: string) => Promise<unknown>;
  /**
   * The process is one that runs. Its environment is the one of its start, so it may have the secrets of
   * clients that were removed since.
   */
  running?: boolean;
}

/** @throws {ConfigProblems} which lists everything that is wrong */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const { file, env, running = false } = options;
  const read: ReadFile = options.readFile ?? ((path) => readFileOf(path, 'utf8'));
  const importFile = options.importFile ?? ((address) => import(address));
  const written = await readInput(file, read, importFile);
  const { input, problems, unread } = await addEnvironment(written, env, read);
  return validate(input, running ? problems : [...problems, ...unread], file);
}

function validate(input: unknown, before: ConfigProblem[] = [], file?: string): Config {
  const parsed = configSchema.safeParse(input);
  const single = parsed.success ? [] : translate(parsed.error, input);
  const broken = new Set(single.map(({ key }) => key));
  const together = checkTogether(sound(configSchema, input), broken);
  const problems = [...before, ...single, ...together.filter(({ key }) => !broken.has(key))];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new ConfigProblems(problems, file);
}

type ImportFile = NonNullable<LoadOptions['importFile']>;

async function readInput(
  file: string,
  readFile: ReadFile,
  importFile: ImportFile,
): Promise<unknown> {
  const type = extname(file);
  if (type === '.json') return readJson(file, readFile);
  if (type === '.ts' || type === '.js') return readModule(file, importFile);
  throw unreadable(file, `${shown(file)} is no .ts, .js or .json file.`);
}

async function readJson(file: string, readFile: ReadFile): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file);
  } catch (error) {
    throw unreadable(file, `It cannot be read: ${firstLine(error)}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // Not the whole message: it quotes the file, which may hold a secret.
    const place = /position \d+( \(line \d+ column \d+\))?/.exec(firstLine(error))?.[0];
    throw unreadable(file, `It is no JSON${place === undefined ? '' : ` at ${place}`}.`);
  }
}

async function readModule(file: string, importFile: ImportFile): Promise<unknown> {
  if (!existsSync(file)) {
    throw unreadable(file, 'There is no such file.', 'Copy tollgate.config.example.ts.');
  }
  let loaded: { default?: unknown };
  try {
    loaded = (await importFile(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  } catch (error) {
    if (error instanceof ConfigProblems) throw error;
    throw unreadable(file, `It cannot be loaded: ${firstLine(error)}`);
  }
  if (loaded.default !== undefined) return loaded.default;
  throw unreadable(file, 'It has no default export.', 'Begin it with `export default {`.');
}

function unreadable(file: string, message: string, remedy?: string): ConfigProblems {
  return new ConfigProblems([{ key: '', message, remedy }], file);
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : 'unknown';
  return message.split('\n', 1)[0]?.slice(0, 500) ?? '';
}
