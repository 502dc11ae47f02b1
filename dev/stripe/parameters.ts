/**
 * The parameters of a request: read from a form with brackets, and held against what an endpoint
 * takes. An unknown parameter is an error, as it is at Stripe; and so is one that Stripe knows and this
 * simulator does not, rather than to be ignored.
 */

import { z } from 'zod';
import type { ApiError } from './errors.ts';
import { invalid } from './errors.ts';

/** Nested as the brackets say; all values are texts. */
export interface Raw {
  [name: string]: string | Raw;
}

const maxParameters = 1000;
const maxDepth = 8;

/** @throws {ApiError} where there are too many, or names that are no names */
export function readForm(pairs: Iterable<[string, string]>): Raw {
  const root: Raw = Object.create(null);
  let count = 0;
  for (const [name, value] of pairs) {
    count += 1;
    if (count > maxParameters) throw invalid('The request has too many parameters.');
    const path = segments(name);
    if (path === undefined) throw invalid(`Invalid parameter name: ${name.slice(0, 100)}`);
    let at = root;
    for (const [index, segment] of path.entries()) {
      // `a[]=1&a[]=2`: the next free index.
      const key = segment === '' ? String(Object.keys(at).length) : segment;
      const there = at[key];
      if (index === path.length - 1) at[key] = value;
      else if (typeof there === 'object') at = there;
      else {
        const below: Raw = Object.create(null);
        at[key] = below;
        at = below;
      }
    }
  }
  return root;
}

function segments(name: string): string[] | undefined {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (match === null) return undefined;
  const path = [
    match[1] ?? '',
    ...[...(match[2] ?? '').matchAll(/\[([^[\]]*)\]/g)].map((m) => m[1] ?? ''),
  ];
  return path.length > maxDepth ? undefined : path;
}

/** Says with a code of Stripe's why a value is not taken. */
function refuse(
  context: { issues: z.core.$ZodRawIssue[] },
  input: unknown,
  code: string,
  message: string,
): void {
  context.issues.push({ code: 'custom', input, message, params: { code } });
}

export const text = z.string().min(1).max(5000);

export const int = z.string().transform((value, context) => {
  if (/^-?\d{1,15}$/.test(value)) return Number(value);
  refuse(context, value, 'parameter_invalid_integer', `Invalid integer: ${value}`);
  return z.NEVER;
});

export const whole = int.transform((value, context) => {
  if (value >= 0) return value;
  refuse(
    context,
    value,
    'parameter_invalid_integer',
    'This value must be greater than or equal to 0.',
  );
  return z.NEVER;
});

export const bool = z.string().transform((value, context) => {
  if (value === 'true' || value === 'false') return value === 'true';
  refuse(context, value, '', `Invalid boolean: ${value}`);
  return z.NEVER;
});

/** A decimal number as text, such as `12.5`. */
export const decimal = z.string().regex(/^-?\d{1,15}(\.\d{1,12})?$/, 'Invalid decimal');

/** `''` unsets. */
export function emptyable<S extends z.ZodType>(schema: S) {
  return z.union([z.literal('').transform(() => null), schema]);
}

export function choice<const T extends readonly [string, ...string[]]>(...values: T) {
  return z.enum(values);
}

/** `a[0]=…&a[1]=…` or `a[]=…`. At most 100 entries. */
export function list<S extends z.ZodType>(schema: S) {
  return z.preprocess(
    (value) => (isNumbered(value) ? Object.values(value) : value),
    z.array(schema).max(100),
  );
}

function isNumbered(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).every((key) => /^\d{1,3}$/.test(key))
  );
}

export function group<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape);
}

/** At most 50 keys; an empty value takes the key away. */
export const metadata = emptyable(
  z
    .record(z.string().min(1).max(40), z.string().max(500))
    .refine((value) => Object.keys(value).length <= 50, {
      message: 'Metadata can have up to 50 keys.',
    }),
);

export const range = z.union([
  int.transform((value) => ({ gte: value, lte: value })),
  group({ gt: int.optional(), gte: int.optional(), lt: int.optional(), lte: int.optional() }),
]);

/** What every list takes. */
export const paging = {
  limit: int.optional(),
  starting_after: text.optional(),
  ending_before: text.optional(),
};

export const address = group({
  city: z.string().optional(),
  country: z.string().optional(),
  line1: z.string().optional(),
  line2: z.string().optional(),
  postal_code: z.string().optional(),
  state: z.string().optional(),
});

/**
 * Names the parameters of an endpoint. `P` is the type that Stripe's package has for them: a name that is
 * not Stripe's does not compile. `expand` is always taken.
 */
export function parameters<P>() {
  return <S extends { [K in keyof S]: K extends keyof P ? z.ZodType : never }>(shape: S) =>
    z.strictObject({ ...shape, expand: list(text).optional() });
}

/** @throws {ApiError} for the first of what is wrong */
export function check<S extends z.ZodType>(schema: S, raw: unknown): z.infer<S> {
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  throw refusal(result.error.issues, raw);
}

function refusal(issues: readonly z.core.$ZodIssue[], raw: unknown): ApiError {
  const issue = issues.find((one) => one.code === 'unrecognized_keys') ?? issues[0];
  if (issue === undefined) return invalid('Invalid request.');
  if (issue.code === 'unrecognized_keys') {
    const param = nameOf([...issue.path, issue.keys[0] ?? '']);
    return invalid(`Received unknown parameter: ${param}`, param, 'parameter_unknown');
  }
  // Of several forms the one that came nearest: unknown names in it are named.
  if (issue.code === 'invalid_union') {
    const inner = issue.errors.findLast((one) => one.some((each) => each.code !== 'invalid_value'));
    if (inner !== undefined) {
      return refusal(
        inner.map((one) => ({ ...one, path: [...issue.path, ...one.path] })),
        raw,
      );
    }
  }
  const param = nameOf(issue.path);
  const given = issue.path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    raw,
  );
  if (given === undefined) {
    return invalid(`Missing required param: ${param}.`, param, 'parameter_missing');
  }
  if (given === '') {
    return invalid(
      `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; however '${param}' cannot be unset.`,
      param,
      'parameter_invalid_empty',
    );
  }
  if (issue.code === 'custom') {
    const code: unknown = issue.params?.['code'];
    return invalid(
      issue.message,
      param,
      typeof code === 'string' && code !== '' ? code : undefined,
    );
  }
  if (issue.code === 'invalid_value') {
    return invalid(`Invalid ${param}: must be one of ${issue.values.join(', ')}`, param);
  }
  return invalid(`Invalid ${param}: ${issue.message}`, param);
}

function nameOf(path: readonly PropertyKey[]): string {
  return path.map((one, index) => (index === 0 ? String(one) : `[${String(one)}]`)).join('');
}
