/** What is wrong with a configuration, all of it at once, in words for the operator. */

export interface ConfigProblem {
  /** The key, such as `clients[1].redirectUris[0]`, or the environment variable. */
  key: string;
  /** What was found, and what should be there. Never the value of a secret. */
  message: string;
  /** What to do about it. */
  remedy?: string | undefined;
}

export class ConfigProblems extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], file?: string) {
    const where = file === undefined ? 'The configuration' : `The configuration in ${file}`;
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
    super(`${where} has ${count}:\n${problems.map(print).join('\n')}`);
    this.name = 'ConfigProblems';
    this.problems = problems;
  }
}

function print({ key, message, remedy }: ConfigProblem): string {
  const line = `  ${key === '' ? '(the whole)' : key}: ${message}`;
  return remedy === undefined ? line : `${line}\n      ${remedy}`;
}

/** `['clients', 1, 'id']` is `clients[1].id`. */
export function keyPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

/** The word of `known` that was probably meant, if one is near enough. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const near = known
    .map((candidate) => ({ candidate, distance: distance(word, candidate) }))
    .filter((found) => found.distance <= limit)
    .toSorted((left, right) => left.distance - right.distance);
  return near[0]?.candidate;
}

/** Changed, missing, additional and exchanged letters, without regard to case. */
function distance(left: string, right: string): number {
  const a = left.slice(0, 60).toLowerCase();
  const b = right.slice(0, 60).toLowerCase();
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const changed = a[row - 1] === b[column - 1] ? 0 : 1;
      const exchanged =
        a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
          ? (before[column - 2] ?? Infinity) + 1
          : Infinity;
      current.push(
        Math.min(
          (above[column] ?? Infinity) + 1,
          (current[column - 1] ?? Infinity) + 1,
          (above[column - 1] ?? Infinity) + changed,
          exchanged,
        ),
      );
    }
    before = above;
    above = current;
  }
  return above[b.length] ?? Infinity;
}
