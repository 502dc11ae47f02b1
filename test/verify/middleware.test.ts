import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { express, expressEvents, guard, hono, koa, koaEvents } from '../../src/verify/index.ts';
import type { AccessClaims, Verifier } from '../../src/verify/index.ts';
import { listen } from '../base/listen.ts';
import type { Listening } from '../base/listen.ts';
import {
  accessToken,
  caep,
  clockAt,
  logoutToken,
  openIssuer,
  openService,
  securityEvent,
  user,
  webhookRequest,
} from './world.ts';
import type { TestIssuer } from './world.ts';

let world: TestIssuer;
const clock = clockAt();

beforeAll(async () => {
  world = await openIssuer();
});
afterAll(() => world.close());

interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

const asked = async (ask: Ask, path: string, headers: Record<string, string>): Promise<Answer> => {
  const response = await ask(path, { headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
};

/** What is the same, wherever it runs. `/me` wants a token, `/export` the feature `export`. */
async function checks(ask: Ask): Promise<void> {
  const authorization = `Bearer ${await accessToken(world, clock)}`;
  expect(await asked(ask, '/me', { authorization })).toMatchObject({
    status: 200,
    body: { sub: 'usr_ada', account: 'acc_acme' },
  });
  const none = await asked(ask, '/me', {});
  expect(none).toMatchObject({ status: 401, body: { error: { code: 'token_missing' } } });
  expect(none.headers.get('www-authenticate')).toBe('Bearer realm="api"');
  expect(none.headers.get('content-type')).toMatch(/^application\/json/);
  expect(none.headers.get('cache-control')).toBe('no-store');
  const wrong = await asked(ask, '/me', { authorization: 'Bearer x' });
  expect(wrong).toMatchObject({ status: 401, body: { error: { code: 'token_invalid' } } });
  expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
  expect(await asked(ask, '/export', { authorization })).toMatchObject({ status: 200 });
  const poor = `Bearer ${await accessToken(world, clock, { entitlements: [] })}`;
  expect(await asked(ask, '/export', { authorization: poor })).toMatchObject({
    status: 403,
    body: { error: { code: 'insufficient_plan' } },
  });
}

async function receives(ask: Ask): Promise<void> {
  const send = async (request: Request) =>
    ask('/events', {
      method: 'POST',
      headers: request.headers,
      body: await request.text(),
    });
  const form = new URLSearchParams({ logout_token: await logoutToken(world, clock, { sid: 'a' }) });
  const logout = await ask('/events', { method: 'POST', body: form });
  expect(logout.status).toBe(200);
  expect(logout.headers.get('cache-control')).toBe('no-store');
  expect(await logout.text()).toBe('');
  const events = { [`${caep}session-revoked`]: {} };
  const set = await securityEvent(world, clock, { sub_id: user(world, 'usr_eve'), events });
  const headers = { 'content-type': 'application/secevent+jwt' };
  const pushed = await ask('/events', { method: 'POST', headers, body: set });
  expect(pushed.status).toBe(202);
  expect(await pushed.text()).toBe('');
  const bad = await ask('/events', { method: 'POST', headers, body: 'x' });
  expect(bad.status).toBe(400);
  expect(await bad.json()).toMatchObject({ err: 'invalid_request' });
  // Not ASCII: the signature is over the bytes.
  const hook = webhookRequest(clock, 'user.disabled', { user: 'usr_zoë', note: '€ 🙂' });
  expect((await send(hook)).status).toBe(204);
  const large = await ask('/events', { method: 'POST', headers, body: 'x'.repeat(100_000) });
  expect(large.status).toBe(413);
  expect((await ask('/events')).status).toBe(405);
  const authorization = `Bearer ${await accessToken(world, clock, { sub: 'usr_zoë' })}`;
  expect(await asked(ask, '/me', { authorization })).toMatchObject({
    status: 401,
    body: { error: { code: 'token_revoked' } },
  });
}

const over =
  ({ port }: Listening): Ask =>
  (path, init) =>
    fetch(`http://127.0.0.1:${port}${path}`, init);

describe('Koa', () => {
  function serve(app: Koa): Promise<Listening> {
    const handler = app.callback();
    return listen((request, response) => void handler(request, response));
  }

  async function open(tollgate: Verifier): Promise<Listening> {
    const app = new Koa();
    app.silent = true;
    const [check, checkExport, events] = [
      koa(tollgate),
      koa(tollgate, { feature: 'export' }),
      koaEvents(tollgate),
    ];
    app.use((ctx, next) => {
      if (ctx.path === '/events') return events(ctx);
      return ctx.path === '/export' ? checkExport(ctx, next) : check(ctx, next);
    });
    app.use((ctx) => {
      ctx.body = ctx.state['claims'] as object;
    });
    return serve(app);
  }

  test('checks and receives', async () => {
    const server = await open(openService(world, clock).tollgate);
    await checks(over(server));
    await receives(over(server));
    await server.close();
  });

  test('errors of the service are its own', async () => {
    const app = new Koa();
    app.silent = true;
    app.use(koa(openService(world, clock).tollgate));
    app.use(() => {
      throw new Error('of the service');
    });
    const server = await serve(app);
    const headers = { authorization: `Bearer ${await accessToken(world, clock)}` };
    expect((await over(server)('/me', { headers })).status).toBe(500);
    await server.close();
  });
});

describe('Express, and node:http', () => {
  test('checks and receives', async () => {
    const { tollgate } = openService(world, clock);
    const [check, checkExport, events] = [
      express(tollgate),
      express(tollgate, { feature: 'export' }),
      expressEvents(tollgate),
    ];
    const server = await listen(
      (request: IncomingMessage & { claims?: AccessClaims }, response: ServerResponse) => {
        const next = (error?: unknown) => {
          response.writeHead(error === undefined ? 200 : 500);
          response.end(JSON.stringify(request.claims ?? {}));
        };
        if (request.url === '/events') void events(request, response, next);
        else if (request.url === '/export') void checkExport(request, response, next);
        else void check(request, response, next);
      },
    );
    await checks(over(server));
    await receives(over(server));
    await server.close();
  });

  test('a body that a parser has read is said to be so', async () => {
    const { tollgate } = openService(world, clock);
    const events = expressEvents(tollgate);
    const errors: unknown[] = [];
    const server = await listen((request, response) => {
      void (async () => {
        for await (const chunk of request) void chunk;
        await events(request, response, (error) => errors.push(error));
        if (!response.writableEnded) response.writeHead(500).end();
      })();
    });
    const { headers } = webhookRequest(clock, 'ping', {});
    const response = await over(server)('/events', { method: 'POST', headers, body: '{}' });
    expect(response.ok).toBe(false);
    expect(errors).toMatchObject([{ code: 'event_failed' }]);
    await server.close();
  });
});

describe('Hono', () => {
  test('checks', async () => {
    const { tollgate } = openService(world, clock);
    const [check, checkExport] = [hono(tollgate), hono(tollgate, { feature: 'export' })];
    await checks(async (path, init) => {
      const variables = new Map<string, unknown>();
      const raw = new Request(`https://api.example.com${path}`, init);
      const context = {
        req: { raw },
        set: (name: string, value: unknown) => void variables.set(name, value),
      };
      let answer = new Response('not reached', { status: 500 });
      const next = () => {
        answer = Response.json(variables.get('claims'));
        return Promise.resolve();
      };
      return (await (path === '/export' ? checkExport : check)(context, next)) ?? answer;
    });
  });
});

describe('a handler of requests', () => {
  test('checks and receives, and gets what its runtime gives it', async () => {
    const { tollgate } = openService(world, clock);
    const me = guard(tollgate, (_request, claims, environment: { name: string }) =>
      Response.json({ ...claims, environment: environment.name }),
    );
    const exported = guard(tollgate, (_request, claims) => Response.json(claims), {
      feature: 'export',
    });
    const ask: Ask = async (path, init) => {
      const request = new Request(`https://api.example.com${path}`, init);
      if (path === '/events') return tollgate.receive(request);
      return path === '/export' ? exported(request) : me(request, { name: 'production' });
    };
    await checks(ask);
    await receives(ask);
    const headers = { authorization: `Bearer ${await accessToken(world, clock)}` };
    expect(await (await ask('/me', { headers })).json()).toMatchObject({
      environment: 'production',
    });
  });

  test('errors of the service are its own', async () => {
    const { tollgate } = openService(world, clock);
    const broken = guard(tollgate, () => Promise.reject(new Error('of the service')));
    const headers = { authorization: `Bearer ${await accessToken(world, clock)}` };
    await expect(broken(new Request('https://a.example/', { headers }))).rejects.toThrow('of the');
  });
});
