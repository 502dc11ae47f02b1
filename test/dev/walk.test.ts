import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createBrowser } from '../../dev/walk.ts';
import { createCookieJar } from '../../dev/cookie_jar.ts';
import { readMarkup } from '../../dev/markup.ts';

interface Seen {
  line: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A tiny site: what it shows at which path is each test's business. */
let pages: Record<string, (response: ServerResponse, seen: Seen) => void>;
let seen: Seen[];
let origin: string;
let close: () => Promise<void>;

const show = (text: string, headers: Record<string, string> = {}) => {
  return (response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(text);
};
const lead = (location: string, status = 303, headers: Record<string, string | string[]> = {}) => {
  return (response: ServerResponse) =>
    void response.writeHead(status, { location, ...headers }).end();
};

beforeEach(async () => {
  pages = {};
  seen = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const entry = { line: `${method} ${url}`, headers, body };
      seen.push(entry);
      const page = pages[`${method} ${url}`] ?? pages[url.split('?')[0] ?? ''];
      if (page === undefined) response.writeHead(404).end('nothing');
      else page(response, entry);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
});

afterEach(() => close());

describe('a browser without script', () => {
  test('goes where redirects and refreshing pages lead, and remembers the way', async () => {
    pages['/'] = lead('/second');
    pages['/second'] = show(
      '<meta http-equiv="refresh" content="0;url=/third?a=1&amp;b=2"><title>One moment</title>',
    );
    pages['/third'] = show('<title>There</title><p>Here <b>you</b> are</p>');
    const page = await createBrowser().get(`${origin}/`);
    expect(page.url).toBe(`${origin}/third?a=1&b=2`);
    expect(page.title).toBe('There');
    expect(page.visible).toContain('Here you are');
    expect(page.history.map(({ status, location }) => [status, location])).toEqual([
      [303, '/second'],
      [200, '/third?a=1&b=2'],
      [200, undefined],
    ]);
  });

  test('stops before an address that a test wants to catch', async () => {
    pages['/'] = lead('https://app.example.com/callback?code=1');
    const stopAt = (url: URL) => url.hostname === 'app.example.com';
    const page = await createBrowser({ stopAt }).get(`${origin}/`);
    expect(page).toMatchObject({
      stopped: true,
      url: 'https://app.example.com/callback?code=1',
      status: 303,
    });
    expect(seen).toHaveLength(1);
  });

  test('gives up on a redirect that leads to itself', async () => {
    pages['/'] = lead('/');
    await expect(createBrowser().get(`${origin}/`)).rejects.toThrow('more than 25 steps');
  });

  test('posts a form with what it holds, what was filled in, and the pressed button', async () => {
    pages['/'] = show(`<form method="post" action="/take?x=1">
      <input type="hidden" name="csrf" value="a&amp;b"><input name="name" value="Ada">
      <input type="checkbox" name="news" value="yes" checked><input type="checkbox" name="ads">
      <input type="radio" name="plan" value="small" checked><input type="radio" name="plan" value="large">
      <select name="colour"><option value="red">Red</option><option selected>Blue</option></select>
      <textarea name="note">hello</textarea><input name="off" value="1" disabled>
      <button name="go" value="first">First</button>
      <button name="go" value="second"><b>The</b> second</button></form>`);
    pages['/take'] = show('taken');
    const browser = createBrowser();
    const page = await browser.get(`${origin}/`);
    await browser.submit(page, {
      button: 'The second',
      fields: { name: 'Grace Hopper', plan: 'large', news: false },
    });
    expect(seen[1]?.line).toBe('POST /take?x=1');
    expect(Object.fromEntries(new URLSearchParams(seen[1]?.body))).toEqual({
      csrf: 'a&b',
      name: 'Grace Hopper',
      plan: 'large',
      colour: 'Blue',
      note: 'hello',
      go: 'second',
    });
  });

  test('says what is there when a button, a field or a choice is not', async () => {
    pages['/'] = show('<form><input type=radio name=plan value=a><button>Send</button></form>');
    const browser = createBrowser();
    const page = await browser.get(`${origin}/`);
    const refusal = (how: object) =>
      browser.submit(page, how).catch((error: Error) => error.message);
    expect(await refusal({ button: 'Sent' })).toContain('no button "Sent"');
    expect(await refusal({ fields: { plna: 'a' } })).toContain('no field "plna=a"');
    expect(await refusal({ fields: { plan: 'b' } })).toContain('buttons: Send');
  });

  test('drops the form at 303 and 302, and carries it along at 307', async () => {
    pages['/'] = show('<form method=post action=/a><input name=x value=1></form>');
    pages['POST /a'] = lead('/b', 307);
    pages['POST /b'] = lead('/c', 302);
    pages['/c'] = show('end');
    const browser = createBrowser();
    await browser.submit(await browser.get(`${origin}/`));
    expect(seen.map(({ line, body }) => `${line} ${body}`.trim())).toEqual([
      'GET /',
      'POST /a x=1',
      'POST /b x=1',
      'GET /c',
    ]);
  });

  test('says where a request comes from, as browsers do', async () => {
    pages['/'] = show('<a href="/next">Next</a><form method=post action=/post></form>');
    pages['/next'] = show('next');
    pages['/post'] = show('<form method=post action=/post></form>', {
      'referrer-policy': 'no-referrer',
    });
    const browser = createBrowser();
    const page = await browser.get(`${origin}/`);
    await browser.follow(page, 'Next');
    const posted = await browser.submit(page);
    await browser.submit(posted);
    await browser.get(`${origin}/next`, { from: { ...page, url: 'https://evil.example/' } });
    await browser.get(`${origin}/next`, { from: { ...page, url: 'http://127.0.0.1:1/' } });
    const told = seen.map(({ headers }) => [headers['sec-fetch-site'], headers.origin]);
    expect(told).toEqual([
      ['none', undefined],
      ['same-origin', undefined],
      ['same-origin', origin],
      ['same-origin', 'null'],
      ['cross-site', undefined],
      ['same-site', undefined],
    ]);
    expect(seen[0]?.headers).toMatchObject({ 'sec-fetch-mode': 'navigate' });
  });

  test('a detour over another site makes a navigation cross-site', async () => {
    pages['/'] = lead('/end');
    pages['/end'] = show('end');
    const browser = createBrowser();
    const other = origin.replace('127.0.0.1', 'localhost');
    pages['/out'] = lead(`${other}/back`);
    pages['/back'] = lead(`${origin}/end`);
    pages['/start'] = show('<a href="/out">Out</a>');
    const page = await browser.get(`${origin}/start`);
    const end = await browser.follow(page, 'Out').catch(() => undefined);
    // Where `localhost` is not this machine's IPv4 address there is nothing to see.
    if (end === undefined) return;
    expect(seen.at(-1)?.headers['sec-fetch-site']).toBe('cross-site');
  });

  test('a script says its origin, and learns whether it may read the answer', async () => {
    pages['/open'] = (response, { headers }) =>
      void response
        .writeHead(200, {
          'access-control-allow-origin': headers.origin ?? '',
          'access-control-allow-credentials': 'true',
        })
        .end('x');
    pages['/closed'] = show('x');
    const browser = createBrowser();
    const asked = { origin: 'http://127.0.0.1:1', method: 'POST' };
    expect((await browser.fetch(`${origin}/open`, asked)).readable).toBe(true);
    expect((await browser.fetch(`${origin}/closed`, asked)).readable).toBe(false);
    expect(seen[0]?.headers).toMatchObject({
      origin: 'http://127.0.0.1:1',
      'sec-fetch-site': 'same-site',
      'sec-fetch-mode': 'cors',
    });
  });

  test('five tabs share the cookies and disturb nobody', async () => {
    pages['/'] = (response, { line }) => {
      const tab = line.split('?')[1] ?? '';
      lead(`/end?${tab}`, 303, { 'set-cookie': `tab${tab}=${tab}` })(response);
    };
    pages['/end'] = (response, { line, headers }) =>
      show(`${line.split('?')[1]} ${headers.cookie?.includes('tab')}`)(response);
    pages['/all'] = (response, { headers }) => show(headers.cookie ?? '')(response);
    const browser = createBrowser();
    const tabs = await Promise.all([1, 2, 3, 4, 5].map((n) => browser.get(`${origin}/?${n}`)));
    expect(tabs.map((page) => page.text)).toEqual([1, 2, 3, 4, 5].map((n) => `${n} true`));
    const all = await browser.get(`${origin}/all`);
    expect(all.text.split('; ').toSorted()).toEqual([1, 2, 3, 4, 5].map((n) => `tab${n}=${n}`));
  });
});

describe('its cookies', () => {
  const at = (address: string) => new URL(address);
  const sent = (jar: ReturnType<typeof createCookieJar>, address: string, how = {}) =>
    jar.header({ url: at(address), sameSite: true, topLevelGet: true, ...how });

  test('stay with host, path and the secure places that they were set for', () => {
    const jar = createCookieJar(() => 0);
    jar.take(at('https://id.example.com/a/b'), [
      'host=1',
      'wide=2; Domain=example.com; Path=/',
      'deep=3; Path=/a/b/c',
      'safe=4; Secure; Path=/',
      'foreign=5; Domain=other.com',
      'tld=6; Domain=com',
    ]);
    expect(sent(jar, 'https://id.example.com/a/b')).toBe('host=1; wide=2; safe=4');
    expect(sent(jar, 'https://id.example.com/a/b/c/d')).toBe('deep=3; host=1; wide=2; safe=4');
    expect(sent(jar, 'https://id.example.com/ab')).toBe('wide=2; safe=4');
    expect(sent(jar, 'https://app.example.com/a')).toBe('wide=2');
    expect(sent(jar, 'http://id.example.com/')).toBe('wide=2');
  });

  test('the prefixes are held to, and loopback counts as secure', () => {
    const jar = createCookieJar(() => 0);
    jar.take(at('http://localhost:1/a'), [
      '__Host-a=1; Secure; Path=/',
      '__Host-b=2; Secure; Path=/a',
      '__Host-c=3; Path=/',
      '__Secure-d=4; Secure; Path=/a',
      '__Secure-e=5; Path=/a',
    ]);
    expect(sent(jar, 'http://localhost:1/a')).toBe('__Secure-d=4; __Host-a=1');
    // Ports do not part cookies.
    expect(sent(jar, 'http://localhost:2/')).toBe('__Host-a=1');
    jar.take(at('http://id.example.com/'), ['x=1; Secure']);
    expect(jar.all()).toHaveLength(2);
  });

  test('end by Max-Age, by Expires, and when they are cleared', () => {
    let now = Date.UTC(2030, 0, 1);
    const jar = createCookieJar(() => now);
    const url = at('https://id.example.com/');
    jar.take(url, [
      'short=1; Max-Age=10',
      'long=2; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
      'dated=3; Expires=Tue, 01 Jan 2030 00:00:50 GMT',
      'kept=4',
      'gone=5',
    ]);
    jar.take(url, ['gone=; Expires=Thu, 01 Jan 1970 00:00:00 GMT']);
    expect(sent(jar, url.href)).toBe('short=1; long=2; dated=3; kept=4');
    now += 11_000;
    expect(sent(jar, url.href)).toBe('long=2; dated=3; kept=4');
    now += 60_000;
    expect(sent(jar, url.href)).toBe('long=2; kept=4');
  });

  test('SameSite: another site brings Lax ones by a link only, Strict ones never', () => {
    const jar = createCookieJar(() => 0);
    const url = 'https://id.example.com/';
    jar.take(at(url), ['lax=1', 'strict=2; SameSite=Strict', 'none=3; SameSite=None; Secure']);
    expect(sent(jar, url)).toBe('lax=1; strict=2; none=3');
    expect(sent(jar, url, { sameSite: false })).toBe('lax=1; none=3');
    expect(sent(jar, url, { sameSite: false, topLevelGet: false })).toBe('none=3');
  });
});

describe('reading a page', () => {
  test('leaves out comments and scripts, and knows what is escaped', () => {
    const page = readMarkup(`<!doctype html><!-- <a href="/no">no</a> --><title>A &lt;b&gt;</title>
      <script>document.write('<a href="/no">no</a>')</script><style>a{}</style>
      <A HREF='/yes?a=1&#38;b=2'>Yes &amp; more</A>
      <a name=here>no link</a>`);
    expect(page.title).toBe('A <b>');
    expect(page.links).toEqual([{ href: '/yes?a=1&b=2', text: 'Yes & more' }]);
    expect(page.visible).toBe('Yes & more no link');
  });

  test('a button elsewhere on the page belongs to the form that it names', () => {
    const page = readMarkup(`<form id="op" method="post" action="/out"><input name=x value=1></form>
      <button form="op" name="logout" value="yes">Sign out</button><button form="op">Stay</button>`);
    expect(page.forms[0]?.buttons).toEqual([
      { text: 'Sign out', name: 'logout', value: 'yes' },
      { text: 'Stay', value: '' },
    ]);
  });
});
