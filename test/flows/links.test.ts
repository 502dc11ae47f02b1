import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, goThrough, startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

// Nobody listens there: the way ends. It is of the issuer's own site, as apps that use links must be.
const app = 'http://127.0.0.1:1';
let world: World;

beforeAll(async () => {
  world = await startWorld({
    config: { signin: { success: `${app}/` }, signout: { success: `${app}/bye` } },
  });
});

afterAll(() => world.close());

describe('an app that uses only links', () => {
  test('signs in, refreshes from two tabs at once, signs out, and is refused then', async () => {
    const { issuer } = world;
    const browser = world.browser({ stopAt: (url) => url.origin === app });
    const arrived = await goThrough(browser, await browser.get(`${issuer}/signin`));
    expect(arrived.href).toBe(`${app}/`);

    const refresh = () => browser.fetch(`${issuer}/refresh`, { origin: app, method: 'POST' });
    const tabs = await Promise.all([refresh(), refresh(), refresh()]);
    for (const { status, text, readable } of tabs) {
      expect({ status, readable }).toEqual({ status: 200, readable: true });
      const { access_token: accessToken, token_type: type, ...rest } = JSON.parse(text);
      expect(claimsOf(accessToken)).toMatchObject({
        sub: 'usr_ada',
        account: 'acc_acme',
        client_id: 'tollgate-links',
        aud: 'https://api.example.com',
      });
      expect({ type, rest }).toEqual({ type: 'Bearer', rest: { expires_in: 900 } });
    }
    expect((await refresh()).status).toBe(200);

    const out = await browser.get(`${issuer}/signout`);
    expect(out.url).toBe(`${app}/bye`);
    const refused = await refresh();
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'login_required' } });
  });
});
