import { afterEach, describe, expect, it } from 'vitest';
import Provider from 'oidc-provider';
import type Koa from 'koa';
import { html } from '../../src/web/html.ts';
import { failures } from '../../src/web/failure.ts';
import { requestBounds, requests } from '../../src/web/request.ts';
import { recording, run, type RunningApp } from './app.ts';

const running: RunningApp[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()));
});

async function start(
  options: { issuer?: string; trustedProxies?: string[]; app?: Koa } = {},
): Promise<RunningApp & { records: Record<string, unknown>[] }> {
  const { log, records } = recording();
  const { issuer = 'https://id.example.com', trustedProxies = [] } = options;
  const middlewares = [
    requests({ issuer, trustedProxies, log, clock: () => Date.now() }),
    failures({ log, renderFailure: ({ message }) => html`<p>${message}</p>` }),
    requestBounds(),
  ];
  if (!options.app) {
    middlewares.push((ctx) => {
      const { protocol, secure, host, hostname, ip, href } = ctx;
      log.info('inside');
      ctx.body = { protocol, secure, host, hostname, ip, href, url: ctx.URL.href, ...ctx.state };
    });
  }
  const app = await run(middlewares, options.app);
  running.push(app);
  return { ...app, records };
}

const host = 'id.example.com';

describe('the host', () => {
  it('must be the issuer’s', async () => {
    const app = await start();
    for (const good of [host, 'ID.Example.com', `${host}:443`]) {
      expect((await app.send('/', { headers: { host: good } })).status).toBe(200);
    }
    for (const bad of [
      'evil.test',
      `${host}.evil.test`,
      `${host}:80`,
      `evil@${host}`,
      `${host}/x`,
      `${host},evil.test`,
      '127.0.0.1',
      '',
    ]) {
      const answer = await app.send('/', { headers: { host: bad, accept: 'text/html' } });
      expect([bad, answer.status]).toEqual([bad, bad === '' ? answer.status : 421]);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.text).not.toContain('<');
    }
  });

  it('does not matter to probes', async () => {
    const app = await start();
    const answer = await app.send('/health/live', { headers: { host: '10.0.0.7:4400' } });
    expect(answer.status).toBe(200);
    expect(answer.json()['host']).toBe(host);
    expect(app.records.at(-1)).toMatchObject({ level: 'debug', path: '/health/live' });
  });

  it('cannot be given twice or by the request line', async () => {
    const app = await start();
    const twice = await app.raw(
      `GET / HTTP/1.1\r\nHost: ${host}\r\nHost: evil.test\r\nConnection: close\r\n\r\n`,
    );
    expect(twice).toMatch(/^HTTP\/1\.1 (400|421) /);
    for (const target of ['http://evil.test/', `https://${host}/`]) {
      const absolute = await app.raw(
        `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      expect(absolute).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
  });
});

describe('T73 forwarded headers', () => {
  const spoofed = {
    host,
    'x-forwarded-host': 'evil.test',
    'x-forwarded-proto': 'ftp',
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-port': '1',
    forwarded: 'for=203.0.113.9;host=evil.test;proto=http',
    'x-original-url': '/evil',
    'x-http-method-override': 'DELETE',
  };

  it('change nothing when they come from a stranger', async () => {
    const app = await start();
    expect((await app.send('/a?b=c', { headers: spoofed })).json()).toMatchObject({
      protocol: 'https',
      secure: true,
      host,
      hostname: host,
      ip: '127.0.0.1',
      clientIp: '127.0.0.1',
      href: `https://${host}/a?b=c`,
      url: `https://${host}/a?b=c`,
    });
  });

  it('never change what discovery says, from a proxy or from anybody', async () => {
    const issuers = [
      'https://id.example.com',
      'http://127.0.0.1:4400',
      'https://id.example.com:8443',
    ];
    for (const issuer of issuers) {
      for (const trustedProxies of [[], ['127.0.0.0/8']]) {
        const app = await start({ issuer, trustedProxies, app: new Provider(issuer, {}) });
        const answer = await app.send('/.well-known/openid-configuration', {
          headers: { ...spoofed, host: new URL(issuer).host },
        });
        const found = answer.json();
        expect(found['issuer']).toBe(issuer);
        const addresses = Object.values(found).filter(
          (value) => typeof value === 'string' && value.includes('://'),
        );
        expect(addresses.length).toBeGreaterThan(4);
        for (const address of addresses) expect(new URL(String(address)).origin).toBe(issuer);
      }
    }
  });

  it('tell the caller when a listed proxy sends them, read from the right', async () => {
    const app = await start({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', 'fd00::/8'] });
    const cases: [string, string][] = [
      ['203.0.113.9', '203.0.113.9'],
      ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
      ['6.6.6.6, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
      ['6.6.6.6, 2001:db8::9, fd00::1', '2001:db8:0:0:0:0:0:9'],
      ['203.0.113.9:4711', '203.0.113.9'],
      ['[2001:db8::9]:4711', '2001:db8:0:0:0:0:0:9'],
      ['::ffff:203.0.113.9', '203.0.113.9'],
      ['10.1.1.1, 10.1.2.3', '10.1.1.1'],
      ['203.0.113.9, garbage, 10.1.2.3', '10.1.2.3'],
      ['unknown', '127.0.0.1'],
      ['', '127.0.0.1'],
      [Array(200).fill('10.0.0.1').join(','), '10.0.0.1'],
    ];
    for (const [forwarded, expected] of cases) {
      const answer = await app.send('/', { headers: { host, 'x-forwarded-for': forwarded } });
      expect([forwarded, answer.json()['ip']]).toEqual([forwarded, expected]);
    }
  });

  it('send a browser that came by http to https, and take nothing else from it', async () => {
    const app = await start({ trustedProxies: ['127.0.0.1'] });
    const headers = { host, 'x-forwarded-proto': 'http' };
    const moved = await app.send('//evil.test/a?b=c', { headers });
    expect([moved.status, moved.headers['location']]).toEqual([
      308,
      `https://${host}//evil.test/a?b=c`,
    ]);
    expect((await app.send('/', { headers, method: 'POST', body: 'x' })).status).toBe(400);
    const several = { host, 'x-forwarded-proto': 'http, https' };
    expect((await app.send('/', { headers: several })).status).toBe(200);
  });
});

describe('a request', () => {
  it('has an id of ours in the answer and in each record', async () => {
    const app = await start();
    const answer = await app.send('/secret?code=canary', {
      headers: { host, 'x-request-id': 'forged' },
    });
    const id = answer.headers['x-request-id'];
    expect(id).toMatch(/^req_[A-Za-z0-9_-]{22}$/);
    expect(app.records).toMatchObject([
      { message: 'inside', request_id: id },
      {
        message: 'request',
        request_id: id,
        method: 'GET',
        path: '/secret',
        status: 200,
        ip: '127.0.0.1',
        ms: expect.any(Number),
      },
    ]);
    expect(JSON.stringify(app.records)).not.toContain('canary');
  });

  it('T77 is bounded', async () => {
    const app = await start();
    const long = await app.send(`/${'a'.repeat(9000)}`, { headers: { host } });
    expect([long.status, long.json()['error']]).toMatchObject([414, { code: 'address_too_long' }]);
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-${i}`, 'y']));
    expect((await app.send('/', { headers: { host, ...many } })).status).toBe(431);
  });

  it('T15 carries no secret in its address', async () => {
    const app = await start();
    for (const name of [
      'access_token',
      'refresh_token',
      'client_secret',
      'Access_Token',
      '%61ccess_token',
    ]) {
      const answer = await app.send(`/?a=b&${name}=canary`, { headers: { host } });
      expect([answer.status, answer.json()['error']]).toMatchObject([
        400,
        { code: 'secret_in_address' },
      ]);
      expect(answer.text).not.toContain('canary');
    }
    expect((await app.send('/?id_token_hint=x', { headers: { host } })).status).toBe(200);
  });
});
