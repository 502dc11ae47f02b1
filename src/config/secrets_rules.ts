/** Secrets that anybody could guess, or that two share, are refused (T79). Never shown. */

import type { ConfigProblem } from './problems.ts';

const remedy = 'Make one with `openssl rand -hex 32`.';
/** Of one letter alone as many as chance does not make: four of them are in one of 25 000 good ones. */
const fillers =
  /change.?(me|it|this)|replace.?(me|it|this)|your.?secret|placeholder|insecure|password|example|x{7}|default|for.?development|for.?tests?\b/i;

export interface NamedSecret {
  key: string;
  value: string;
}

/** A server's or a client's: ours to choose, so it has to be a good one. */
export function complainOfStrength({ key, value }: NamedSecret): ConfigProblem[] {
  const message = weakness(value);
  return message === undefined ? [] : [{ key, message, remedy }];
}

function weakness(value: string): string | undefined {
  const bytes = Buffer.byteLength(value);
  if (bytes < 32) return `It is too short: ${bytes} bytes, and 32 are needed.`;
  if (fillers.test(value)) return 'It looks as if it was meant to be changed.';
  if (new Set(value).size < 8) return 'It is made of very few different characters.';
  if ((value + value).indexOf(value, 1) < value.length) return 'It repeats itself.';
  if (isSequence(value)) return 'It is a row of neighbouring characters.';
  return undefined;
}

/** `abcdefgh…`: most characters follow the one before. */
function isSequence(value: string): boolean {
  let steps = 0;
  for (let index = 1; index < value.length; index += 1) {
    if (Math.abs(value.charCodeAt(index) - value.charCodeAt(index - 1)) === 1) steps += 1;
  }
  return steps > value.length / 2;
}

export function complainOfSharing(secrets: readonly NamedSecret[]): ConfigProblem[] {
  const first = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const { key, value } of secrets) {
    const other = first.get(value);
    if (other === undefined) first.set(value, key);
    else problems.push({ key, message: `It is the same secret as ${other}.`, remedy });
  }
  return problems;
}
