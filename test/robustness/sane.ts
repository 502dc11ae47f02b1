/** What every answer must be, whatever the request was. */

import { expect } from 'vitest';
import type { RawAnswer, RawRequest } from './raw.ts';
import type { WatchedWorld } from './watched.ts';

/** Words of the inside: stacks, paths, libraries, the database. */
const internals =
  /\bat [\w.<> ]+ \(|node_modules|file:\/\/|\.[jt]s:\d+|SQLITE|TypeError|ReferenceError|SyntaxError|RangeError|is not a function|undefined \(reading|oidc-provider|\bkoa\b/i;

/** Texts of the nasty requests that must never stand in a page as they are. */
const active = /<script>alert|<img src=x|javascript:alert/i;

/** What only somebody who is known may cause. */
const forTheKnown = ['grant', 'user', 'account', 'consent', 'key', 'replay', 'token'];

const longest = 64 * 1024;

export function expectSane(world: WatchedWorld, request: RawRequest, answer: RawAnswer): void {
  const { status, text } = answer;
  const written = world.store.taken();
  const failed = world.log.lines.splice(0).filter(({ level }) => level === 'error');
  // Before anything else, so that a failure tells why.
  expect(failed).toEqual([]);
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
  expect(Buffer.byteLength(text)).toBeLessThan(longest);
  expect(text).not.toMatch(internals);
  if (answer.header('x-request-id') === '') expectUnread(answer);
  else expectHeaders(answer);
  expectForm(request, answer);
  expectPlaces(world, answer);
  if (status >= 400) expect(written).toEqual([]);
  else expect(written.filter((kind) => forTheKnown.includes(kind))).toEqual([]);
}

/** Refused by the listener, before it was a request. */
function expectUnread({ status, text }: RawAnswer): void {
  expect([400, 408, 413, 414, 431]).toContain(status);
  expect(text).toBe('');
}

function expectHeaders(answer: RawAnswer): void {
  const { header } = answer;
  expect(header('x-content-type-options')).toBe('nosniff');
  expect(header('cache-control')).toMatch(/^(no-store|public, max-age=\d+)$/);
  for (const [name, values] of answer.headers) {
    expect(`${name}: ${values.join(' ')}`).not.toMatch(/[^ -~\u0080-\u00ff]/);
    expect(name).not.toBe('x-injected');
    // A challenge for each scheme, a line for each cookie; all else once.
    if (['set-cookie', 'www-authenticate'].includes(name)) continue;
    expect([name, values.length]).toEqual([name, 1]);
  }
  expect(header('server') + header('x-powered-by')).toBe('');
  // For whoever asks by another name, or plainly, there is a word and nothing else.
  if ([421, 308].includes(answer.status)) return;
  expect(header('content-security-policy')).toContain("default-src 'none'");
  expect(header('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(header('x-frame-options')).toBe('DENY');
  expect(header('referrer-policy')).toBe('no-referrer');
}

function expectForm(request: RawRequest, answer: RawAnswer): void {
  const { status, text, header } = answer;
  const type = header('content-type').split(';')[0];
  if (request.method === 'HEAD' || status === 204 || status === 304 || status === 0) {
    expect(text).toBe('');
    return;
  }
  if (text === '') return;
  expect([
    'application/json',
    'application/jwk-set+json',
    'text/html',
    'text/plain',
    'text/css',
  ]).toContain(type);
  if (type === 'text/html') {
    expect(header('content-type')).toMatch(/charset=utf-8/i);
    expect(text).not.toMatch(active);
    // Of a redirect only its address is read.
    if (status >= 400 || status < 300) expect(text).toMatch(/^<!doctype html>/i);
  }
  if (type !== 'application/json' || status < 400) return;
  const body = JSON.parse(text) as { error: unknown };
  if (typeof body.error === 'string') {
    expect(body.error).toMatch(/^[a-z_]{3,40}$/);
    return;
  }
  expect(body.error).toMatchObject({
    code: expect.stringMatching(/^[a-z_]{3,40}$/),
    message: expect.stringMatching(/^.{5,200}$/),
    request_id: header('x-request-id'),
  });
}

/** Where it sends browsers, and what it makes them keep. */
function expectPlaces({ issuer, upstream }: WatchedWorld, answer: RawAnswer): void {
  const location = answer.header('location');
  if (location !== '') {
    const { origin } = new URL(location, issuer);
    const known = [issuer, upstream.issuer, 'https://app.example.com', 'https://spa.example.com'];
    expect(known).toContain(origin);
  }
  for (const cookie of answer.headers.get('set-cookie') ?? []) {
    expect(cookie).toMatch(/^tollgate[a-z_]*(_[\w-]{8})?(\.sig)?=/);
    expect(cookie).toMatch(/; httponly/i);
    // Of one that goes nothing is kept.
    if (!/=; .*expires=thu, 01 jan 1970/i.test(cookie)) expect(cookie).toMatch(/; samesite=lax/i);
    expect(cookie).not.toMatch(/; domain=/i);
  }
}
