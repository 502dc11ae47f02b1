import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readMarkup } from '../../dev/markup.ts';
import { app, issuer, locationOf, startLinks } from './app.ts';
import type { LinkApp } from './app.ts';

let world: LinkApp;
beforeEach(async () => {
  world = await startLinks();
  world.jar.take(new URL(issuer), ['__Host-tollgate=tgr.mine; Path=/; Secure; HttpOnly']);
});
afterEach(() => world.close());

const ended = ['session ended: signed_out', 'revoked: tgr.mine'];
const cookie = () => world.jar.all().find(({ name }) => name === '__Host-tollgate')?.value;
const clicked = (site: string) => ({
  'Sec-Fetch-Site': site,
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  Accept: 'text/html',
});
const form = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' };

describe('GET /signout', () => {
  test.each(['same-origin', 'same-site', 'none'])('%s ends everything at once', async (site) => {
    const answer = await world.visit('/signout', { headers: clicked(site) });
    expect([answer.status, locationOf(answer).href]).toEqual([303, 'https://www.example.com/bye']);
    expect(world.oidc.events).toEqual(ended);
    expect(cookie()).toBeUndefined();
  });

  test('T44 T56 a link of another site, an image, a frame and a prefetch only ask', async () => {
    const own = clicked('same-site');
    for (const headers of [
      clicked('cross-site'),
      { Accept: 'text/html' },
      { ...own, 'Sec-Fetch-Dest': 'image' },
      { ...own, 'Sec-Fetch-Dest': 'iframe' },
      { ...own, 'Sec-Purpose': 'prefetch;prerender' },
    ]) {
      const answer = await world.visit('/signout', { headers });
      expect([answer.status, readMarkup(answer.text).forms[0]?.method]).toEqual([200, 'POST']);
    }
    await world.visit('/signout', { method: 'HEAD', headers: own });
    expect(world.oidc.events).toEqual([]);
    expect(cookie()).toBe('tgr.mine');
  });

  test('T57 F8 return_to leads to listed origins only, and nothing ends before it is looked at', async () => {
    const good = await world.visit(`/signout?return_to=${app}/bye`, { headers: clicked('none') });
    expect(locationOf(good).href).toBe(`${app}/bye`);
    world.oidc.events.length = 0;
    for (const address of ['https://evil.test/', '//evil.test', `${app}.evil.test/`]) {
      const path = `/signout?return_to=${encodeURIComponent(address)}`;
      const answer = await world.visit(path, { headers: clicked('same-origin') });
      expect([answer.status, answer.headers['location']]).toEqual([400, undefined]);
    }
    expect(world.oidc.events).toEqual([]);
  });

  test('scope says how far it goes, and what is none of the three ends nothing', async () => {
    const visit = (scope: string) =>
      world.visit(`/signout?scope=${scope}`, { headers: clicked('same-site') });
    for (const scope of ['App', 'everything', 'all,app', 'session']) {
      expect((await visit(scope)).status).toBe(400);
    }
    expect([world.oidc.events, cookie()]).toEqual([[], 'tgr.mine']);
    expect((await visit('app')).status).toBe(303);
    expect([world.oidc.events, cookie()]).toEqual([
      ['links ended', 'revoked: tgr.mine'],
      undefined,
    ]);
  });

  test('T56 other devices are never signed out by a link alone', async () => {
    const answer = await world.visit('/signout?scope=everywhere', { headers: clicked('none') });
    const fields = readMarkup(answer.text).forms[0]?.fields.map(({ name, value }) => [name, value]);
    expect([answer.status, world.oidc.events]).toEqual([200, []]);
    expect(fields).toContainEqual(['scope', 'everywhere']);
  });

  test('where the session cannot be ended, nobody is told that it was', async () => {
    world.oidc.failure = new Error('the disk is gone');
    const answer = await world.visit('/signout', { headers: clicked('none') });
    expect(answer.status).toBe(500);
    expect(cookie()).toBe('tgr.mine');
    await world.close();
    world = await startLinks({ signout: { success: `${app}/`, failed: `${app}/failed` } });
    world.oidc.failure = new Error('the disk is gone');
    const told = await world.visit('/signout', { headers: clicked('none') });
    expect(locationOf(told).href).toBe(`${app}/failed?error=temporarily_unavailable`);
  });
});

describe('POST /signout', () => {
  test('the page that asks does it, and ends where it was asked to', async () => {
    const path = `/signout?return_to=${encodeURIComponent(`${app}/bye`)}`;
    const asked = await world.visit(path, { headers: clicked('cross-site') });
    const fields = readMarkup(asked.text).forms[0]?.fields ?? [];
    const body = new URLSearchParams(fields.map(({ name, value }) => [name, value])).toString();
    // Our pages have no referrer, so their forms come with the origin `null`.
    const headers = { ...form, Origin: 'null', 'Sec-Fetch-Site': 'same-origin' };
    const answer = await world.visit('/signout', { method: 'POST', headers, body });
    expect([answer.status, readMarkup(answer.text).refresh]).toEqual([200, `${app}/bye`]);
    expect(world.oidc.events).toEqual(ended);
    expect(cookie()).toBeUndefined();
  });

  test('the person chooses there how far it goes', async () => {
    const asked = await world.visit('/signout', { headers: clicked('cross-site') });
    const fields = readMarkup(asked.text).forms[0]?.fields ?? [];
    const sent = [...fields.map(({ name, value }) => [name, value]), ['scope', 'app']];
    const body = new URLSearchParams(sent).toString();
    const headers = { ...form, Origin: 'null', 'Sec-Fetch-Site': 'same-origin' };
    await world.visit('/signout', { method: 'POST', headers, body });
    expect(world.oidc.events).toEqual(['links ended', 'revoked: tgr.mine']);
  });

  test('an app posts it with its own origin', async () => {
    const headers = { ...form, Origin: app, 'Sec-Fetch-Site': 'same-site' };
    const answer = await world.visit('/signout', { method: 'POST', headers, body: '' });
    expect(answer.status).toBe(200);
    expect(world.oidc.events).toEqual(ended);
  });

  test('T44 a form of another site changes nothing, with or without a guessed field', async () => {
    for (const body of ['', 'csrf=x', 'csrf=a.b']) {
      for (const origin of ['https://evil.test', 'null']) {
        const headers = { ...form, Origin: origin, 'Sec-Fetch-Site': 'cross-site' };
        const answer = await world.visit('/signout', { method: 'POST', headers, body });
        expect([answer.status, answer.text]).toEqual([403, '<p>form_foreign</p>']);
      }
    }
    expect(world.oidc.events).toEqual([]);
    expect(cookie()).toBe('tgr.mine');
  });
});
