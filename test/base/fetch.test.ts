import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import Provider from 'oidc-provider';
import * as client from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createFetch, type OutgoingFetch, type OutgoingOptions } from '../../src/base/fetch.ts';
import { Problem } from '../../src/base/errors.ts';
import { selfSigned } from './certificate.ts';
import { listen, listenTls, type Listening } from './listen.ts';

interface LogoutClient {
  backchannelLogout(sub: string, sid: string): Promise<void>;
}

const loopback = ['127.0.0.0/8'];
let upstream: Listening;
let hits: string[] = [];
const opened: OutgoingFetch[] = [];

beforeAll(async () => {
  upstream = await listen(answer);
});
afterEach(async () => {
  hits = [];
  await Promise.all(opened.splice(0).map((fetch) => fetch.close()));
});
afterAll(() => upstream.close());

function outgoing(options: Partial<OutgoingOptions> = {}): OutgoingFetch {
  const fetch = createFetch({ allowPrivate: [], resolve: async () => ['127.0.0.1'], ...options });
  opened.push(fetch);
  return fetch;
}

function answer(request: IncomingMessage, response: ServerResponse) {
  hits.push(`${request.method} ${request.headers.host} ${request.url}`);
  const routes: Record<string, () => void> = {
    '/echo': () => void request.pipe(response),
    '/headers': () => response.end(JSON.stringify(request.headers)),
    '/zipped': () => response.setHeader('content-encoding', 'gzip').end(gzipSync('small')),
    '/bomb': () =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(64 * 1024 * 1024))),
    '/large': () => flood(response, 10 * 1024 * 1024),
    '/endless': () => flood(response, Infinity),
    '/drip': () => drip(response),
    '/hang': () => undefined,
    '/cut': () =>
      response
        .writeHead(200, { 'content-length': '10' })
        .write('x', () => request.socket.destroy()),
    '/headers-large': () => response.setHeader('x-large', 'x'.repeat(20_000)).end(),
    '/empty': () => response.writeHead(204).end(),
    '/cookies': () => response.setHeader('set-cookie', ['a=1', 'b=2']).end('ok'),
    '/redirect': () =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end('no'),
    '/.well-known/openid-configuration': () =>
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ issuer: `http://upstream.test:${upstream.port}` })),
  };
  (routes[request.url ?? ''] ?? (() => response.end('reached')))();
}

function flood(response: ServerResponse, bytes: number) {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const more = (left: number) => {
    if (left <= 0) return response.end();
    if (!response.destroyed) response.write(chunk, () => more(left - chunk.length));
  };
  more(bytes);
}

function drip(response: ServerResponse) {
  const timer = setInterval(() => response.write('.'), 20);
  response.on('close', () => clearInterval(timer));
}

async function refusal(work: Promise<unknown>): Promise<{ code: string; reason: string }> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Problem)) throw new Error(`not refused: ${String(error)}`);
  return { code: error.code, reason: error.cause instanceof Error ? error.cause.message : '' };
}

