import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { texts } from '../../views/texts.ts';

/** Codes that reach people, and codes that only programs and operators see. */
const forPrograms = new Set([
  'address_unfit',
  'secret_unreadable',
  'limit_unavailable',
  'json_expected',
  'form_expected',
  'form_unreadable',
  'address_too_long',
  'body_too_large',
  'body_incomplete',
  'encoding_not_supported',
]);

function codesIn(folder: URL): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      [...readFileSync(new URL(name, folder), 'utf8').matchAll(/new Problem\(\s*'(\w+)'/g)].map(
        ([, code = '']) => code,
      ),
    );
}

/** All sentences of the catalogue; functions are called with words that stand out. */
function sentences(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'function') {
    return sentences((value as (...parts: unknown[]) => unknown)(['X', 'Y'], 'Z'));
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(sentences) : [];
}

describe('the catalogue of texts', () => {
  it('has a title for each failure that people may meet', () => {
    const folders = ['src/web/', 'src/federation/', 'interactions/'];
    const codes = folders.flatMap((folder) => codesIn(new URL(`../../${folder}`, import.meta.url)));
    expect(codes.length).toBeGreaterThan(10);
    const nameless = codes.filter(
      (code) => !forPrograms.has(code) && texts.failure.of(code, 418).title === texts.failure.title,
    );
    expect(nameless).toEqual([]);
  });

  it('has something to say of whatever status there is', () => {
    for (const status of [400, 401, 403, 404, 409, 410, 413, 415, 421, 429, 500, 502, 503, 504]) {
      expect(texts.failure.of('never_heard_of', status).title).not.toBe('');
    }
    expect(texts.failure.of('constructor', 500).title).toBe('Something broke on our side');
  });

  it('is written in sentences, without blame and without jargon', () => {
    const { role: _role, plan: _plan, ...chooser } = texts.selectAccount;
    const { of: _of, ...failure } = texts.failure;
    const { denied: _denied, ...rest } = { ...texts, failure, selectAccount: chooser };
    const all = sentences(rest);
    expect(all.length).toBeGreaterThan(50);
    for (const sentence of all) {
      expect(sentence).not.toMatch(/\b(please|oops|sorry|session|token|oauth|invalid|error)\b/i);
      expect(sentence).not.toMatch(/!|\s{2}|undefined|'/);
    }
  });
});

it('a price says what it is for', () => {
  const { price } = texts.plans;
  expect(price('€9', 'month', 'seat')).toBe('€9 a seat a month');
  expect(price('€0.10', 'month', 'unit')).toBe('€0.10 a unit a month');
  expect(price('€30', 'year', undefined)).toBe('€30 a year');
});
