/** `auth_time` is when the person signed in, however long they look at the pages that follow. */

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { authorizationRequest, claimsOf, redeem } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { silently, startProtocolWorld, travel } from '../protocol/kit.ts';
import { parametersOf } from './kit.ts';

const halfAnHour = 1800;
let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

const seconds = () => Math.floor(Date.now() / 1000);

test('T38 who thinks half an hour about the account signed in half an hour ago', async () => {
  const browser = world.browser({ clock: () => Date.now() });
  const request = authorizationRequest(world.issuer, 'app', { max_age: '3600' });
  const door = await browser.get(request.url);
  travel(60);
  const signedInAt = seconds();
  const chooser = await browser.submit(door, { button: 'person=ada' });
  travel(halfAnHour);
  const end = await browser.submit(chooser, { button: 'account=acc_acme' });
  const code = parametersOf(end).get('code') ?? '';
  const { body } = await redeem(world.issuer, { ...request, code });
  expect(claimsOf(body.id_token).auth_time).toBe(signedInAt);

  // An app that asks for a sign-in of the last twenty minutes is not told that this was one.
  const stale = await silently(world.issuer, browser, 'app', { max_age: '1200' });
  expect(stale.parameters.get('error')).toBe('login_required');
  const recent = await silently(world.issuer, browser, 'app', { max_age: '3600' });
  expect(recent.parameters.get('code')).not.toBeNull();
});
