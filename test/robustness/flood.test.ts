/** Too much, too slow, too often. */

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../src/base/log.ts';
import { listen } from '../../src/listener.ts';
import type { Listener } from '../../src/listener.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { startServer } from '../kit/server.ts';
import { asBrowser, asProgram, bytesOf, exchange, send } from './raw.ts';
import type { RawRequest } from './raw.ts';
import { startWatchedWorld } from './watched.ts';
import type { WatchedWorld } from './watched.ts';

const urlencoded = ['Content-Type', 'application/x-www-form-urlencoded'] as const;
const posted = [
  ['/oauth2/token', '/oauth2/par', '/oauth2/revoke', '/oauth2/introspect', '/oauth2/userinfo'],
  ['/oauth2/logout/confirm', '/integrations/oauth2/callback', '/refresh', '/signout'],
].flat();
let world: WatchedWorld;
let listener: Listener;

/** Behind the listener of the program itself, under the world's name. */
const host = () => ['Host', `127.0.0.1:${world.port}`] as const;
const ask = (request: RawRequest) =>
  send(listener.port, { ...request, headers: [host(), ...(request.headers ?? [])] });
const isWell = async () => expect((await ask({ path: '/health/ready' })).status).toBe(200);

beforeAll(async () => {
  world = await startWatchedWorld();
  const log = createLog({ level: 'error', clock: Date.now, write: () => undefined });
  listener = await listen(world.server.callback, { port: 0, host: '127.0.0.1' }, log);
});

afterAll(async () => {
  await listener?.drain();
  await world?.close();
});

describe('T77 too much', () => {
  const bodies: Record<string, RawRequest> = {
    'a megabyte': { headers: [urlencoded], body: `a=${'a'.repeat(1_000_000)}` },
    'ten thousand fields': {
      headers: [urlencoded],
      body: Array.from({ length: 10_000 }, (_, index) => `p${index}=x`).join('&'),
    },
    'a length that is a lie': {
      headers: [urlencoded, ['Content-Length', '99999999999']],
      body: 'a=b',
    },
    'chunks without end': {
      headers: [urlencoded, ['Transfer-Encoding', 'chunked']],
      body: `10000\r\n${'a'.repeat(0x10000)}\r\n`.repeat(8),
      cut: true,
    },
    'chunks that are none': {
      headers: [urlencoded, ['Transfer-Encoding', 'chunked']],
      body: 'zz\r\nhello\r\n0\r\n\r\n',
    },
    'a body that ends too soon': {
      headers: [urlencoded, ['Content-Length', '500']],
      body: 'grant_type=refresh_token',
      cut: true,
    },
    'two lengths': {
      headers: [urlencoded, ['Content-Length', '3'], ['Content-Length', '4']],
      body: 'a=bc',
    },
    'a length and chunks': {
      headers: [urlencoded, ['Content-Length', '3'], ['Transfer-Encoding', 'chunked']],
      body: '3\r\na=b\r\n0\r\n\r\n',
    },
    'a compressed body': {
      headers: [urlencoded, ['Content-Encoding', 'gzip']],
      body: Buffer.from('1f8b0800000000000003', 'hex'),
    },
    'deep JSON': {
      headers: [['Content-Type', 'application/json']],
      body: '['.repeat(50_000),
    },
  };
  for (const [what, request] of Object.entries(bodies)) {
    test(`${what} is refused everywhere, and nothing is written`, async () => {
      const answers = await Promise.all(
        posted.map(async (path) => [
          path,
          (await ask({ method: 'POST', path, ...request })).status,
        ]),
      );
      // 0: the connection was closed, because nobody waits for an answer.
      const wrong = answers.filter(([, status]) => status !== 0 && !/^4\d\d$/.test(String(status)));
      expect(wrong).toEqual([]);
      expect(world.store.taken()).toEqual([]);
      const failed = world.log.lines.splice(0).filter(({ level }) => level === 'error');
      expect(failed.map(({ fields }) => String(fields['error']))).toEqual([]);
      await isWell();
    });
  }

  test('it does not pile up in memory', async () => {
    const body = Buffer.alloc(5_000_000, 'a=b&');
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(
        posted.map((path) => ask({ method: 'POST', path, headers: [urlencoded], body })),
      );
    }
    // What was sent is 180 MB, and as much again in this very process, which sends it.
    expect(process.memoryUsage().rss - before).toBeLessThan(250_000_000);
    await isWell();
  });
});

