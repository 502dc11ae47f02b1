import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { linkErrors } from '../../src/links/errors.ts';
import { liveEndReasons, liveParts } from '../../src/oidc/live_state.ts';

const page = readFileSync(new URL('../../docs/links.md', import.meta.url), 'utf8');

test('docs/links.md says every error as the endpoints do', () => {
  for (const [code, { status, sentence, advice }] of Object.entries(linkErrors)) {
    expect(page).toContain(`| \`${code}\` | ${status} | ${sentence} | ${advice} |`);
  }
});

test('docs/links.md says every word that pages hear', () => {
  const told = page.slice(page.indexOf('## Events for pages'), page.indexOf('## Errors'));
  for (const word of [...liveParts, ...liveEndReasons]) expect(told).toContain(`\`${word}\``);
});
