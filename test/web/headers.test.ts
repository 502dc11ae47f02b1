import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';
import type Koa from 'koa';
import type { Middleware, ParameterizedContext } from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import { headers } from '../../src/web/headers.ts';
import { failures } from '../../src/web/failure.ts';
import { html } from '../../src/web/html.ts';
import { continueTo, interstitials, sendPage } from '../../src/web/page.ts';
import { requests } from '../../src/web/request.ts';
import { recording, run, type RunningApp } from './app.ts';

const issuer = 'https://id.example.com';
const host = 'id.example.com';
const browser = { host, accept: 'text/html' };
const running: RunningApp[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()));
});

async function start(handlers: Middleware[], app?: Koa, at = issuer): Promise<RunningApp> {
  const { log } = recording();
  const started = await run(
    [
      requests({ issuer: at, trustedProxies: [], log, clock: () => Date.now() }),
      headers({ issuer: at, registeredAction }),
      failures({ log, renderFailure: ({ message }) => html`<p>${message}</p>` }),
      interstitials(),
      ...handlers,
    ],
    app,
  );
  running.push(started);
  return started;
}

function registeredAction(ctx: ParameterizedContext, address: string): boolean {
  const { oidc } = ctx as { oidc?: { client?: { redirectUriAllowed(uri: string): boolean } } };
  return oidc?.client?.redirectUriAllowed(address) ?? false;
}

const policyOf = (answer: { headers: Record<string, unknown> }) =>
  Object.fromEntries(
    String(answer.headers['content-security-policy'])
      .split(';')
      .map((directive) => directive.trim().split(/ (.*)/s).slice(0, 2)),
  ) as Record<string, string>;

describe('T12 every answer', () => {
  it('has the headers, also when it is a failure', async () => {
    const app = await start([
      (ctx) => {
        if (ctx.path === '/page') sendPage(ctx, html`<p>${'<&>'}</p>`, 201);
        else throw new Error('defect');
      },
    ]);
    for (const path of ['/page', '/defect']) {
      const answer = await app.send(path, { headers: browser });
      expect(answer.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': 'max-age=31536000',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'permissions-policy': expect.stringContaining('camera=()'),
      });
      expect(policyOf(answer)).toEqual({
        'default-src': "'none'",
        'style-src': "'self'",
        'img-src': "'self' data:",
        'script-src': "'self'",
        'base-uri': "'none'",
        'frame-ancestors': "'none'",
        'form-action': "'self'",
      });
      expect(Object.keys(answer.headers).some((name) => name.startsWith('access-control'))).toBe(
        false,
      );
    }
    expect((await app.send('/page', { headers: browser })).text).toBe('<p>&lt;&amp;&gt;</p>');
  });

  it('leaves popups their opener on the way through a sign-in, and http without HSTS', async () => {
    const app = await start([], undefined, 'http://127.0.0.1:4400');
    const answer = await app.send('/interaction/abc', { headers: { host: '127.0.0.1:4400' } });
    expect(answer.headers['cross-origin-opener-policy']).toBe('unsafe-none');
    expect(answer.headers['strict-transport-security']).toBeUndefined();
  });
});

