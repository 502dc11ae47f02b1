import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { createSecrets, equal, sha256 } from '../../src/base/secrets.ts';

const first = 'first-secret-of-at-least-32-bytes-long';
const second = 'second-secret-of-at-least-32-bytes-long';

describe('the server secret', () => {
  it('has a name that stays while secrets are rotated', () => {
    const before = createSecrets([first]);
    const after = createSecrets([second, first]);
    expect(before.version).toMatch(/^[A-Za-z0-9]{6}$/);
    expect(after.version).not.toBe(before.version);
    expect(after.version).toBe(createSecrets([second]).version);
    const mac = before.mac('refresh', 'data');
    expect(after.verify('refresh', 'data', mac, before.version)).toBe(true);
    expect(createSecrets([second]).verify('refresh', 'data', mac, before.version)).toBe(false);
  });

  it('is refused when it is short, repeated or missing', () => {
    for (const secrets of [['short'], [first, 'short'], [first, first], []]) {
      expect(() => createSecrets(secrets)).toThrow(Problem);
    }
  });

  it('gives each purpose a key of its own', () => {
    const secrets = createSecrets([first]);
    const key = secrets.derive('a');
    expect(key?.length).toBe(32);
    expect(secrets.derive('a')).toBe(key);
    expect(secrets.derive('b')).not.toEqual(key);
    expect(secrets.derive('a', 'nobody')).toBeUndefined();
    expect(createSecrets([second, first]).derive('a', secrets.version)).toEqual(key);
  });

  it('T58 makes macs that are worth nothing elsewhere', () => {
    const secrets = createSecrets([first]);
    const mac = secrets.mac('refresh', 'data');
    expect(secrets.verify('refresh', 'data', mac, secrets.version)).toBe(true);
    expect(secrets.verify('session', 'data', mac, secrets.version)).toBe(false);
    expect(secrets.verify('refresh', 'other', mac, secrets.version)).toBe(false);
    for (const other of ['', mac.slice(0, -1), `${mac}A`, `${mac}=`]) {
      expect(secrets.verify('refresh', 'data', other, secrets.version)).toBe(false);
    }
  });
});

describe('a sealed text', () => {
  const secrets = createSecrets([first]);

  it('opens again, also when a newer secret has come', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
        const sealed = secrets.seal('upstream', text, context);
        expect(createSecrets([second, first]).open('upstream', sealed, context)).toBe(text);
      }),
    );
    expect(secrets.seal('upstream', 'x', 'c')).not.toBe(secrets.seal('upstream', 'x', 'c'));
  });

  it('does not open elsewhere, altered, or under another secret', () => {
    const sealed = secrets.seal('upstream', 'confidential', 'row 1');
    const [version = '', iv = '', body = ''] = sealed.split('.');
    const attempts: [string, string, string][] = [
      ['other', sealed, 'row 1'],
      ['upstream', sealed, 'row 2'],
      ['upstream', `${version}.${iv}.${body.slice(0, -4)}`, 'row 1'],
      ['upstream', `${version}.${iv.slice(0, -4)}.${body}`, 'row 1'],
      ['upstream', `${sealed}.x`, 'row 1'],
      // Other spellings of the same bytes.
      ['upstream', `${sealed}=`, 'row 1'],
      ['upstream', `${version}.${iv}!.${body}`, 'row 1'],
      ['upstream', `nobody.${iv}.${body}`, 'row 1'],
      ['upstream', '', 'row 1'],
    ];
    for (const [label, text, context] of attempts) {
      expect(() => secrets.open(label, text, context)).toThrow(
        expect.objectContaining({ code: 'secret_unreadable', status: 500 }),
      );
    }
    const flipped = Buffer.from(body, 'base64url');
    for (let index = 0; index < flipped.length; index += 1) {
      const copy = Buffer.from(flipped);
      copy[index] = (copy[index] ?? 0) ^ 1;
      const text = `${version}.${iv}.${copy.toString('base64url')}`;
      expect(() => secrets.open('upstream', text, 'row 1')).toThrow(Problem);
    }
  });
});

describe('comparing', () => {
  it('knows equal texts from others of any length', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => equal(a, b) === (a === b)));
    expect(equal('same', 'same')).toBe(true);
    expect(sha256('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
  });
});
