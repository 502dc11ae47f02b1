import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimsOf, refresh, signIn } from '../kit/world.ts';
import { hidden, startPersonWorld } from './person_world.ts';
import type { PersonWorld } from './person_world.ts';

let world: PersonWorld;
beforeAll(async () => {
  world = await startPersonWorld();
});
afterAll(() => world?.close());

const stored = async (user: string) => (await world.store.get('user', user))?.document;

test('a name that they type is what apps are told, and stays when they sign in again', async () => {
  const browser = await world.enter('ada');
  const tokens = await signIn(world.issuer, browser, {
    parameters: { prompt: 'none', account: 'acc_acme' },
  });
  expect(claimsOf(tokens.id_token).name).toBe('Ada Lovelace');
  const page = await world.open(browser, '/account');
  expect(page.visible).toContain('ada@example.com');
  const saved = await browser.submit(page, {
    form: '/account/profile',
    fields: { name: '  Countess of Lovelace ', locale: 'de' },
  });
  expect(saved).toMatchObject({ status: 200, url: `${world.issuer}/account?done=saved` });
  expect(saved.visible).toContain('Saved.');
  const { body } = await refresh(world.issuer, 'app', tokens.refresh_token);
  expect(claimsOf(body.id_token)).toMatchObject({ name: 'Countess of Lovelace', locale: 'de' });
  expect(await world.told('user.changed', 'usr_ada')).toEqual([{ user: 'usr_ada' }]);

  await world.enter('ada');
  expect(await stored('usr_ada')).toMatchObject({
    name: 'Countess of Lovelace',
    locale: 'de',
    own: ['name', 'locale'],
    said: { name: 'Ada Lovelace', locale: 'en-GB' },
  });
  const back = await browser.submit(await world.open(browser, '/account'), {
    form: '/account/profile/forget',
  });
  expect(back.url).toBe(`${world.issuer}/account?done=forgotten`);
  const { own, said, ...rest } = (await stored('usr_ada'))!;
  expect({ own, said }).toEqual({ own: undefined, said: undefined });
  expect(rest).toMatchObject({ name: 'Ada Lovelace', locale: 'en-GB' });
  expect(back.visible).not.toContain('You typed some of this');
});

test('what cannot be a name or a language is said beside its field, and kept to be put right', async () => {
  const browser = await world.enter('grace');
  const before = await stored('usr_grace');
  const page = await world.open(browser, '/account');
  const form = '/account/profile';
  const noName = await browser.submit(page, { form, fields: { name: '\u202Eevil' } });
  expect(noName.status).toBe(400);
  expect(noName.text).toMatch(/aria-invalid="true"/);
  expect(noName.visible).toContain('Type a name of 1 to 120');
  const noLanguage = await browser.post(
    `${world.issuer}/account/profile`,
    {
      csrf: hidden(page, form, 'csrf'),
      name: 'New',
      locale: 'x-made-up',
    },
    { from: page },
  );
  expect(noLanguage.status).toBe(400);
  expect(noLanguage.forms.flatMap(({ fields }) => fields)).toContainEqual(
    expect.objectContaining({ name: 'name', value: 'New' }),
  );
  expect(await stored('usr_grace')).toEqual(before);
});

test('T75 what else a crafted form says has no effect, and saving the same writes nothing', async () => {
  const browser = await world.enter('grace');
  const page = await world.open(browser, '/account');
  const before = await world.store.get('user', 'usr_grace');
  const crafted = {
    csrf: hidden(page, '/account/profile', 'csrf'),
    name: 'Grace Hopper',
    locale: 'en-US',
    email: 'root@example.com',
    emailVerified: 'true',
    user: 'usr_ada',
    status: 'deleted',
    own: 'email',
    __proto__: 'x',
  };
  const answer = await browser.post(`${world.issuer}/account/profile`, crafted, { from: page });
  expect(answer.status).toBe(200);
  expect(await world.store.get('user', 'usr_grace')).toEqual(before);
});

test('a page of somebody who was signed in here before changes nothing for who is now', async () => {
  const browser = await world.enter('ada');
  const old = await world.open(browser, '/account');
  const again = await world.open(browser, `/signin?again=yes&return_to=${world.issuer}/account`);
  const now = await world.into(browser, again, { person: 'grace' });
  expect(now.visible).toContain('grace@example.com');
  const before = await stored('usr_grace');
  const sent = await browser.submit(old, {
    form: '/account/profile',
    fields: { name: 'Ada again' },
  });
  expect(sent.status).toBe(403);
  expect(sent.visible).toContain('This page is out of date');
  expect(await stored('usr_grace')).toEqual(before);
  expect((await stored('usr_ada'))?.name).toBe('Ada Lovelace');
});

test('who is not signed in signs in, and comes to the page that they wanted', async () => {
  const browser = world.browser();
  const page = await world.into(browser, await world.open(browser, '/account/apps'));
  expect(page).toMatchObject({ status: 200, url: `${world.issuer}/account/apps` });
  // A form that comes too late: nothing happens, and the page is there again.
  const form = await world.open(browser, '/account');
  await browser.get(`${world.issuer}/signout`);
  const late = await browser.submit(form, { form: '/account/profile', fields: { name: 'Late' } });
  const back = await world.into(browser, late);
  expect(back).toMatchObject({ status: 200, url: `${world.issuer}/account` });
  expect((await stored('usr_ada'))?.name).toBe('Ada Lovelace');
  const foreign = await world.browser().post(`${world.issuer}/account/profile`, { name: 'x' });
  expect(foreign.status).toBe(403);
});
