/**
 * The sound part of a configuration that may be broken elsewhere. So one run reports the problems
 * of single keys together with those between keys.
 */

import { z } from 'zod';

/** All that can be missing is missing from a value that was not sound. */
export type Sound<T> = T extends readonly (infer Element)[]
  ? (Sound<Element> | undefined)[]
  : T extends object
    ? { [Key in keyof T]?: Sound<T[Key]> | undefined }
    : T;

/** With defaults applied; elements of lists keep their places. */
export function sound<T extends z.ZodType>(schema: T, value: unknown): Sound<z.output<T>> {
  return soundPart(schema, value) as Sound<z.output<T>>;
}

function soundPart(schema: z.core.$ZodType, value: unknown): unknown {
  const whole = z.safeParse(schema, value);
  if (whole.success) return whole.data;
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    const shape: Record<string, z.core.$ZodType> = inner.shape;
    const given = isRecord(value) ? value : {};
    return Object.fromEntries(
      Object.entries(shape).map(([key, part]) => [key, soundPart(part, given[key])]),
    );
  }
  if (inner instanceof z.ZodArray) {
    const elements: unknown[] = Array.isArray(value) ? value : [];
    return elements.map((element) => soundPart(inner.element, element));
  }
  return undefined;
}

/** What is behind a default or an `optional`. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const wrapped =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault;
  return wrapped ? unwrap(schema.def.innerType) : schema;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