describe('O-9 an address that somebody else wrote', () => {
  const spellings = [
    '127.0.0.1',
    '127.0.0.1.',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '127.1',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '%31%32%37.0.0.1',
    '0',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '168.63.129.16',
    '169.254.169.254',
    '0xa9fea9fe',
    '172.16.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::ffff:8.8.8.8]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::1]',
    '[2001::1]',
    '[2002:7f00:1::]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '[ff02::1]',
  ];
  for (const host of spellings) {
    it(`refuses ${host} in every scheme`, async () => {
      const fetch = outgoing();
      for (const url of [`https://${host}/`, `http://${host}:${upstream.port}/`]) {
        expect(await refusal(fetch(url))).toMatchObject({ code: 'outgoing_refused' });
      }
      expect(hits).toEqual([]);
    });
  }

  it('refuses localhost as the system resolves it', async () => {
    const fetch = createFetch({ allowPrivate: [] });
    opened.push(fetch);
    for (const host of ['localhost', 'LOCALHOST.']) {
      const result = await refusal(fetch(`http://${host}:${upstream.port}/`));
      expect(result).toMatchObject({
        code: 'outgoing_refused',
        reason: expect.stringContaining('loopback'),
      });
    }
    expect(hits).toEqual([]);
  });

  it('refuses a name when any of its addresses is private', async () => {
    for (const addresses of [
      ['93.184.215.14', '10.0.0.1'],
      ['2606:2800:21f:cb07::1', '::1'],
      ['2606:2800:21f:cb07::1', '93.184.215.14', '169.254.169.254'],
      ['93.184.215.14', 'garbage'],
    ]) {
      const fetch = outgoing({ resolve: async () => addresses });
      expect((await refusal(fetch('https://mixed.test/'))).code).toBe('outgoing_refused');
    }
  });

  it('reaches the public internet by https and on usual ports only', async () => {
    const fetch = outgoing({ resolve: async () => ['93.184.215.14'] });
    expect(await refusal(fetch('http://public.test/'))).toEqual({
      code: 'outgoing_refused',
      reason: '93.184.215.14: only by https',
    });
    expect((await refusal(fetch('https://public.test:6379/'))).reason).toBe(
      '93.184.215.14: port 6379',
    );
  });

  it('refuses userinfo, other schemes and what is no URL', async () => {
    const fetch = outgoing({ allowPrivate: loopback });
    for (const url of [
      `http://user:pass@upstream.test:${upstream.port}/`,
      `http://user@upstream.test:${upstream.port}/`,
      'file:///etc/passwd',
      'data:text/plain,x',
      'gopher://upstream.test/',
      '/relative',
      '',
    ]) {
      expect((await refusal(fetch(url))).code).toBe('outgoing_refused');
    }
    expect(hits).toEqual([]);
  });

  it('asks for a name once, connects to what was judged, and judges again for the next connection', async () => {
    const answers = [['127.0.0.1'], ['127.0.0.2']];
    let asked = 0;
    const fetch = outgoing({
      allowPrivate: ['127.0.0.1/32'],
      resolve: async () => answers[asked++] ?? [],
    });
    const url = `http://rebinding.test:${upstream.port}/headers`;
    const first = await fetch(url, { headers: { connection: 'close' } });
    expect(await first.json()).toMatchObject({ host: `rebinding.test:${upstream.port}` });
    expect(asked).toBe(1);
    await fetch.close();

    const again = outgoing({
      allowPrivate: ['127.0.0.1/32'],
      resolve: async () => answers[asked++] ?? [],
    });
    expect((await refusal(again(url))).reason).toBe('127.0.0.2: loopback');
    expect(asked).toBe(2);
    expect(hits).toHaveLength(1);
  });

  it('gives the resolver a name in ASCII, and takes its failure for an outage', async () => {
    const asked: string[] = [];
    const fetch = outgoing({
      resolve: async (host) => {
        asked.push(host);
        throw new Error('ENOTFOUND');
      },
    });
    const long = 'a'.repeat(64);
    for (const host of ['bücher.test', 'ｅｘample.test.', `${long}.test`]) {
      expect((await refusal(fetch(`https://${host}/`))).code).toBe('outgoing_failed');
    }
    expect(asked).toEqual(['xn--bcher-kva.test', 'example.test', `${long}.test`]);
    const nobody = outgoing({ resolve: async () => [] });
    expect((await refusal(nobody('https://nobody.test/'))).code).toBe('outgoing_failed');
  });

  it('does not let an allowed NAT64 prefix hide a private address', async () => {
    const fetch = outgoing({
      allowPrivate: ['64:ff9b::/96'],
      resolve: async () => ['64:ff9b::a9fe:a9fe'],
    });
    expect((await refusal(fetch('https://hidden.test/'))).reason).toContain('link-local');
  });

  it('never follows a redirect', async () => {
    const fetch = outgoing({ allowPrivate: loopback });
    const url = `http://upstream.test:${upstream.port}/redirect`;
    for (const redirect of ['follow', 'error', undefined] as const) {
      expect((await refusal(fetch(url, redirect && { redirect }))).reason).toBe('a redirect (302)');
    }
    const raw = await fetch(url, { redirect: 'manual' });
    expect([raw.status, raw.headers.get('location')]).toEqual([
      302,
      'http://169.254.169.254/latest/meta-data/',
    ]);
    expect(hits).toHaveLength(4);
  });

  it('tries the other addresses of a name when one does not answer', async () => {
    const fetch = outgoing({
      allowPrivate: loopback,
      resolve: async () => ['127.0.0.9', '127.0.0.1'],
    });
    const response = await fetch(`http://two.test:${upstream.port}/`);
    expect(await response.text()).toBe('reached');
  });
});

