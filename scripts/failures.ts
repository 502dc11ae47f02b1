/** What failed, so said that the end of a log names it; and what is run a second time for it. */

import { stripVTControlCharacters } from 'node:util';
import type { ModuleOutcome, Told } from './report.ts';

export interface Failure {
  runtime: string;
  project: string;
  file: string;
  name: string;
  error: string;
}

const mostShown = 20;
const mostLines = 15;
const longestLine = 240;

/** A bounded part of an error, without colours. */
export function firstLines(text: string): string {
  const lines = stripVTControlCharacters(text).trim().split('\n');
  return lines
    .slice(0, mostLines)
    .map((line) => line.slice(0, longestLine))
    .join('\n');
}

export function failuresOf(runtime: string, { modules, errors }: Told): Failure[] {
  const inTests = modules
    .filter(({ ok, failures }) => !ok || failures.length > 0)
    .flatMap(({ project, file, failures }) => {
      const named = failures.length > 0 ? failures : [{ name: 'the file itself', error: '' }];
      return named.map((one) => ({ runtime, project, file, ...one }));
    });
  const nowhere = { runtime, project: '', file: '', name: 'an error between tests' };
  return [...inTests, ...errors.map((error) => ({ ...nowhere, error }))];
}

/** One line for each, and its error beneath. */
export function describe(what: string, failures: readonly Failure[]): string[] {
  const shown = failures.slice(0, mostShown).flatMap(({ runtime, project, file, name, error }) => {
    const where = [runtime, project, file].filter((part) => part !== '').join(' ');
    const lines = error === '' ? [] : firstLines(error).split('\n');
    return [`${what}: ${where} > ${name}`, ...lines.map((line) => `    ${line}`.trimEnd())];
  });
  const more = failures.length - mostShown;
  return more > 0 ? [...shown, `${what}: ${more} more`] : shown;
}

/**
 * The files to run once more, alone: all that failed, or none where they are more than `most` or where something
 * failed that is of no file.
 */
export function secondRunsOf({ modules, errors }: Told, most: number): ModuleOutcome[] {
  const failed = modules.filter(({ ok, failures }) => !ok || failures.length > 0);
  return errors.length > 0 || failed.length > most ? [] : failed;
}

/** @returns the file as the second run found it, where all is well now */
export function mended(first: ModuleOutcome, second: Told): ModuleOutcome | undefined {
  const found = second.modules.find(
    ({ project, file }) => project === first.project && file === first.file,
  );
  const isWell = found?.ok === true && found.failures.length === 0 && second.errors.length === 0;
  return isWell && found.states.includes('passed') ? found : undefined;
}
