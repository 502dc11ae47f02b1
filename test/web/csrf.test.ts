import { afterEach, describe, expect, it } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import { browserCookie, createCookies, linkCookie } from '../../src/web/cookies.ts';
import { createCsrf } from '../../src/web/csrf.ts';
import { failures } from '../../src/web/failure.ts';
import { readForm } from '../../src/web/form.ts';
import { html } from '../../src/web/html.ts';
import { requests } from '../../src/web/request.ts';
import { recording, run, type RunningApp } from './app.ts';

const secrets = createSecrets(['a-secret-for-tests-of-32-bytes-or-more']);
const running: RunningApp[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()));
});

async function start(issuer: string) {
  const { log } = recording();
  const cookies = createCookies(issuer);
  const csrf = createCsrf({ issuer, secrets, cookies });
  const app = await run([
    requests({ issuer, trustedProxies: [], log, clock: () => Date.now() }),
    failures({ log, renderFailure: ({ message }) => html`${message}` }),
    async (ctx) => {
      if (ctx.path === '/cookies') {
        cookies.write(ctx, linkCookie, 'value', 60);
        cookies.write(ctx, browserCookie, 'other');
        cookies.clear(ctx, { name: 'gone', prefix: '__Secure-', path: '/interaction/x' });
        ctx.body = { link: cookies.read(ctx, linkCookie) ?? null };
      } else if (ctx.method === 'GET') {
        ctx.body = [csrf.token(ctx), csrf.token(ctx)];
      } else {
        csrf.require(ctx, await readForm(ctx));
        ctx.body = 'done';
      }
    },
  ]);
  running.push(app);
  const { host, origin } = new URL(issuer);
  const open = async (cookie = '') => {
    const answer = await app.send('/', { headers: { host, cookie } });
    const [token = '', same] = JSON.parse(answer.text) as string[];
    expect(same).toBe(token);
    return { token, set: [answer.headers['set-cookie'] ?? []].flat() };
  };
  const post = async (cookie: string, token: string, headers: Record<string, string> = {}) => {
    const answer = await app.send('/', {
      method: 'POST',
      body: new URLSearchParams({ csrf: token }).toString(),
      headers: { host, cookie, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
    return answer.status;
  };
  return { app, host, origin, open, post };
}

describe('T56 a form', () => {
  it('is taken from our own page, and from nowhere else', async () => {
    const { open, post, origin } = await start('https://id.example.com');
    const { token, set } = await open();
    expect(set).toEqual([
      expect.stringMatching(
        /^__Host-tollgate_csrf=[\w-]{22}; path=\/; samesite=lax; secure; httponly$/i,
      ),
    ]);
    const cookie = set[0]?.split(';')[0] ?? '';
    expect(await post(cookie, token)).toBe(200);
    expect(await post(cookie, token, { origin, 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await post(cookie, token, { origin: 'null', 'sec-fetch-site': 'same-origin' })).toBe(
      200,
    );
    const foreign: Record<string, string>[] = [
      { origin: 'null' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.test' },
      { origin: 'http://id.example.com' },
      { origin: 'https://id.example.com.evil.test' },
      { origin: 'https://app.example.com', 'sec-fetch-site': 'same-site' },
      { origin, 'sec-fetch-site': 'cross-site' },
      { origin, 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'garbage' },
    ];
    for (const headers of foreign)
      expect([headers, await post(cookie, token, headers)]).toEqual([headers, 403]);
  });

  it('needs the cookie and the field, and they must belong together', async () => {
    const { open, post } = await start('https://id.example.com');
    const [mine, other] = [await open(), await open()];
    const cookie = mine.set[0]?.split(';')[0] ?? '';
    expect(other.token).not.toBe(mine.token);
    const [version, mac] = mine.token.split('.');
    const tokens = [
      '',
      'x',
      other.token,
      `${mine.token}.x`,
      `${mine.token}A`,
      `nobody.${mac}`,
      `${version}.`,
      `.${mac}`,
    ];
    for (const token of tokens) expect([token, await post(cookie, token)]).toEqual([token, 403]);
    expect(await post('', mine.token)).toBe(403);
    expect(await post('__Host-tollgate_csrf=planted', mine.token)).toBe(403);
    expect(await post('tollgate_csrf=' + cookie.split('=')[1], mine.token)).toBe(403);
  });

  it('keeps its cookie over pages, and replaces one that is not ours', async () => {
    const { open } = await start('https://id.example.com');
    const first = await open();
    const cookie = first.set[0]?.split(';')[0] ?? '';
    expect(await open(cookie)).toEqual({ token: first.token, set: [] });
    expect((await open('__Host-tollgate_csrf=planted')).set).toHaveLength(1);
  });
});

describe('T55 cookies', () => {
  it('are HttpOnly and Lax, prefixed and Secure on https', async () => {
    const { app, host } = await start('https://id.example.com');
    const answer = await app.send('/cookies', {
      headers: { host, cookie: '__Host-tollgate=mine; tollgate=planted' },
    });
    expect(answer.json()).toEqual({ link: 'mine' });
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-tollgate=value; path=\/; expires=[^;]+; samesite=lax; secure; httponly$/i,
      ),
      '__Host-tollgate_browser=other; path=/; samesite=lax; secure; httponly',
      '__Secure-gone=; path=/interaction/x; expires=Thu, 01 Jan 1970 00:00:00 GMT; samesite=lax; secure; httponly',
    ]);
  });

  it('work on an http loopback issuer without prefix and Secure', async () => {
    const { app, host, open, post } = await start('http://127.0.0.1:4400');
    const answer = await app.send('/cookies', { headers: { host, cookie: 'tollgate=' } });
    expect(answer.json()).toEqual({ link: null });
    const names = [answer.headers['set-cookie'] ?? []].flat();
    expect(names[1]).toBe('tollgate_browser=other; path=/; samesite=lax; httponly');
    const { token, set } = await open();
    expect(await post(set[0]?.split(';')[0] ?? '', token)).toBe(200);
  });
});
