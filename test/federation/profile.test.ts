import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  cleanEmail,
  cleanLocale,
  cleanMethods,
  cleanPicture,
  cleanSubject,
  cleanText,
  quoted,
} from '../../src/federation/profile.ts';

test('whatever comes from outside, a text is short and visible', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
      const clean = cleanText(text) ?? 'nothing';
      expect(clean.length).toBeLessThanOrEqual(200);
      expect(clean).not.toMatch(/\p{C}/u);
      expect(clean.trim()).toBe(clean);
      expect(quoted(text)).toMatch(/^[ -~]{0,200}$/);
    }),
  );
  expect(cleanText('😀'.repeat(300))).toBe('😀'.repeat(100));
  expect(cleanText(`a${'😀'.repeat(300)}`)).toBe(`a${'😀'.repeat(99)}`);
  expect(cleanText({ toString: () => 'x' })).toBeUndefined();
});

test('T72 an address is one address, before and after it is normalised', () => {
  expect(cleanEmail('ada@example.com')).toBe('ada@example.com');
  expect(cleanEmail('ada.lovelace+x@büro.example')).toBe('ada.lovelace+x@büro.example');
  for (const email of [
    'ada',
    '@example.com',
    'ada@',
    'a@b@c',
    'ada＠example.com',
    'ada@evil＠example.com',
    'ada@example.com,eve@example.com',
    'ada @example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    '"ada"@example.com',
    'ada@example.com\u202e',
    `${'a'.repeat(250)}@example.com`,
    ['ada@example.com'],
    null,
  ]) {
    expect(cleanEmail(email)).toBeUndefined();
  }
});

test('a picture is at an https address without a password', () => {
  expect(cleanPicture('https://img.example/a.png')).toBe('https://img.example/a.png');
  for (const picture of [
    'http://img.example/a.png',
    'javascript:alert(1)',
    'data:image/png;base64,AA',
    'https://user:password@img.example/',
    '//img.example/',
    `https://img.example/${'a'.repeat(3000)}`,
    7,
  ]) {
    expect(cleanPicture(picture)).toBeUndefined();
  }
});

test('language and methods have their form or are left out', () => {
  expect([cleanLocale('en_GB'), cleanLocale('de'), cleanLocale('../x'), cleanLocale(1)]).toEqual([
    'en-GB',
    'de',
    undefined,
    undefined,
  ]);
  expect(cleanMethods(['pwd', 7, 'o t p', 'otp'])).toEqual(['pwd', 'otp']);
  expect(cleanMethods('pwd')).toBeUndefined();
  expect(cleanMethods([])).toBeUndefined();
  expect(cleanMethods(Array.from({ length: 100 }, () => 'pwd'))).toHaveLength(10);
});

test('a subject is taken as it is or not at all', () => {
  expect(cleanSubject('auth0|5f7c8ec7c33c6c004bbafe82')).toBe('auth0|5f7c8ec7c33c6c004bbafe82');
  expect(cleanSubject(' x ')).toBe(' x ');
  for (const subject of ['', 'x'.repeat(256), 'a\u0000', 'a\n', 7, true, null, undefined, {}]) {
    expect(cleanSubject(subject)).toBeUndefined();
  }
});
