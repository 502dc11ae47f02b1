/** How an endpoint is written: what it takes, and what it does. */

import type { z } from 'zod';
import { invalid } from '../errors.ts';
import { check } from '../parameters.ts';
import type { Raw } from '../parameters.ts';
import type { State } from '../state.ts';
import { expand } from './expand.ts';

/** Of a request: nested texts of a form, or JSON at `/v2`. */
export type Given = Raw | Record<string, unknown>;

/** Does the work. @param ids what the path named, in order */
type Work = (state: State, ids: readonly string[]) => object;

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** Segments; those that begin with `:` stand for any. */
  path: readonly string[];
  /** @throws {ApiError} for the parameters alone: such an answer is kept for no idempotency key */
  prepare(given: Given): Work;
}

interface Asked {
  expand?: string[] | undefined;
}

/** @param run may change the state at once, and never waits */
export function route<S extends z.ZodType<Asked>>(
  method: Route['method'],
  path: string,
  schema: S,
  run: (state: State, given: z.infer<S>, id: string, second: string) => object,
): Route {
  return {
    method,
    path: path.split('/').slice(1),
    prepare(raw) {
      const given = check(schema, raw);
      return (state, [id = '', second = '']) =>
        expand(state, run(state, given, id, second), given.expand ?? []);
    },
  };
}

interface Page {
  limit?: number | undefined;
  starting_after?: string | undefined;
  ending_before?: string | undefined;
}

export interface List<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  url: string;
}

/** @param rows newest first. @throws {ApiError} where the cursor is not among them */
export function page<T extends { id: string }>(
  rows: readonly T[],
  asked: Page,
  url: string,
): List<T> {
  const limit = asked.limit ?? 10;
  if (limit < 1 || limit > 100) {
    throw invalid('This value must be between 1 and 100.', 'limit', 'parameter_invalid_integer');
  }
  if (asked.starting_after !== undefined && asked.ending_before !== undefined) {
    throw invalid(
      'You cannot parameterize both starting_after and ending_before.',
      'starting_after',
    );
  }
  const at = (id: string, param: string) => {
    const index = rows.findIndex((row) => row.id === id);
    if (index === -1) throw invalid(`No such object: '${id}'`, param, 'resource_missing');
    return index;
  };
  if (asked.ending_before !== undefined) {
    const before = rows.slice(0, at(asked.ending_before, 'ending_before'));
    return { object: 'list', data: before.slice(-limit), has_more: before.length > limit, url };
  }
  const from =
    asked.starting_after === undefined ? 0 : at(asked.starting_after, 'starting_after') + 1;
  const rest = rows.slice(from);
  return { object: 'list', data: rest.slice(0, limit), has_more: rest.length > limit, url };
}

interface Range {
  gt?: number | undefined;
  gte?: number | undefined;
  lt?: number | undefined;
  lte?: number | undefined;
}

export function within(value: number, range: Range | undefined): boolean {
  return (
    range === undefined ||
    (value > (range.gt ?? -Infinity) &&
      value >= (range.gte ?? -Infinity) &&
      value < (range.lt ?? Infinity) &&
      value <= (range.lte ?? Infinity))
  );
}

/** What metadata comes to: given keys are set, and taken away where the value is empty. */
export function mergeMetadata(
  before: Record<string, string>,
  given: Record<string, string> | null | undefined,
): Record<string, string> {
  if (given === null) return {};
  const entries = Object.entries({ ...before, ...given });
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}
