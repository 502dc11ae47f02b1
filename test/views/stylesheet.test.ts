import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Middleware } from 'koa';
import { describe, expect, it } from 'vitest';
import { assets } from '../../interactions/assets.ts';
import {
  brandStylesheet,
  contrast,
  contrastText,
  accountStyleVersion,
  styleVersion,
  versionOf,
} from '../../views/stylesheet.ts';
import { run } from '../web/app.ts';
import { brand } from './samples.ts';

const accountStyle = readFileSync(new URL('../../views/account.css', import.meta.url), 'utf8');
const style = readFileSync(new URL('../../views/style.css', import.meta.url), 'utf8');

const hex = fc
  .integer({ min: 0, max: 0xffffff })
  .map((number) => `#${number.toString(16).padStart(6, '0')}`);

/** The properties of one `:root` block. */
function propertiesOf(css: string): Record<string, string> {
  return Object.fromEntries(
    [...css.matchAll(/(--[\w-]+):\s*([^;}]+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

describe('text on the accent', () => {
  it('can be read on every colour (WCAG 2.2, 1.4.3)', () => {
    fc.assert(
      fc.property(hex, (accent) => {
        expect(contrast(accent, contrastText(accent))).toBeGreaterThanOrEqual(4.5);
      }),
      { numRuns: 2000 },
    );
  });

  it('is measured as the standard says', () => {
    expect(contrast('#000', '#ffffff')).toBeCloseTo(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });
});

describe("the brand's stylesheet", () => {
  it('has lines that stand out and text that can be read, in the light and in the dark', () => {
    fc.assert(
      fc.property(hex, (accent) => {
        const [light = '', dark = ''] = brandStylesheet({ accent }).split('@media');
        for (const [css, surface] of [
          [light, '#ffffff'],
          [dark, '#151821'],
        ] as const) {
          const {
            '--accent': fill,
            '--on-accent': text,
            '--accent-line': line,
          } = propertiesOf(css);
          expect(contrast(fill!, text!)).toBeGreaterThanOrEqual(4.5);
          expect(contrast(line!, surface)).toBeGreaterThanOrEqual(3);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the colour as it was given', () => {
    expect(brandStylesheet({ accent: '#0af' })).toContain('--accent:#00aaff');
  });

  it.each(['red;}body{display:none', 'url(https://evil.example)', '', '#12', '</style>'])(
    'takes nothing but a colour: %s',
    (accent) => {
      expect(brandStylesheet({ accent })).toBe(brandStylesheet({ accent: '#4f46e5' }));
    },
  );
});

describe('style.css', () => {
  it('is small, and asks nobody for anything', () => {
    expect(Buffer.byteLength(style)).toBeLessThan(10_000);
    expect(style).not.toMatch(/@import|@font-face|url\(|!important/);
  });

  it('is written for every direction of writing', () => {
    expect(style).not.toMatch(/\b(margin|padding|border)-(left|right|top|bottom)\b/);
    expect(style).not.toMatch(/^\s*(left|right|top|bottom|width|height|min-width):/m);
    expect(style).not.toMatch(/text-align:\s*(left|right)/);
  });

  it('has each colour in the light and in the dark, with enough contrast', () => {
    const [light = '', dark = ''] = style.split('@media (prefers-color-scheme: dark)');
    const colours = (css: string) => propertiesOf(/:root\s*\{([^}]*)\}/.exec(css)?.[1] ?? '');
    for (const set of [colours(light), colours(dark)]) {
      const of = (name: string) => set[`--${name}`] ?? '';
      for (const [text, ground] of [
        ['text', 'surface'],
        ['text', 'page'],
        ['text', 'hover'],
        ['text', 'soft'],
        ['quiet', 'surface'],
        ['quiet', 'page'],
        ['quiet', 'hover'],
        ['quiet', 'soft'],
        ['good', 'good-soft'],
        ['late', 'late-soft'],
      ] as const) {
        expect([text, ground, contrast(of(text), of(ground)) >= 4.5]).toEqual([text, ground, true]);
      }
      expect(contrast(of('edge-strong'), of('surface'))).toBeGreaterThanOrEqual(3);
    }
  });

  it('has its version in views/stylesheet.ts (write it there after a change)', () => {
    expect(styleVersion).toBe(versionOf(style));
    expect(accountStyleVersion).toBe(versionOf(accountStyle));
  });
});

describe('the stylesheets over HTTP', () => {
  it('may be kept, and are not sent again', async () => {
    const app = await run([assets(brand).routes() as unknown as Middleware]);
    for (const [path, content] of [
      ['/assets/style.css?v=1', style],
      ['/assets/brand.css', brandStylesheet(brand)],
    ] as const) {
      const first = await app.send(path);
      expect([first.status, first.text]).toEqual([200, content]);
      expect(first.headers).toMatchObject({
        'content-type': 'text/css; charset=utf-8',
        'cache-control': 'public, max-age=3600',
      });
      const again = await app.send(path, {
        headers: { 'if-none-match': String(first.headers.etag) },
      });
      expect([again.status, again.text]).toEqual([304, '']);
    }
    await app.close();
  });
});
