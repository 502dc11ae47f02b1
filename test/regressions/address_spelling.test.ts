/** Each address has one spelling: what is ruled by address cannot be walked around by another. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizationRequest } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { startProtocolWorld } from '../protocol/kit.ts';
import { send } from '../robustness/raw.ts';

let world: World;
let query = '';

beforeAll(async () => {
  world = await startProtocolWorld();
  query = new URL(authorizationRequest(world.issuer, 'app').url).search;
});

afterAll(() => world.close());

const ask = async (path: string, method = 'GET') =>
  (await send(world.port, { path, method, headers: [['Accept', 'text/html']] })).status;

describe('T77 an address in other letters', () => {
  const spellings = [
    ['/OAUTH2/AUTHORIZE', '/Oauth2/authorize', '/oauth2/Authorize', '/oauth2/LOGOUT'],
    ['/SIGNIN', '/SignIn', '/SIGNIN/upstream', '/SIGNOUT', '/Interaction/x', '/REFRESH'],
    ['/Integrations/oauth2/callback', '/integrations/OAUTH2/callback', '/HEALTH/live'],
    ['/%6fauth2/authorize', '/oauth2//authorize', '//oauth2/authorize', '/%53ignin'],
  ].flat();
  test.each(spellings)('%s is not there', async (path) => {
    expect(await ask(`${path}${query}`)).toBe(404);
    // One at which nothing is posted says so, whatever it is called.
    expect([404, 405]).toContain(await ask(`${path}${query}`, 'POST'));
  });
});

describe('T77 the addresses as they are written down', () => {
  const known: [string, number][] = [
    ['/oauth2/authorize', 303],
    ['/signin', 303],
    ['/oauth2/logout', 200],
    ['/health/live', 200],
    ['/oauth2/jwks', 200],
  ];
  test.each(known)('%s is there', async (path, status) => {
    const asked = path === '/oauth2/authorize' ? `${path}${query}` : path;
    expect(await ask(asked)).toBe(status);
  });
});
