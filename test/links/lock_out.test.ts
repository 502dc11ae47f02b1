/** `access.lockOut` over HTTP: no tokens without access, nothing ended by it, and a way back. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import { createProject } from '../../src/billing/projection.ts';
import { claimsOf, goThrough, redeem, refresh, signIn, startWorld } from '../kit/world.ts';
import { signInForCode } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

// Nobody listens there: the way ends. It is of the issuer's own site, as apps that use links must be.
const app = 'http://127.0.0.1:1';
const day = 86_400_000;
let world: World;
let ahead = 0;
const clock = () => Date.now() + ahead;

beforeAll(async () => {
  world = await startWorld({
    clock,
    config: {
      signin: { success: `${app}/` },
      signout: { success: `${app}/bye` },
      products: [
        {
          id: 'api',
          name: 'API',
          audience: 'https://api.example.com',
          plans: [{ id: 'team', name: 'Team', features: ['export'] }],
          access: { lockOut: true, pastDueDays: 7 },
        },
        { id: 'reports', name: 'Reports', audience: 'https://reports.example.com' },
      ],
    },
  });
});
afterAll(() => world?.close());
afterEach(() => {
  ahead = 0;
});

async function state(status: string, more: object = {}, account = 'acc_acme') {
  const { store, config } = world;
  const projection = { subscription: 'sub_1', status, plan: 'team', ...more };
  await createProject({ store, clock, config })(account, 'api', projection);
}

const byLink = async (path = '/signin'): Promise<[Browser, Page]> => {
  const browser = world.browser({ stopAt: (url) => url.origin === app });
  return [browser, await browser.get(`${world.issuer}${path}`)];
};
const fromApp = { origin: app, method: 'POST' };

async function toTheEnd(browser: Browser, first: Page): Promise<Page> {
  let page = first;
  for (const button of ['person=ada', 'account=acc_acme']) {
    const has = page.forms.some((form) =>
      form.buttons.some(({ name, value }) => `${name}=${value}` === button),
    );
    if (has) page = await browser.submit(page, { button });
  }
  return page;
}

describe('an account without access', () => {
  test('a refresh is refused, nothing is rotated or ended, and all goes on when it is paid', async () => {
    const { issuer } = world;
    await state('active');
    const tokens = await signIn(issuer, world.browser());
    expect(claimsOf(tokens.access_token)).toMatchObject({
      access: 'full',
      entitlements: ['export'],
    });

    await state('unpaid');
    for (let time = 0; time < 3; time += 1) {
      const { status, body } = await refresh(issuer, 'app', tokens.refresh_token);
      expect([status, body.error]).toEqual([400, 'invalid_grant']);
    }
    await state('active');
    const { status, body } = await refresh(issuer, 'app', tokens.refresh_token);
    expect(status).toBe(200);
    expect(claimsOf(body.access_token)).toMatchObject({ access: 'full' });
  });

  test('a code is refused', async () => {
    const { issuer } = world;
    await state('active');
    const code = await signInForCode(issuer, world.browser());
    await state('canceled');
    expect((await redeem(issuer, code)).body.error).toBe('invalid_grant');
  });

  test('time alone locks it, and the links say so: the cookie is kept', async () => {
    const { issuer } = world;
    await state('past_due', { pastDueSince: Date.now(), periodEnd: Date.now() + 30 * day });
    const [browser, first] = await byLink();
    await goThrough(browser, first);
    const ask = () => browser.fetch(`${issuer}/refresh?product=api`, fromApp);
    const early = JSON.parse((await ask()).text) as Record<string, string>;
    expect(claimsOf(early.access_token)).toMatchObject({
      access: 'full',
      subscription_status: 'past_due',
    });
    ahead = 7 * day + 60_000;
    const late = await ask();
    expect([late.status, JSON.parse(late.text)]).toMatchObject([
      403,
      { error: { code: 'account_locked' } },
    ]);
    // The other product is not sold, and not locked.
    const other = await browser.fetch(`${issuer}/refresh?product=reports`, fromApp);
    expect(other.status).toBe(200);
    ahead = 0;
    expect((await ask()).status).toBe(200);
  });

  test('/signin for the product ends on a page that says so, and goes on when it is paid', async () => {
    await state('unpaid');
    const [browser, first] = await byLink('/signin?product=api');
    const page = await toTheEnd(browser, first);
    expect(page.status).toBe(403);
    expect(page.text).toContain('A payment for Acme is late');
    await state('active');
    const next = await browser.get(page.url);
    expect([next.stopped, next.url]).toEqual([true, `${app}/`]);
    const { text } = await browser.fetch(`${world.issuer}/refresh?product=api`, fromApp);
    expect(claimsOf((JSON.parse(text) as Record<string, string>).access_token)).toMatchObject({
      access: 'full',
    });
  });

  test('another account can be chosen from there, and the chooser marks the locked one', async () => {
    await state('unpaid');
    await state('active', {}, 'acc_globex');
    const [browser, first] = await byLink('/signin?product=api');
    const page = await toTheEnd(browser, first);
    const chooser = await browser.submit(page, { button: 'choose' });
    expect(chooser.text).toContain('Choose an account');
    expect(chooser.text.match(/On hold/g)?.length).toBeGreaterThan(0);
    const end = await browser.submit(chooser, { button: 'account=acc_globex' });
    expect(end.stopped).toBe(true);
  });

  test('signing in for what is not locked works', async () => {
    await state('unpaid');
    const [browser, first] = await byLink();
    const address = await goThrough(browser, first);
    expect(address.href).toBe(`${app}/`);
  });

  test('an app that asks without showing anything is told that somebody has to be asked', async () => {
    const { issuer } = world;
    await state('active');
    const browser = world.browser();
    await signIn(issuer, browser);
    await state('unpaid');
    const url = new URL(`${issuer}/oauth2/authorize`);
    const parameters = {
      client_id: 'app',
      response_type: 'code',
      redirect_uri: 'https://app.example.com/callback',
      scope: 'openid',
      prompt: 'none',
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const { url: end } = await browser.get(url.href);
    expect(new URL(end).searchParams.get('error')).toBe('interaction_required');
  });
});
