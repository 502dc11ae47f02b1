/**
 * Reading the fields of a line that somebody else wrote: each is wanted as what it is and nothing is repaired or
 * guessed, what nobody asked for is complained of (T75), and all of it is said at once.
 */

export interface Complaint {
  field: string;
  problem: string;
}

type Read<T> = (value: unknown) => T | undefined;

export class FieldReader {
  readonly #source: Record<string, unknown>;
  readonly #path: string;
  readonly #complaints: Complaint[];
  readonly #known = new Set<string>();

  constructor(source: Record<string, unknown>, path: string, complaints: Complaint[]) {
    this.#source = source;
    this.#path = path;
    this.#complaints = complaints;
  }

  /** @param wanted what it has to be, for a sentence: `It has to be …` */
  optional<T>(name: string, read: Read<T>, wanted: string): T | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const found = value === null ? undefined : read(value);
    if (found === undefined) {
      this.complain(name, value === null ? 'It is null: leave it out.' : `It has to be ${wanted}.`);
    }
    return found;
  }

  required<T>(name: string, read: Read<T>, wanted: string): T | undefined {
    if (this.#take(name) !== undefined) return this.optional(name, read, wanted);
    this.complain(name, `It is missing. It has to be ${wanted}.`);
    return undefined;
  }

  /** A list of objects. */
  list<T>(name: string, most: number, read: (fields: FieldReader) => T): T[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length > most) {
      this.complain(name, `It has to be a list of at most ${most}.`);
      return undefined;
    }
    return value.flatMap((one: unknown, position) => {
      const found = this.#inner(`${name}[${position}]`, one, read);
      return found === undefined ? [] : [found];
    });
  }

  object<T>(name: string, read: (fields: FieldReader) => T): T | undefined {
    const value = this.#take(name);
    return value === undefined ? undefined : this.#inner(name, value, read);
  }

  complain(name: string, problem: string): void {
    this.#complaints.push({ field: this.#path + name, problem });
  }

  /** All have been asked for: complains of the rest. */
  finish(): void {
    for (const name of Object.keys(this.#source)) {
      if (!this.#known.has(name)) this.complain(shown(name), 'There is no such field.');
    }
  }

  #inner<T>(name: string, value: unknown, read: (fields: FieldReader) => T): T | undefined {
    if (!isObject(value)) {
      this.complain(name, 'It has to be an object.');
      return undefined;
    }
    const fields = new FieldReader(value, `${this.#path}${name}.`, this.#complaints);
    const found = read(fields);
    fields.finish();
    return found;
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return Object.hasOwn(this.#source, name) ? this.#source[name] : undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const shown = (name: string) => (name.length > 60 ? `${name.slice(0, 60)}…` : name);

/** What is left out is not there: `undefined` is no value of a document. */
export function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]: Exclude<T[K], undefined> };
}

export const aTime = 'a time such as 2027-01-02T03:04:05.000Z';
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})$/;
const endOfTimes = Date.UTC(9999, 11, 31);

export function readTime(value: unknown): number | undefined {
  if (typeof value !== 'string' || !timePattern.test(value)) return undefined;
  const time = Date.parse(value);
  return time >= 0 && time <= endOfTimes ? time : undefined;
}

export function readBoolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

export function oneOf<const T extends string>(words: readonly T[]): Read<T> {
  return (value) => words.find((word) => word === value);
}

/** A list of different strings of which each is one that `read` takes. */
export function listOf(read: Read<string>, least: number, most: number): Read<string[]> {
  return (value) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) return undefined;
    const found = value.flatMap((one: unknown) => read(one) ?? []);
    return found.length === value.length && new Set(found).size === found.length
      ? found
      : undefined;
  };
}
