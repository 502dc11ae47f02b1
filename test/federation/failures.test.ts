import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createFetch } from '../../src/base/fetch.ts';
import type { OutgoingFetch } from '../../src/base/fetch.ts';
import { reasonOf } from '../../src/federation/failures.ts';
import { brokenAnswers } from '../../dev/upstream/faults.ts';
import type { BrokenAnswer } from '../../dev/upstream/faults.ts';
import { goThrough, problemFrom, signIn, startWorld } from './world.ts';
import type { World } from './world.ts';

let world: World;
/** Waits less long than the real one, so that these tests do too. */
let hasty: OutgoingFetch;
beforeAll(async () => {
  world = await startWorld();
  hasty = createFetch({ allowPrivate: ['127.0.0.0/8'], timeoutMs: 2500 });
});
afterAll(async () => {
  await hasty.close();
  await world.close();
});
beforeEach(() => {
  world.ahead = 0;
  world.oidc.behave();
  world.github.behave();
});

const fresh = () => world.again(Object.values(world.providers), hasty);
const answers = Object.keys(brokenAnswers) as BrokenAnswer[];
const details = (provider: string) => ({ interaction: 'interaction-1', provider });

for (const how of answers) {
  test(`F11 discovery that ${brokenAnswers[how]} makes the provider unavailable, no other`, async () => {
    const federation = fresh();
    world.oidc.behave(`discovery:${how}`);
    const begin = () => goThrough(federation, 'example');
    const problem = await problemFrom(begin());
    expect(problem).toMatchObject({
      code: 'provider_unavailable',
      status: 503,
      retryAfterSeconds: 30,
      details: details('example'),
    });
    expect(problem.message).toBe(
      'example does not answer at the moment. Try again in a minute, or sign in another way.',
    );
    await signIn(federation, 'other');
    await signIn(federation, 'hub');
    world.oidc.behave();
    await signIn(federation, 'example');
  });

  test(`F11 a token endpoint that ${brokenAnswers[how]} is unavailable`, async () => {
    const federation = fresh();
    for (const provider of ['example', 'hub']) {
      const work = signIn(federation, provider, { person: 'ada', fault: `token:${how}` });
      expect(await problemFrom(work)).toMatchObject({
        code: 'upstream_unavailable',
        status: 502,
        details: details(provider),
      });
      await signIn(federation, provider);
    }
  });

  test(`F11 a key set that ${brokenAnswers[how]} is unavailable`, async () => {
    const federation = fresh();
    const work = signIn(federation, 'example', { person: 'ada', fault: `jwks:${how}` });
    expect(await problemFrom(work)).toMatchObject({ code: 'upstream_unavailable', status: 502 });
    await signIn(federation, 'example');
  });

  test(`F11 userinfo that ${brokenAnswers[how]} costs the name, at GitHub the sign-in`, async () => {
    const federation = fresh();
    world.oidc.behave('userinfo_only');
    const fault = `userinfo:${how}`;
    const { identity } = await signIn(federation, 'example', { person: 'ada', fault });
    expect(identity.subject).toBe('person-ada-1815');
    const work = signIn(federation, 'hub', { person: 'ada', fault: `user:${how}` });
    expect(await problemFrom(work)).toMatchObject({ code: 'upstream_unavailable', status: 502 });
  });
}

