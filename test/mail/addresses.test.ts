import { describe, expect, test } from 'vitest';
import { addressOf, mailboxOf, plainName } from '../../src/mail/addresses.ts';

describe('T72: addresses', () => {
  test.each([
    ['ada@example.org', 'ada@example.org'],
    ['ada@Bücher.example', 'ada@xn--bcher-kva.example'],
    ['o’hara@example.org', 'o’hara@example.org'],
  ])('%s is written to as %s', (email, address) => {
    expect(addressOf(email)).toBe(address);
  });

  test.each([
    undefined,
    '',
    'ada',
    'ada@localhost',
    'ada@127.0.0.1',
    'ada@[127.0.0.1]',
    'ada@example.org,eve@example.net',
    'ada@example.org\r\nBcc: eve@example.net',
    'ada@example.org\u2028eve',
    'ada＠example.org',
    'ada@evil.example＠example.org',
    '<ada@example.org>',
    'ada@example.org>',
    `${'a'.repeat(250)}@example.org`,
  ])('%j is none', (email) => {
    expect(addressOf(email)).toBeUndefined();
  });
});

describe('T72: names in sentences of ours', () => {
  test.each([
    ['Ada Lovelace', 'Ada Lovelace'],
    ['Ada\r\nBcc: eve@example.net', 'Ada Bcc: eve@example.net'],
    ['Ada \u202Eevil\u202C', 'Ada evil'],
    ['You won! https://evil.example/ now', 'You won! https evil.example/ now'],
    ['www.evil.example', 'evil.example'],
  ])('%j is said as %j', (name, said) => {
    expect(plainName(name)).toBe(said);
  });

  test('are bounded', () => {
    expect(Array.from(plainName('🦉'.repeat(200)))).toHaveLength(60);
  });
});

test('the sender of the configuration', () => {
  expect(mailboxOf('id@example.com')).toEqual({ name: '', address: 'id@example.com' });
  expect(mailboxOf('Example, Inc. <id@example.com>')).toEqual({
    name: 'Example, Inc.',
    address: 'id@example.com',
  });
  expect(mailboxOf('"Example, Inc." <id@example.com>').name).toBe('Example, Inc.');
});
