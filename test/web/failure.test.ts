import { Readable } from 'node:stream';
import { errors } from 'oidc-provider';
import type { Middleware } from 'koa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { html } from '../../src/web/html.ts';
import { failures, watchErrors } from '../../src/web/failure.ts';
import { requests } from '../../src/web/request.ts';
import { recording, run, type RunningApp } from './app.ts';

const { log, records } = recording();
let app: RunningApp;
let pages = 'good';

const routes: Record<string, Middleware> = {
  '/problem': () => {
    throw new Problem('login_required', 401, 'Sign in <first>.', {
      details: { field: 'account', code: 'forged', request_id: 'forged' },
      cause: new Error('reason for the log'),
    });
  },
  '/busy': () => {
    throw new Problem('rate_limited', 429, 'Later.', { retryAfterSeconds: 1.2 });
  },
  '/upstream': () => {
    throw new Problem('upstream_down', 502, 'It does not answer.', {
      cause: new Error('ECONNREFUSED 10.0.0.7'),
    });
  },
  '/logged': () => {
    throw new Problem('said_already', 503, 'Later.', { isLogged: true });
  },
  '/mended': () => {
    throw new Problem('lacking', 503, 'Later.', { remedy: 'Set it.' });
  },
  '/defect': (ctx) => {
    ctx.set('ETag', 'x');
    ctx.cookies.set('session', 'half-done');
    ctx.body = 'half';
    throw new TypeError('canary: cannot read secret of undefined');
  },
  '/thrown': () => {
    throw 'a string, canary';
  },
  '/library': () => {
    throw new errors.InvalidRequest('the client is missing');
  },
  '/koa': (ctx) => ctx.throw(409, 'canary'),
  '/odd': () => {
    throw new Problem('odd', 200, 'Not a status of a failure.');
  },
  '/stream': (ctx) => {
    ctx.type = 'text';
    ctx.body = Readable.from(
      (async function* broken() {
        yield 'begun';
        throw new Error('broken stream');
      })(),
    );
  },
  '/method': (ctx) => {
    ctx.status = 405;
    ctx.set('Allow', 'POST');
  },
  '/fine': (ctx) => {
    ctx.body = 'fine';
  },
  '/nothing': (ctx) => {
    ctx.status = 204;
  },
};

beforeAll(async () => {
  app = await run([
    requests({ issuer: 'http://id.test', trustedProxies: [], log, clock: () => Date.now() }),
    failures({
      log,
      renderFailure: ({ message, status, requestId }) => {
        if (pages === 'broken') throw new Error('the view is broken');
        return html`<h1>${status}</h1>
          <p>${message}</p>
          <p>${requestId}</p>`;
      },
    }),
    (ctx, next) => routes[ctx.path]?.(ctx, next),
  ]);
  watchErrors(app.app, log);
});
beforeEach(() => {
  records.length = 0;
  pages = 'good';
});
afterAll(() => app.close());

const get = (path: string, accept = 'text/html,application/xhtml+xml,*/*;q=0.8', method = 'GET') =>
  app.send(path, { method, headers: { host: 'id.test', accept } });

describe('a failure', () => {
  it('is JSON with the id of the request for a program', async () => {
    for (const accept of ['application/json', '*/*', 'garbage;;;q=x']) {
      const answer = await get('/problem', accept);
      expect(answer.status).toBe(401);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.json()).toEqual({
        error: {
          code: 'login_required',
          message: 'Sign in <first>.',
          field: 'account',
          request_id: answer.headers['x-request-id'],
        },
      });
    }
  });

  it('is a page for a browser', async () => {
    const answer = await get('/problem');
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.text).toContain('<p>Sign in &lt;first&gt;.</p>');
    expect(answer.text).toContain(String(answer.headers['x-request-id']));
  });

  it('has no body for HEAD', async () => {
    const answer = await get('/problem', 'text/html', 'HEAD');
    expect([answer.status, answer.text]).toEqual([401, '']);
  });

  it('says when to try again', async () => {
    expect((await get('/busy')).headers['retry-after']).toBe('2');
  });

  it('is there for what nobody answers', async () => {
    expect((await get('/unknown')).text).toContain('404');
    expect((await get('/unknown', '*/*')).json()['error']).toMatchObject({ code: 'not_found' });
    const method = await get('/method', '*/*');
    expect([method.status, method.headers['allow']]).toEqual([405, 'POST']);
    expect((await get('/fine')).text).toBe('fine');
    expect((await get('/nothing')).status).toBe(204);
  });

  it('shows the code of the library, and nothing of other errors', async () => {
    expect((await get('/library', '*/*')).json()['error']).toMatchObject({
      code: 'invalid_request',
      message: 'the client is missing',
    });
    const answer = await get('/koa', '*/*');
    expect(answer.status).toBe(409);
    expect(answer.text).not.toContain('canary');
    expect((await get('/odd')).status).toBe(500);
  });
});

describe('a defect', () => {
  it('is a bare 500, with everything in the log', async () => {
    for (const accept of ['text/html', '*/*']) {
      const answer = await get('/defect', accept);
      expect(answer.status).toBe(500);
      expect(answer.text).not.toMatch(/canary|TypeError|undefined|half/);
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect(answer.headers['etag']).toBeUndefined();
    }
    expect((await get('/thrown')).text).not.toContain('canary');
    expect(records.find(({ level }) => level === 'error')).toMatchObject({
      message: 'request failed',
      error_code: 'internal_error',
      error: { name: 'TypeError', stack: expect.stringContaining('failure.test.ts') },
    });
  });

  it('in the page about a failure still gives an answer', async () => {
    pages = 'broken';
    const answer = await get('/problem');
    expect([answer.status, answer.headers['content-type']]).toEqual([
      401,
      'text/html; charset=utf-8',
    ]);
    expect(answer.text).toContain('Sign in &lt;first&gt;.');
  });

  it('in a stream ends the answer visibly', async () => {
    await expect(get('/stream')).rejects.toThrow();
    expect(records).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'an answer was not sent' }),
    );
  });
});

describe('the log', () => {
  it('has refusals at info or warn, failures at error with their cause', async () => {
    await get('/problem');
    await get('/busy');
    await get('/upstream');
    const found = records.filter(({ message }) => String(message).startsWith('request '));
    expect(found).toMatchObject([
      { level: 'info', error_code: 'login_required', reason: 'reason for the log' },
      { level: 'warn', error_code: 'rate_limited' },
      {
        level: 'error',
        error: { code: 'upstream_down', cause: { message: 'ECONNREFUSED 10.0.0.7' } },
      },
    ]);
  });

  it('has what an operator can do, and no second word of what was said already', async () => {
    const { text } = await get('/mended');
    expect(text).not.toContain('Set it.');
    expect((await get('/logged')).status).toBe(503);
    const found = records.filter(({ message }) => String(message).startsWith('request '));
    expect(found).toMatchObject([
      { level: 'error', error_code: 'lacking', remedy: 'Set it.' },
      { level: 'debug', error_code: 'said_already' },
    ]);
  });
});
