/** A session's cookie is worth nothing after a sign-in that its holder did not do. */

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { StoredCookie } from '../../dev/cookie_jar.ts';
import type { Browser } from '../../dev/walk.ts';
import { authorizationRequest, goThrough, signIn } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { silently, startProtocolWorld, travel } from '../protocol/kit.ts';
import { atUpstream, cookieOf, plant } from './kit.ts';

const name = 'tollgate_session';
let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

const arrive = (...cookies: StoredCookie[]): Browser => {
  const browser = world.browser({ clock: () => Date.now() });
  plant(world, browser, ...cookies);
  return browser;
};

/** Declines to sign out, after which the cookie is the next one of the same session. */
async function stepOn(cookie: StoredCookie): Promise<StoredCookie> {
  const holder = arrive(cookie);
  const page = await holder.get(`${world.issuer}/oauth2/logout?client_id=app`);
  const fields = page.forms.flatMap((form) => form.fields);
  const xsrf = fields.find((field) => field.name === 'xsrf')?.value ?? '';
  await holder.post(`${world.issuer}/oauth2/logout/confirm`, { xsrf }, { from: page });
  const next = cookieOf(holder, name);
  expect(next.value).not.toBe(cookie.value);
  return next;
}

async function outcomeOf(browser: Browser): Promise<string> {
  const { parameters } = await silently(world.issuer, browser, 'app');
  return parameters.get('error') ?? (parameters.has('code') ? 'code' : 'nothing');
}

test('T59 a cookie from before the sign-in, stepped on meanwhile, does not open the session', async () => {
  const planter = arrive();
  await planter.get(`${world.issuer}/oauth2/logout?client_id=app`);
  let known = cookieOf(planter, name);
  const person = arrive(known);
  const request = authorizationRequest(world.issuer, 'app');
  const door = await person.get(request.url, { stopAt: atUpstream(world) });
  const generations = [known.value];
  for (let step = 0; step < 3; step += 1) {
    known = await stepOn(known);
    generations.push(known.value);
  }
  await goThrough(person, await person.get(door.url), { person: 'grace' });

  for (const value of generations) {
    expect(await outcomeOf(arrive({ ...known, value }))).toBe('login_required');
  }
  expect(await outcomeOf(person)).toBe('code');
});

test('T59 a copy of the cookie ends with the step-up, though it was stepped on meanwhile', async () => {
  const person = arrive();
  await signIn(world.issuer, person, { person: 'grace' });
  const copied = cookieOf(person, name);
  expect(await outcomeOf(arrive(copied))).toBe('code');
  travel(10);
  const request = authorizationRequest(world.issuer, 'app', { prompt: 'login' });
  const door = await person.get(request.url, { stopAt: atUpstream(world) });
  const stepped = await stepOn(copied);
  expect(await outcomeOf(arrive(stepped))).toBe('code');
  await goThrough(person, await person.get(door.url), { person: 'grace' });

  for (const cookie of [copied, stepped]) {
    expect(await outcomeOf(arrive(cookie))).toBe('login_required');
  }
  expect(await outcomeOf(person)).toBe('code');
});
