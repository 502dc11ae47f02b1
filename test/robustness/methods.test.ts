/** Pages for people and JSON for programs, by what they accept; and methods that nobody expects. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paths } from './nasty.ts';
import { send } from './raw.ts';
import { expectSane } from './sane.ts';
import { startWatchedWorld } from './watched.ts';
import type { WatchedWorld } from './watched.ts';

let world: WatchedWorld;

beforeAll(async () => {
  world = await startWatchedWorld();
});

afterAll(() => world?.close());

const ask = (method: string, path: string, headers: [string, string][] = []) =>
  send(world.port, { method, path, headers });

describe('a page or JSON', () => {
  const accepted: [string | undefined, 'text/html' | 'application/json'][] = [
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['text/html', 'text/html'],
    ['TEXT/HTML;q=0.5', 'text/html'],
    ['application/json', 'application/json'],
    ['application/json, text/html;q=0.5', 'application/json'],
    ['text/html;q=0.5, application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['image/png', 'application/json'],
    ['', 'application/json'],
    ['nonsense', 'application/json'],
    [undefined, 'application/json'],
  ];
  for (const [accept, type] of accepted) {
    test(`who accepts ${JSON.stringify(accept)} gets ${type}`, async () => {
      const headers: [string, string][] = accept === undefined ? [] : [['Accept', accept]];
      for (const path of ['/unknown', '/oauth2/authorize', '/signin/return', '/interaction/none']) {
        const answer = await ask('GET', path, headers);
        expect([path, answer.header('content-type').split(';')[0]]).toEqual([path, type]);
        // A cache in between must not give the one to who wants the other.
        expect(answer.header('cache-control')).toBe('no-store');
      }
    });
  }
});

test('HEAD is GET without the content, everywhere', async () => {
  const drifting = new Set(['date', 'x-request-id', 'set-cookie', 'location', 'connection']);
  for (const path of paths) {
    const [get, head] = [await ask('GET', path), await ask('HEAD', path)];
    expect([path, head.status, head.text]).toEqual([path, get.status, '']);
    const kept = (answer: typeof get) =>
      [...answer.headers]
        .filter(([name]) => !drifting.has(name) && !/^(content-length|transfer-enc)/.test(name))
        .map(([name, values]) => `${name}: ${values.join()}`)
        .toSorted();
    expect([path, kept(head)]).toEqual([path, kept(get)]);
  }
});

test('OPTIONS tells who may ask, and does nothing', async () => {
  const preflight: [string, string][] = [
    ['Origin', 'https://spa.example.com'],
    ['Access-Control-Request-Method', 'POST'],
  ];
  world.store.taken();
  for (const path of paths) {
    const answer = await ask('OPTIONS', path, preflight);
    expectSane(world, { method: 'OPTIONS', path }, answer);
    expect([path, [204, 403, 404].includes(answer.status)]).toEqual([path, true]);
    // With cookies only where origins are listed: at the links, and this one is none of them.
    expect(answer.header('access-control-allow-credentials')).toBe('');
    // Nobody is known by what a preflight is answered with.
    expect(answer.header('set-cookie')).toMatch(/^$|^tollgate_browser=/);
  }
  const listed = await ask('OPTIONS', '/refresh', [['Origin', 'https://app.example.com']]);
  expect([listed.status, listed.header('access-control-allow-credentials')]).toEqual([204, 'true']);
});

test('other methods do nothing anywhere, and TRACE repeats nothing', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'CONNECT', 'get']) {
    for (const path of paths) {
      const headers: [string, string][] = [['X-Secret', 'a-word-to-repeat']];
      const answer = await ask(method, path, headers);
      if (answer.status === 0) continue;
      expectSane(world, { method, path }, answer);
      expect([method, path, answer.status >= 400]).toEqual([method, path, true]);
      expect(answer.text).not.toContain('a-word-to-repeat');
    }
  }
});