describe('F11 an upstream that misbehaves', () => {
  const cases = [
    ['/bomb', 'outgoing_failed'],
    ['/large', 'outgoing_failed'],
    ['/endless', 'outgoing_failed'],
    ['/headers-large', 'outgoing_failed'],
    ['/cut', 'outgoing_failed'],
    ['/drip', 'outgoing_timeout'],
    ['/hang', 'outgoing_timeout'],
  ] as const;
  for (const [path, code] of cases) {
    it(`ends ${path} as ${code}`, async () => {
      const fetch = outgoing({ allowPrivate: loopback, timeoutMs: 1500 });
      const timeoutMs = code === 'outgoing_timeout' ? 200 : 1500;
      const work = fetch(`http://upstream.test:${upstream.port}${path}`, { timeoutMs });
      expect((await refusal(work)).code).toBe(code);
    });
  }

  it('takes less where the caller asks for less, never more', async () => {
    const fetch = outgoing({ allowPrivate: loopback, maxBytes: 10 });
    const url = `http://upstream.test:${upstream.port}/`;
    expect(await (await fetch(url, { maxBytes: 1_000_000 })).text()).toBe('reached');
    expect((await refusal(fetch(url, { maxBytes: 3 }))).reason).toContain('more than 3 bytes');
    expect(
      (await refusal(fetch(url.replace(/\/$/, '/cookies-and-more?'), { maxBytes: 2 }))).code,
    ).toBe('outgoing_failed');
  });

  it('is told apart from a resolver that hangs', async () => {
    const fetch = outgoing({ resolve: () => new Promise(() => {}), connectTimeoutMs: 50 });
    expect((await refusal(fetch('https://slow.test/'))).code).toBe('outgoing_timeout');
  });

  it('is left at once when the caller aborts', async () => {
    const fetch = outgoing({ allowPrivate: loopback });
    const controller = new AbortController();
    const work = fetch(`http://upstream.test:${upstream.port}/hang`, { signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    await expect(work).rejects.toThrow('changed my mind');
    const late = fetch(`http://upstream.test:${upstream.port}/`, { signal: controller.signal });
    await expect(late).rejects.toThrow('changed my mind');
  });
});

describe('an ordinary exchange', () => {
  it('sends a form and answers a standard Response, decompressed', async () => {
    const fetch = outgoing({ allowPrivate: loopback });
    const base = `http://upstream.test:${upstream.port}`;
    const echo = await fetch(new URL('/echo', base), {
      method: 'POST',
      body: new URLSearchParams({ a: 'ä b' }),
    });
    expect(echo).toBeInstanceOf(Response);
    expect(await echo.text()).toBe('a=%C3%A4+b');
    const zipped = await fetch(new Request(`${base}/zipped`));
    expect([await zipped.text(), zipped.headers.get('content-encoding'), zipped.url]).toEqual([
      'small',
      null,
      `${base}/zipped`,
    ]);
    const empty = await fetch(`${base}/empty`);
    expect([empty.status, empty.body]).toEqual([204, null]);
    const cookies = await fetch(`${base}/cookies`);
    expect(cookies.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('lets nobody choose the Host header, and names itself', async () => {
    const fetch = outgoing({ allowPrivate: loopback });
    const response = await fetch(`http://upstream.test:${upstream.port}/headers`, {
      headers: { host: 'internal.test', 'user-agent': '' },
    });
    expect(await response.json()).toMatchObject({
      host: `upstream.test:${upstream.port}`,
      'user-agent': 'tollgate',
    });
  });

  it('reads no proxy from the environment', async () => {
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    for (const name of names)
      process.env[name] = name.startsWith('NODE') ? '1' : 'http://127.0.0.1:1';
    try {
      const fetch = outgoing({ allowPrivate: loopback });
      expect((await fetch(`http://upstream.test:${upstream.port}/`)).status).toBe(200);
    } finally {
      for (const name of names) delete process.env[name];
    }
  });

  it('serves openid-client as its fetch', async () => {
    const fetch = outgoing({ allowPrivate: loopback });
    const found = await client.discovery(
      new URL(`http://upstream.test:${upstream.port}`),
      'app',
      undefined,
      undefined,
      {
        execute: [client.allowInsecureRequests],
        [client.customFetch]: (url, options) => fetch(url, options as RequestInit),
      },
    );
    expect(found.serverMetadata().issuer).toBe(`http://upstream.test:${upstream.port}`);
  });

  it('serves oidc-provider as its fetch', async () => {
    const port = upstream.port;
    const allowed = outgoing({ allowPrivate: loopback });
    const guarded = outgoing();
    for (const fetch of [allowed, guarded]) {
      const provider = new Provider('https://id.example.com', {
        fetch,
        cookies: { keys: ['test'] },
        features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: false } },
        clients: [
          {
            client_id: 'app',
            client_secret: 'secret',
            redirect_uris: ['https://app.example.com/cb'],
            backchannel_logout_uri: `http://127.0.0.1:${port}/logout`,
          },
        ],
      });
      const app = (await provider.Client.find('app')) as LogoutClient | undefined;
      const sent = app?.backchannelLogout('user', 'sid');
      if (fetch === allowed) await sent;
      else await expect(sent).rejects.toMatchObject({ code: 'outgoing_refused' });
    }
    expect(hits).toEqual([`POST 127.0.0.1:${port} /logout`]);
  });

  it('ends its connections when it is closed', async () => {
    const fetch = outgoing({ allowPrivate: loopback });
    const work = fetch(`http://upstream.test:${upstream.port}/hang`);
    const outcome = refusal(work);
    await expect.poll(() => hits.length).toBe(1);
    await fetch.close();
    expect((await outcome).code).toBe('outgoing_failed');
  });
});

describe('https', () => {
  const identity = selfSigned(['secure.test']);
  let server: Listening;
  let names: string[] = [];
  beforeAll(async () => {
    server = await listenTls(identity, (request, response) => {
      names.push(String((request.socket as { servername?: string }).servername));
      response.end('secure');
    });
  });
  afterEach(() => {
    names = [];
  });
  afterAll(() => server.close());

  it('checks the certificate for the name, not for the address that it is pinned to', async () => {
    const fetch = outgoing({ allowPrivate: loopback, certificateAuthorities: [identity.cert] });
    const response = await fetch(`https://secure.test:${server.port}/`);
    expect(await response.text()).toBe('secure');
    expect(names).toEqual(['secure.test']);
    for (const host of ['other.test', '127.0.0.1']) {
      expect((await refusal(fetch(`https://${host}:${server.port}/`))).code).toBe(
        'outgoing_failed',
      );
    }
    expect(names).toHaveLength(1);
  });

  it('refuses a certificate that nobody trusted signed', async () => {
    const fetch = outgoing({ allowPrivate: loopback });
    const result = await refusal(fetch(`https://secure.test:${server.port}/`));
    expect(result.code).toBe('outgoing_failed');
    expect(names).toEqual([]);
  });
});