describe('T77 too slow', () => {
  test('who never ends the first lines is cut off, and is in nobody’s way', async () => {
    const drips = Array.from({ length: 20 }, async () => {
      const socket = connect(listener.port, '127.0.0.1');
      const closed = new Promise<string>((resolve) => {
        let heard = '';
        socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
        socket.on('error', () => undefined).on('close', () => resolve(heard));
      });
      socket.write('GET /signin HTTP/1.1\r\nHost: a\r\n');
      const timer = setInterval(() => socket.write('X: y\r\n'), 500);
      const heard = await closed;
      clearInterval(timer);
      return heard;
    });
    await isWell();
    // Resolved by the server alone: nobody here hangs up.
    for (const heard of await Promise.all(drips)) expect(heard).toMatch(/^(HTTP\/1\.1 408|$)/);
  }, 40_000);
});

describe('too often', () => {
  const limits = { perAddressPerMinute: 10 };

  test('the sign-in pages say when to come again; apps and probes are served', async () => {
    const clock = () => 1_800_000_000_000;
    const server = await startServer({ config: { limits }, clock });
    try {
      const visit = (path: string, accept: readonly [string, string]) =>
        send(server.port, {
          path,
          headers: [accept, ['X-Forwarded-For', `10.0.0.${path.length}`]],
        });
      for (let count = 0; count < 10; count += 1) await visit('/interaction/none', asProgram);
      for (const path of ['/signin', '/interaction/x', '/oauth2/authorize', '/oauth2/logout']) {
        const page = await visit(path, asBrowser);
        expect([page.status, page.header('retry-after')]).toEqual([429, '60']);
        expect(page.header('content-type')).toMatch(/^text\/html/);
        expect(page.text).toContain(page.header('x-request-id'));
        const told = JSON.parse((await visit(path, asProgram)).text) as object;
        expect(told).toMatchObject({ error: { code: 'rate_limited' } });
      }
      expect((await visit('/health/ready', asProgram)).status).toBe(200);
      expect((await visit('/.well-known/openid-configuration', asProgram)).status).toBe(200);
      const token = await send(server.port, { method: 'POST', path: '/oauth2/token' });
      expect(token.status).toBe(400);
    } finally {
      await server.close();
    }
  });

  test('the links have limits of their own', async () => {
    const store = await openSqlite({ path: ':memory:', clock: Date.now });
    const often = new Map([
      ['link_refresh', 1200],
      ['link_signin', 300],
      ['link_signout', 300],
      ['link_account', 300],
    ]);
    const counted = new Proxy(store, {
      get: (target, name: keyof typeof store) =>
        name === 'bump'
          ? (key: string) => Promise.resolve((often.get(key.split(':')[1] ?? '') ?? 0) + 1)
          : target[name].bind(target),
    });
    const config = { limits: { perAddressPerMinute: 300 } };
    const server = await startServer({ store: counted, config });
    try {
      for (const [method, path] of [
        ['POST', '/refresh'],
        ['GET', '/signin'],
        ['GET', '/signout'],
        ['GET', '/account/portal'],
      ]) {
        const answer = await send(server.port, { method: method ?? '', path: path ?? '' });
        expect([path, answer.status]).toEqual([path, 429]);
        expect(Number(answer.header('retry-after'))).toBeGreaterThan(0);
      }
    } finally {
      await server.close();
      await store.close();
    }
  });
});

test('several requests at once on one connection are answered one by one, in their order', async () => {
  const first = bytesOf(world.port, { path: '/health/live' })
    .toString()
    .replace('close', 'keep-alive');
  const second = bytesOf(world.port, { path: '/unknown' }).toString();
  const heard = (await exchange(listener.port, Buffer.from(first + second))).toString();
  expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404']);
});
