/**
 * The brand's part of the style: one colour, made fit to be seen. Text on it is black or white,
 * whichever reads better, and lines in it stand out from the page in the light and in the dark.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../src/config.ts';

type Brand = Config['brand'];
type Colour = readonly [red: number, green: number, blue: number];

/** The style of all pages, as it is in `style.css`. */
export const stylesheet = readFileSync(new URL('style.css', import.meta.url), 'utf8');

const standardAccent: Colour = [0x4f, 0x46, 0xe5];
const white: Colour = [255, 255, 255];
const black: Colour = [0, 0, 0];
/** `--surface` of `style.css`, in the light and in the dark. */
const surfaces = { light: white, dark: [0x15, 0x18, 0x21] as Colour };
/** WCAG 2.2, 1.4.11: what is not text. */
const lineContrast = 3;

/** `#rgb` and `#rrggbb`, nothing else: what is not understood is not written into a stylesheet. */
function parseColour(text: string): Colour | undefined {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (digits === undefined) return undefined;
  const six = digits.length === 3 ? digits.replace(/./g, '$&$&') : digits;
  const part = (at: number) => Number.parseInt(six.slice(at, at + 2), 16);
  return [part(0), part(2), part(4)];
}

function write(colour: Colour): string {
  return `#${colour.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}

/** Relative luminance (WCAG 2.2). */
function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Colour;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrastOf(one: Colour, other: Colour): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [
    number,
    number,
  ];
  return (light + 0.05) / (dark + 0.05);
}

/** The contrast of two colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  return contrastOf(parseColour(one) ?? black, parseColour(other) ?? white);
}

/** Black or white: one of them always has at least 4.5:1 (4.58 is the worst that can happen). */
export function contrastText(background: string): '#ffffff' | '#000000' {
  const colour = parseColour(background) ?? standardAccent;
  // White looks calmer on most accents, so it is preferred where it is good enough.
  return contrastOf(colour, white) >= 4.5 ? '#ffffff' : '#000000';
}

/** The colour, moved towards white or black until it stands out. */
function standingOut(colour: Colour, background: Colour): Colour {
  const towards = luminance(background) > 0.5 ? black : white;
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = colour.map((part, index) => part + (towards[index]! - part) * share);
    if (contrastOf(mixed as unknown as Colour, background) >= lineContrast) {
      return mixed as unknown as Colour;
    }
  }
  return towards;
}

function properties(accent: Colour, line: Colour): string {
  const [fill, edge] = [write(accent), write(line)];
  return `:root{--accent:${fill};--on-accent:${contrastText(fill)};--accent-line:${edge}}`;
}

/** What `/assets/brand.css` answers. */
export function brandStylesheet(brand: Pick<Brand, 'accent'>): string {
  const accent = parseColour(brand.accent) ?? standardAccent;
  const light = properties(accent, standingOut(accent, surfaces.light));
  const inDark = standingOut(accent, surfaces.dark);
  return `${light}\n@media (prefers-color-scheme:dark){${properties(inDark, inDark)}}\n`;
}

/** Changes with the content, so that a new release is never seen in an old dress. */
export function versionOf(content: string): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 8);
}