describe('response_mode=form_post', () => {
  function provider(): Provider {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return new Provider(issuer, {
      clients: [
        {
          client_id: 'app',
          client_secret: 's',
          redirect_uris: ['https://app.example.com:8443/cb?a=1&b=2'],
        },
      ],
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig' }] },
      cookies: { keys: ['test'] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: () => '/interaction/x' },
    });
  }

  it('may post to the registered redirect address, with the library’s own script', async () => {
    const app = await start([], provider());
    const query = new URLSearchParams({
      client_id: 'app',
      response_type: 'code',
      scope: 'openid',
      response_mode: 'form_post',
      prompt: 'none',
      redirect_uri: 'https://app.example.com:8443/cb?a=1&b=2',
      state: '"><form method="post" action="https://evil.test/">',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    });
    const answer = await app.send(`/auth?${query}`, { headers: browser });
    expect(answer.text).toContain('login_required');
    const policy = policyOf(answer);
    // Chromium holds where the client goes on to against it, too, and that is anywhere.
    expect(policy['form-action']).toBeUndefined();
    expect(policy['default-src']).toBe("'none'");
    expect(policy['script-src']).toMatch(/^'self' 'sha256-[^']+'$/);
  });

  it('may not when the address is nobody’s, or when there is another form', async () => {
    const form = (address: string) => `<form method="post" action="https://${address}/">`;
    const bodies = [form('evil.test'), `${form('app.example.com')}${form('evil.test')}`];
    for (const body of bodies) {
      const known = { redirectUriAllowed: (address: string) => address.includes('app.example') };
      const app = await start([
        (ctx) => {
          Object.assign(ctx, { oidc: { client: known } });
          ctx.type = 'html';
          ctx.body = body;
        },
      ]);
      expect(policyOf(await app.send('/', { headers: browser }))['form-action']).toBe("'self'");
    }
  });
});

describe('T10 going on', () => {
  const targets: Record<string, string> = {
    '/own': '/interaction/a?b=c&d="e"',
    '/app': 'https://app.example.com/cb?code=1&state=2',
    '/native': 'com.example.app:/cb?code=1',
    '/script': 'javascript:alert(1)',
    '/data': 'data:text/html,x',
    '/relative': '//evil.test/',
    '/backslash': '/\\evil.test/',
    '/lines': 'https://app.example.com/\r\nx: y',
    '/tab': '/\t/evil.test',
  };
  const handler: Middleware = (ctx) => {
    const target = targets[ctx.path];
    if (target !== undefined) return continueTo(ctx, target);
    ctx.status = Number(ctx.path.slice(1));
    ctx.set('Location', 'https://app.example.com/?a=1&b=2');
    ctx.body = 'moved';
  };

  it('redirects what was asked for, and answers a posted form with a page', async () => {
    const app = await start([handler]);
    for (const [path, address, escaped] of [
      ['/own', '/interaction/a?b=c&d=%22e%22', '/interaction/a?b=c&amp;d=%22e%22'],
      [
        '/app',
        'https://app.example.com/cb?code=1&state=2',
        'https://app.example.com/cb?code=1&amp;state=2',
      ],
      ['/native', 'com.example.app:/cb?code=1', 'com.example.app:/cb?code=1'],
    ]) {
      const moved = await app.send(path ?? '', { headers: browser });
      expect([moved.status, moved.headers['location']]).toEqual([303, address]);
      const page = await app.send(path ?? '', { method: 'POST', headers: browser });
      expect([page.status, page.headers['location'], page.headers['cache-control']]).toEqual([
        200,
        undefined,
        'no-store',
      ]);
      expect(page.text).toContain(`content="0;url=${escaped}"`);
      expect(page.text).toContain(`href="${escaped}"`);
    }
  });

  it('does not go where something would run or be read otherwise', async () => {
    const app = await start([handler]);
    for (const path of ['/script', '/data', '/relative', '/backslash', '/lines', '/tab']) {
      for (const method of ['GET', 'POST']) {
        const answer = await app.send(path, { method, headers: browser });
        expect([path, answer.status, answer.headers['location']]).toEqual([path, 500, undefined]);
      }
    }
  });

  it('turns the redirects of others too, and never lets a form be posted again', async () => {
    const app = await start([handler]);
    for (const status of [301, 302, 303, 307, 308]) {
      const page = await app.send(`/${status}`, { method: 'POST', headers: browser });
      expect([page.status, page.headers['location']]).toEqual([200, undefined]);
      expect(page.text).toContain('0;url=https://app.example.com/?a=1&amp;b=2');
      const program = await app.send(`/${status}`, { method: 'POST', headers: { host } });
      expect(program.status).toBe(status >= 307 ? 303 : status);
      expect((await app.send(`/${status}`, { headers: browser })).status).toBe(status);
    }
  });
});
