/** Keeps the state in a file between starts: written whole beside it, and put in its place. */

import { readFile, rename, writeFile } from 'node:fs/promises';
import { savedOf } from './state.ts';
import type { State } from './state.ts';
import type { Saved } from './tables.ts';

export interface Keeper {
  /** Of before; nothing where there was no file. */
  saved: Saved;
  changed(state: State): void;
  close(state: State): Promise<void>;
}

const maxAgeMs = 200;

/** @throws {Error} where the file is there and cannot be read */
export async function keeper(file: string | undefined): Promise<Keeper> {
  if (file === undefined) {
    return { saved: {}, changed: () => undefined, close: () => Promise.resolve() };
  }
  const saved = await read(file);
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  const write = (state: State) => {
    const text = JSON.stringify(savedOf(state));
    writing = writing.then(() => replace(file, text));
    return writing;
  };
  return {
    saved,
    changed(state) {
      timer ??= setTimeout(() => {
        timer = undefined;
        // A disk that is full is told when it is closed.
        write(state).catch(() => undefined);
      }, maxAgeMs);
      timer.unref();
    },
    async close(state) {
      clearTimeout(timer);
      await write(state);
    },
  };
}

async function read(file: string): Promise<Saved> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  const saved: Saved = JSON.parse(text);
  return saved;
}

async function replace(file: string, text: string): Promise<void> {
  const beside = `${file}.new`;
  await writeFile(beside, text);
  await rename(beside, file);
}
