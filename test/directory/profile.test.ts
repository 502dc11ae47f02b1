import { expect, test } from 'vitest';
import { identity, openDirectory, problemOf } from './world.ts';

const ada = identity('ada', { name: 'Ada', locale: 'en', email: 'ada@example.com' });

async function world() {
  const { directory, settle } = await openDirectory();
  const { user } = await directory.signIn(ada);
  const now = async () => (await directory.user(user.id))?.document;
  return { directory, settle, id: user.id, now };
}

test('what is typed stands over what a provider says, which is kept beside', async () => {
  const { directory, id, now } = await world();
  expect(await directory.changeProfile(id, { name: ' Countess  of Lovelace' })).toBe(true);
  await directory.signIn({ ...ada, name: 'Ada King', locale: 'fr' });
  expect(await now()).toMatchObject({
    name: 'Countess of Lovelace',
    locale: 'fr',
    own: ['name'],
    said: { name: 'Ada King' },
  });
  expect(await directory.forgetOwnProfile(id)).toBe(true);
  const { own, said, ...rest } = (await now())!;
  expect({ own, said, name: rest.name }).toEqual({
    own: undefined,
    said: undefined,
    name: 'Ada King',
  });
  expect(await directory.forgetOwnProfile(id)).toBe(false);
});

test('no language is a word of theirs, too', async () => {
  const { directory, id, now } = await world();
  await directory.changeProfile(id, { locale: '' });
  await directory.signIn(ada);
  expect((await now())?.locale).toBeUndefined();
  await directory.forgetOwnProfile(id);
  expect((await now())?.locale).toBe('en');
});

test('the same again is no change: nothing is written, and nothing becomes theirs', async () => {
  const { directory, id, now, settle } = await world();
  expect(await directory.changeProfile(id, { name: 'Ada', locale: 'en' })).toBe(false);
  expect((await now())?.own).toBeUndefined();
  expect((await settle()).some(({ type }) => type === 'user.changed')).toBe(false);
  await directory.changeProfile(id, { name: 'Ada L' });
  expect((await settle()).filter(({ type }) => type === 'user.changed')).toHaveLength(1);
});

test('T72 no name that turns the writing, none that is empty; of nobody who may not act', async () => {
  const { directory, id } = await world();
  for (const name of ['', '   ', '\u202Eevil', 'a\u0000b', 'x'.repeat(121)]) {
    expect(await problemOf(directory.changeProfile(id, { name }))).toBe('name_invalid');
  }
  expect(await problemOf(directory.changeProfile(id, { locale: 'no such_' }))).toBe(
    'locale_invalid',
  );
  expect(await problemOf(directory.changeProfile('nobody', { name: 'x' }))).toBe('user_unknown');
  await directory.setUserStatus(id, 'disabled');
  expect(await problemOf(directory.changeProfile(id, { name: 'x' }))).toBe('user_disabled');
});
