/**
 * A store that cannot be reached was a bare 500 wherever the library asked it: clients took it for a defect, and had
 * no word of when to come again.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import type { Store } from '../../src/storage/store.ts';
import { freezing } from '../kit/freezing.ts';
import { openEmpty } from '../kit/places.ts';
import { authorizationRequest, refresh, signIn, startWorld, token } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

let base: Store;
let world: World;
let isAway = false;

beforeAll(async () => {
  base = await openEmpty(Date.now);
  const store: Store = {
    ...freezing(base),
    get: (kind, id) => (isAway ? Promise.reject(away()) : base.get(kind, id)),
  };
  world = await startWorld({ store });
});

afterAll(async () => {
  await world.close();
  await base.close();
});

const away = () =>
  new Problem('store_unavailable', 503, 'The database cannot be reached.', {
    retryAfterSeconds: 3,
  });

test('endpoints of the library say that they are there again soon', async () => {
  const { issuer } = world;
  const browser = world.browser();
  const tokens = await signIn(issuer, browser);
  isAway = true;
  const answers = [
    await refresh(issuer, 'app', tokens.refresh_token),
    await token(issuer, 'app', { token: tokens.refresh_token ?? '' }, '/oauth2/revoke'),
    await token(issuer, 'app', { token: tokens.refresh_token ?? '' }, '/oauth2/introspect'),
  ];
  for (const { status, body, headers } of answers) {
    expect({ status, error: body.error }).toEqual({
      status: 503,
      error: 'temporarily_unavailable',
    });
    expect(headers.get('retry-after')).toBe('3');
  }
  const page = await browser.get(authorizationRequest(issuer, 'app').url);
  expect(page.status).toBe(503);
  expect(page.headers['retry-after']).toBe('3');
  expect(page.visible).toContain('cannot reach your data');
  isAway = false;
  expect((await refresh(issuer, 'app', tokens.refresh_token)).status).toBe(200);
});
