/** `docs/events.md` and its schema say what the code does. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { toldFields } from '../../../src/events/encodings/fields.ts';
import { eventsSchema, typesTable } from '../../../src/events/encodings/reference.ts';
import { setsOf } from '../../../src/events/encodings/sets_of.ts';
import type { Subject } from '../../../src/events/encodings/subjects.ts';
import { webhookBody } from '../../../src/events/encodings/webhook.ts';
import { aNotice, issuer, samples } from './samples.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const page = read('docs/events.md');

test('the table of types is what `npm run docs` makes', () => {
  expect(page).toContain(`<!-- types -->\n${typesTable()}\n<!-- /types -->`);
});

test('the schema is what `npm run docs` makes', () => {
  expect(JSON.parse(read('docs/events.schema.json'))).toEqual(eventsSchema());
});

describe('the schema', () => {
  const schema = z.fromJSONSchema(eventsSchema() as never);

  test.each([...toldFields.keys()])('takes %s as it is sent, and nothing less', (type) => {
    const body = webhookBody(aNotice(type));
    expect(schema.safeParse(body).error).toBeUndefined();
    expect(schema.safeParse({ ...body, version: 2 }).success).toBe(false);
    const { data, ...rest } = body;
    const required = Object.entries(toldFields.get(type)?.fields ?? {}).find(
      ([, { optional }]) => optional !== true,
    );
    const { [required?.[0] ?? '']: _gone, ...less } = data;
    expect(schema.safeParse({ ...rest, data: less }).success).toBe(false);
  });
});

const partsOf = (subject: Subject): string[] =>
  subject.format === 'complex'
    ? ['user', 'tenant', 'session'].filter((part) => part in subject)
    : [subject.format];

test('the table of security events has every one of them, and no other', () => {
  const section = page.slice(page.indexOf('### As security events'));
  const written = [
    ...section.matchAll(/^\| `([^`]+)`[^|]*\| (\w+) `([^`]+)`[^|]*\| ([^|]+) \|$/gm),
  ];
  const rows = new Map(written.map(([, type = '', ...rest]) => [type, rest]));
  const made = Object.keys(samples).flatMap((type) => {
    const [first] = setsOf(issuer, aNotice(type));
    return first === undefined ? [] : [[type, first] as const];
  });
  expect([...rows.keys()].toSorted()).toEqual(made.map(([type]) => type).toSorted());
  for (const [type, { type: uri, subject }] of made) {
    const [family = '', name = '', parts = ''] = rows.get(type) ?? [];
    expect(uri).toBe(
      `https://schemas.openid.net/secevent/${family.toLowerCase()}/event-type/${name}`,
    );
    expect(parts.replaceAll('`', '').split(', ')).toEqual(partsOf(subject));
  }
});

test('the examples are those of the golden files', () => {
  const examples = [...page.matchAll(/```json\n([\s\S]+?)```/g)].map(([, text = '']): unknown =>
    JSON.parse(text),
  );
  const golden = ['member.changed', 'member.removed'].map(
    (type) =>
      JSON.parse(read(`test/events/golden/${type}.json`)) as {
        webhook: unknown[];
        security_event_tokens: unknown[];
      },
  );
  expect(examples).toEqual([golden[0]?.webhook[0], golden[1]?.security_event_tokens[0]]);
});
