import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { resolveReturnTo } from '../../src/web/return_to.ts';

const origins = [
  'https://app.example.com',
  'https://app.example.com:8443',
  'http://localhost:3000',
];
const fallback = 'https://app.example.com/welcome';
const resolve = (value: string | undefined) => resolveReturnTo(value, { origins, fallback });

describe('T57 an address to return to', () => {
  it('is taken when its origin is listed', () => {
    for (const address of [
      'https://app.example.com/',
      'https://app.example.com/a/b?c=d&e=https://evil.test/#f',
      'https://app.example.com//evil.test/',
      'https://app.example.com:8443/x',
      'http://localhost:3000/cb',
    ]) {
      expect(resolve(address)).toBe(address);
    }
    expect(resolve('https://app.example.com')).toBe('https://app.example.com/');
    expect(resolve('HTTPS://APP.example.com:443/X')).toBe('https://app.example.com/X');
  });

  it('is the fallback when there is none', () => {
    expect(resolve(undefined)).toBe(fallback);
    expect(resolve('')).toBe(fallback);
  });

  const refused = [
    'https://app.example.com.evil.tld/',
    'https://app.example.comevil.tld/',
    'https://evil.tld/https://app.example.com/',
    'https://evil.tld?https://app.example.com/',
    'https://evil.tld#https://app.example.com/',
    'https://app.example.com@evil.tld/',
    'https://user@app.example.com/',
    'https://user:pass@app.example.com/',
    'https://@app.example.com/',
    'https://app.example.com:@evil.tld/',
    '//evil.tld/',
    '//app.example.com/',
    '///app.example.com/',
    '/\\evil.tld',
    '\\evil.tld',
    '\\\\evil.tld',
    'https:evil.tld',
    'https:app.example.com',
    'https:/app.example.com/',
    'https:///app.example.com/',
    'https:\\\\app.example.com/',
    'https://app.example.com\\@evil.tld/',
    'https://evil.tld\\.app.example.com/',
    '/path',
    'path',
    '?x',
    '#x',
    'javascript:alert(1)',
    'javascript://app.example.com/%0aalert(1)',
    'data:text/html,x',
    'ftp://app.example.com/',
    'http://app.example.com/',
    'https://app.example.com:444/',
    'https://app.example.com./',
    'https://APP.EXAMPLE.COM./',
    'https://*.example.com/',
    'https://sub.app.example.com/',
    'https://app.example.com%2eevil.tld/',
    'https://app%2eexample.com/',
    'https://app.example.com%00.evil.tld/',
    'https://app。example。com/',
    'https://аpp.example.com/',
    'https://xn--pp-8ka.example.com/',
    'https%3A%2F%2Fapp.example.com%2F',
    'https%253A%252F%252Fevil.tld',
    ' https://app.example.com/',
    'https://app.example.com/ ',
    'https://app.example.com/\r\nSet-Cookie: a=b',
    'https://app.example.com/\t',
    'https://app.exa\tmple.com/',
    'https://app.example.com/\u0000',
    'https://app.example.com/ä',
    `https://app.example.com/${'a'.repeat(2048)}`,
    'http://2130706433/',
    'http://[::1]:3000/',
    'blob:https://app.example.com/x',
    'null',
  ];
  for (const address of refused) {
    it(`is refused as ${JSON.stringify(address).slice(0, 80)}`, () => {
      expect(() => resolve(address)).toThrow(
        expect.objectContaining({ code: 'return_to_not_allowed', status: 400 }),
      );
    });
  }

  it('is never another origin, whatever is written', () => {
    const piece = fc.constantFrom(
      'https:',
      'http:',
      '//',
      '/',
      '\\',
      '@',
      ':',
      '.',
      '?',
      '#',
      '%2f',
      '%00',
      '\t',
      '\n',
      ' ',
      'app.example.com',
      'evil.tld',
      'localhost:3000',
      'localhost',
      '443',
      '[',
      ']',
      'javascript:',
      'ａ',
      '。',
      '\u00ad',
      '\u200d',
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc.string({ unit: 'binary' }).map((tail) => `https://app.example.com${tail}`),
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
    );
    fc.assert(
      fc.property(text, (value) => {
        try {
          const found = resolve(value);
          expect(origins).toContain(new URL(found).origin);
          // What a browser makes of it, standing on one of our pages.
          expect(new URL(value === '' ? found : value, 'https://id.example.com/x').href).toBe(
            found,
          );
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('is refused everywhere when nothing is listed', () => {
    expect(() => resolveReturnTo('https://app.example.com/', { origins: [], fallback })).toThrow();
    expect(() => resolveReturnTo('null', { origins: ['null', ''], fallback })).toThrow();
  });
});
