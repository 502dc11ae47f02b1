import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { goThrough, problemFrom, startWorld } from './world.ts';
import type { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.ahead = 0;
  world.oidc.behave();
});

const begun = { interaction: 'interaction-1', provider: 'example' };

test('F6 a state that is missing, made up, doubled or endless belongs to no sign-in', async () => {
  const real = (await goThrough(world.federation, 'example')).get('state') ?? '';
  const finish = (query: string) =>
    problemFrom(world.federation.finish(new URLSearchParams(query), 'browser-1'));
  for (const query of ['', 'code=x', 'state=&code=x', `state=${real}&state=${real}&code=x`]) {
    expect(await finish(query)).toMatchObject({ code: 'signin_expired', status: 400 });
  }
  for (const state of ['guess', 'x'.repeat(100_000), `${real}x`, real.slice(1)]) {
    expect(await finish(`state=${state}&code=x`)).toMatchObject({
      code: 'signin_expired',
      status: 410,
      details: {},
    });
  }
});

test('F6 a sign-in that took longer than ten minutes is over', async () => {
  const query = await goThrough(world.federation, 'example');
  world.ahead = 600_000 + 1000;
  const problem = await problemFrom(world.federation.finish(query, 'browser-1'));
  expect(problem).toMatchObject({ code: 'signin_expired', status: 410 });
  await world.store.sweep(Date.now() + world.ahead);
  const again = await problemFrom(world.federation.finish(query, 'browser-1'));
  expect(again).toMatchObject({ code: 'signin_expired', status: 410 });
});

test('F6 of twenty parallel callbacks one goes on, and the code is sent once', async () => {
  const query = await goThrough(world.federation, 'example');
  const before = world.oidc.requests('/token');
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, () => world.federation.finish(query, 'browser-1')),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    expect(outcome.reason).toMatchObject({
      code: 'signin_already_used',
      status: 409,
      details: { interaction: 'interaction-1' },
    });
  }
  expect(world.oidc.requests('/token')).toBe(before + 1);
});

test('F9 the back button after a success finds a friendly "already done", and burns nothing', async () => {
  const query = await goThrough(world.federation, 'example');
  await world.federation.finish(query, 'browser-1');
  const before = world.oidc.requests('/token');
  const problem = await problemFrom(world.federation.finish(query, 'browser-1'));
  expect(problem).toMatchObject({ code: 'signin_already_used', status: 409 });
  expect(world.oidc.requests('/token')).toBe(before);
});

test('F7 an answer in another browser is refused, and the right browser can still go on', async () => {
  const query = await goThrough(world.federation, 'example');
  for (const browser of ['browser-2', '', undefined]) {
    const problem = await problemFrom(world.federation.finish(query, browser));
    expect(problem).toMatchObject({
      code: 'signin_other_browser',
      status: 403,
      details: { interaction: 'interaction-1' },
    });
  }
  const { identity } = await world.federation.finish(query, 'browser-1');
  expect(identity.name).toBe('Ada Lovelace');
});

test('F5 T27 an answer that names another issuer is refused, and its code is sent nowhere', async () => {
  const before = [world.oidc.requests('/token'), world.other.requests('/token')];
  const finish = async (change: (query: URLSearchParams) => void) => {
    const query = await goThrough(world.federation, 'example');
    change(query);
    return problemFrom(world.federation.finish(query, 'browser-1'));
  };
  const refused = { code: 'upstream_error', status: 502, details: begun };
  // The other provider's answer, with this provider's state.
  expect(await finish((query) => query.set('iss', world.other.issuer))).toMatchObject(refused);
  expect(await finish((query) => query.set('iss', ''))).toMatchObject(refused);
  expect(await finish((query) => query.append('iss', world.other.issuer))).toMatchObject(refused);
  // Promised in discovery, and missing.
  expect(await finish((query) => query.delete('iss'))).toMatchObject(refused);
  expect(await finish((query) => query.append('code', 'another'))).toMatchObject(refused);
  expect(await finish((query) => query.delete('code'))).toMatchObject(refused);
  expect([world.oidc.requests('/token'), world.other.requests('/token')]).toEqual(before);
});

test('F5 a code of one provider is worth nothing in the sign-in of another', async () => {
  const evil = await goThrough(world.federation, 'other');
  const honest = await goThrough(world.federation, 'example');
  const before = world.other.requests('/token');
  const mixed = new URLSearchParams(honest);
  mixed.set('code', evil.get('code') ?? '');
  const problem = await problemFrom(world.federation.finish(mixed, 'browser-1'));
  expect(problem).toMatchObject({ code: 'upstream_error', status: 502 });
  expect(world.other.requests('/token')).toBe(before);
});

test('F5 GitHub promises no `iss`, but a foreign one is refused all the same', async () => {
  const query = await goThrough(world.federation, 'hub');
  query.set('iss', world.oidc.issuer);
  const before = world.github.requests('/login/oauth/access_token');
  const problem = await problemFrom(world.federation.finish(query, 'browser-1'));
  expect(problem).toMatchObject({ code: 'upstream_error', status: 502 });
  expect(world.github.requests('/login/oauth/access_token')).toBe(before);
});

test('F17 a provider that is gone, or is another one now, does not finish what it began', async () => {
  const query = await goThrough(world.federation, 'example');
  const gone = world.again([world.providers.other]);
  const refused = { code: 'provider_unknown', status: 404, details: begun };
  expect(await problemFrom(gone.finish(query, 'browser-1'))).toMatchObject(refused);

  const before = world.other.requests('/token');
  const moved = world.again([{ ...world.providers.example, issuer: world.other.issuer }]);
  expect(await problemFrom(moved.finish(query, 'browser-1'))).toMatchObject(refused);
  expect(world.other.requests('/token')).toBe(before);
});

test('F17 a sign-in that one process began is finished by another', async () => {
  const query = await goThrough(world.federation, 'example');
  const elsewhere = world.again(Object.values(world.providers));
  const { identity } = await elsewhere.finish(query, 'browser-1');
  expect(identity.name).toBe('Ada Lovelace');
});

test('F10 what an upstream says in an error reaches the log only: once, short and harmless', async () => {
  for (const provider of ['example', 'hub']) {
    world.log.length = 0;
    const query = await goThrough(world.federation, provider, {
      person: 'ada',
      fault: 'error_text',
    });
    query.set('error_description', `<script>\r\n${'A'.repeat(100_000)}`);
    query.set('error', `evil\u001b[31m${'B'.repeat(1000)}`);
    const problem = await problemFrom(world.federation.finish(query, 'browser-1'));
    expect(problem).toMatchObject({ code: 'upstream_error', status: 502 });
    expect(JSON.stringify([problem.message, problem.details])).not.toMatch(/script|AAAA|evil/);
    expect(world.log).toHaveLength(1);
    const line = JSON.stringify(world.log[0]);
    expect(line).toContain('<script>??AAA');
    expect(line.length).toBeLessThan(1000);
    expect(line).not.toMatch(/\\[rnu]/);
  }
});

test('F10 an error with a foreign or doubled sender is an error too', async () => {
  const query = await goThrough(world.federation, 'example', { refuse: 'yes' });
  query.append('error', 'access_denied');
  const problem = await problemFrom(world.federation.finish(query, 'browser-1'));
  expect(problem).toMatchObject({ code: 'upstream_error' });
});
