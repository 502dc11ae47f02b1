import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { linkErrors } from '../../src/links/errors.ts';

test('docs/links.md says every error as the endpoints do', () => {
  const page = readFileSync(new URL('../../docs/links.md', import.meta.url), 'utf8');
  for (const [code, { status, sentence, advice }] of Object.entries(linkErrors)) {
    expect(page).toContain(`| \`${code}\` | ${status} | ${sentence} | ${advice} |`);
  }
});
