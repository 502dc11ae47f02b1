import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { configurationReference } from '../../src/config/reference.ts';

const written = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

test('docs/configuration.md is what `npm run docs` makes', () => {
  expect(written).toBe(configurationReference());
});

test('every key is documented with a sentence', () => {
  const rows = written.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(70);
  for (const row of rows) expect(row).toMatch(/ [^|]+\. \|$|secret|separated|app:/);
});