test('F11 a compressed answer is measured after it is unpacked', async () => {
  const bomb = gzipSync(JSON.stringify({ issuer: 'x'.repeat(20 * 1024 * 1024) }));
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(bomb);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  try {
    const federation = world.again([
      { id: 'bomb', issuer: `http://127.0.0.1:${port}`, clientId: 'x', clientSecret: 'y' },
    ]);
    expect(await problemFrom(goThrough(federation, 'bomb'))).toMatchObject({
      code: 'provider_unavailable',
      status: 503,
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('F11 the whole exchange is bounded, whatever its requests do', async () => {
  const never = () => new Promise<Response>(() => {});
  const unbounded = world.again([world.providers.example], never, 200);
  expect(await problemFrom(goThrough(unbounded, 'example'))).toMatchObject({
    code: 'provider_unavailable',
  });
  const query = await goThrough(world.federation, 'example');
  expect(await problemFrom(unbounded.finish(query, 'browser-1'))).toMatchObject({
    code: 'upstream_unavailable',
    status: 502,
  });
});

test('F11 a dead provider is left alone after three tries, answers at once, and comes back', async () => {
  let alive = false;
  let requests = 0;
  const federation = world.again(Object.values(world.providers), (url, init) => {
    const toExample = new URL(url).origin === world.oidc.url;
    if (toExample) requests += 1;
    return toExample && !alive ? Promise.reject(new Error('refused')) : hasty(url, init);
  });
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const problem = await problemFrom(goThrough(federation, 'example'));
    expect(problem).toMatchObject({ code: 'provider_unavailable', status: 503 });
  }
  expect(requests).toBe(3);
  await signIn(federation, 'other');
  await signIn(federation, 'hub');

  alive = true;
  const paused = await problemFrom(goThrough(federation, 'example'));
  expect(paused.retryAfterSeconds).toBeGreaterThan(25);
  world.ahead = 31_000;
  await signIn(federation, 'example');
});

test('F11 while a provider is left alone, a callback uses up nothing and can be loaded again', async () => {
  let alive = true;
  const federation = world.again([world.providers.example], (url, init) =>
    alive ? hasty(url, init) : Promise.reject(new Error('refused')),
  );
  const waiting = await goThrough(federation, 'example');
  const queries = await Promise.all([1, 2, 3].map(() => goThrough(federation, 'example')));
  alive = false;
  for (const query of queries) {
    const problem = await problemFrom(federation.finish(query, 'browser-1'));
    expect(problem).toMatchObject({ code: 'upstream_unavailable', status: 502 });
  }
  const paused = await problemFrom(federation.finish(waiting, 'browser-1'));
  expect(paused).toMatchObject({ code: 'upstream_unavailable', status: 503 });
  expect(paused.retryAfterSeconds).toBeGreaterThan(25);
  alive = true;
  world.ahead = 31_000;
  expect((await federation.finish(waiting, 'browser-1')).identity.name).toBe('Ada Lovelace');
});

test('F11 answers, even bad ones, do not shut a provider: a stranger could send bad codes', async () => {
  const federation = fresh();
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const query = await goThrough(federation, 'example');
    query.set('code', 'a-bad-one');
    const problem = await problemFrom(federation.finish(query, 'browser-1'));
    expect(problem).toMatchObject({ code: 'upstream_error' });
  }
  await signIn(federation, 'example');
});

test('F11 an old discovery document is better than none', async () => {
  const federation = fresh();
  await signIn(federation, 'example');
  world.oidc.behave('discovery:error500');
  world.ahead = 2 * 60 * 60_000;
  await signIn(federation, 'example');
  world.ahead = 48 * 60 * 60_000;
  expect(await problemFrom(goThrough(federation, 'example'))).toMatchObject({
    code: 'provider_unavailable',
  });
});

test('F11 many that start at once cause one request for discovery', async () => {
  const federation = fresh();
  const path = '/.well-known/openid-configuration';
  const before = world.oidc.requests(path);
  await Promise.all(Array.from({ length: 30 }, () => goThrough(federation, 'example')));
  expect(world.oidc.requests(path)).toBe(before + 1);
});

test('a store that fails is not taken for a provider that fails', async () => {
  const query = await goThrough(world.federation, 'example');
  const failing = await startWorld();
  await failing.close();
  await expect(failing.federation.finish(query, 'browser-1')).rejects.not.toMatchObject({
    code: expect.stringMatching(/^(upstream|provider)_/),
  });
});

test('the log says which answer was not expected, and whose, without what was asked', async () => {
  const served = createServer((_request, answer) => {
    answer.writeHead(421);
    answer.end();
  });
  served.listen(0, '127.0.0.1');
  await once(served, 'listening');
  const base = `http://127.0.0.1:${(served.address() as AddressInfo).port}`;
  const cause = await fetch(`${base}/discovery?secret=1`);
  served.close();
  const error = new Error('it does not conform', { cause });
  expect(reasonOf(error)).toBe(`it does not conform; 421 from ${base}/discovery`);
});
