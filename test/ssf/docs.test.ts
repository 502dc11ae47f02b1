import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { supportedSetTypes } from '../../src/events/encodings/set_types.ts';
import { busy, fieldProblem, notFound } from '../../src/events/stream_problems.ts';
import { subjectsTooMany, tooMany, tooSoon } from '../../src/events/stream_problems.ts';

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

test('docs/ssf.md names every event that is sent', () => {
  for (const type of supportedSetTypes) {
    expect(page('ssf.md')).toContain(`\`${type.split('/').at(-1)}\``);
  }
});

test('docs/ssf.md says every refusal of a stream', () => {
  const problems = [fieldProblem('a', 'b'), notFound(), tooMany(1), subjectsTooMany(1), tooSoon(1)];
  for (const { code, status } of problems) {
    const row = page('ssf.md')
      .split('\n')
      .find((line) => line.startsWith('|') && line.includes(`\`${code}\``));
    expect(row).toContain(` ${status} `);
  }
  expect(busy().status).toBe(503);
});

test('docs/certification.md says that nothing of it was run, and names tests that are there', () => {
  const text = page('certification.md');
  expect(text).toContain('Nothing on this page is the record of a run');
  for (const [path] of text.matchAll(/test\/ssf\/\w+\.test\.ts/g)) {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toContain('test(');
  }
});
