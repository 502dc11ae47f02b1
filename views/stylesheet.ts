/**
 * The brand's part of the style: one colour, made fit to be seen. Text on it is black or white,
 * whichever reads better, and lines in it stand out from the page in the light and in the dark.
 */

import type { Config } from '../src/config.ts';

type Brand = Config['brand'];
type Colour = readonly [red: number, green: number, blue: number];

/**
 * `versionOf` of `style.css`, for its address: a new release is never seen in an old dress. A test
 * says what it has to be.
 */
export const styleVersion = '1qdj9us';
/** Of `account.css`, likewise. */
export const accountStyleVersion = 'wqqrn1';

const standardAccent: Colour = [0x4f, 0x46, 0xe5];
const white: Colour = [255, 255, 255];
const black: Colour = [0, 0, 0];
/** `--surface` of `style.css`, in the light and in the dark. */
const surfaces = { light: white, dark: [0x15, 0x18, 0x21] as Colour };
/** WCAG 2.2, 1.4.11: what is not text. Thin lines in the dark need more to be seen. */
const enough = 3;
const enoughInDark = 5;

/** `#rgb` and `#rrggbb`, nothing else: what is not understood is not written into a stylesheet. */
function parseColour(text: string): Colour | undefined {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (digits === undefined) return undefined;
  const six = digits.length === 3 ? digits.replace(/./g, '$&$&') : digits;
  const part = (at: number) => Number.parseInt(six.slice(at, at + 2), 16);
  return [part(0), part(2), part(4)];
}

function write(colour: Colour): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** Relative luminance (WCAG 2.2). */
function luminance([red, green, blue]: Colour): number {
  const linear = (part: number) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function contrastOf(one: Colour, other: Colour): number {
  const [first, second] = [luminance(one), luminance(other)];
  const [light, dark] = first > second ? [first, second] : [second, first];
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
function standingOut(colour: Colour, background: Colour, least: number): Colour {
  const towards = luminance(background) > 0.5 ? black : white;
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(colour, towards, share);
    if (contrastOf(mixed, background) >= least) return mixed;
  }
  return towards;
}

function mix([red, green, blue]: Colour, other: Colour, share: number): Colour {
  const part = (from: number, to: number) => Math.round(from + (to - from) * share);
  return [part(red, other[0]), part(green, other[1]), part(blue, other[2])];
}

function properties(accent: Colour, line: Colour): string {
  const [fill, edge] = [write(accent), write(line)];
  return `:root{--accent:${fill};--on-accent:${contrastText(fill)};--accent-line:${edge}}`;
}

/** What `/assets/brand.css` answers. */
export function brandStylesheet(brand: Pick<Brand, 'accent'>): string {
  const accent = parseColour(brand.accent) ?? standardAccent;
  const light = properties(accent, standingOut(accent, surfaces.light, enough));
  const dark = properties(
    standingOut(accent, surfaces.dark, enough),
    standingOut(accent, surfaces.dark, enoughInDark),
  );
  return `${light}\n@media (prefers-color-scheme:dark){${dark}}\n`;
}

/** Changes with the content (FNV-1a): enough to tell two releases apart, and no more than that. */
export function versionOf(content: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < content.length; at += 1) {
    hash = Math.imul(hash ^ content.charCodeAt(at), 0x01000193) >>> 0;
  }
  return hash.toString(36);
}
