import { expect, test } from 'vitest';
import { identity, openDirectory, problemOf } from './world.ts';

const [google, other] = ['https://accounts.google.com', 'https://other.example'];

async function world() {
  const { directory, store, settle } = await openDirectory();
  const identities = [
    { provider: 'google', issuer: google, subject: 'ada' },
    { provider: 'other', issuer: other, subject: 'ada' },
  ];
  await directory.createUser({ id: 'ada', name: 'Ada', identities });
  return { directory, store, settle };
}

test('an identity is unlinked: it is nobody’s, and is told of once', async () => {
  const { directory, settle } = await world();
  expect(await directory.unlinkIdentity('ada', google, 'ada')).toBe(true);
  expect(await directory.unlinkIdentity('ada', google, 'ada')).toBe(false);
  const { user } = await directory.signIn(identity('ada'));
  expect(user.id).not.toBe('ada');
  const told = (await settle()).filter(({ type }) => type === 'identity.unlinked');
  expect(told.map(({ data }) => data)).toEqual([
    { user: 'ada', provider: 'google', issuer: google },
  ]);
});

test('never the last one, also when both are unlinked at once', async () => {
  const { directory } = await world();
  const both = [google, other].map((issuer) =>
    problemOf(directory.unlinkIdentity('ada', issuer, 'ada')),
  );
  expect((await Promise.all(both)).toSorted()).toEqual(['last_identity', undefined]);
  expect((await directory.user('ada'))?.document.identities).toHaveLength(1);
});

test('of somebody who is not there, or not any more: nothing', async () => {
  const { directory } = await world();
  expect(await problemOf(directory.unlinkIdentity('ben', google, 'ada'))).toBe('user_unknown');
  await directory.setUserStatus('ada', 'deleted');
  expect(await problemOf(directory.unlinkIdentity('ada', google, 'ada'))).toBe('user_unknown');
});

test('roles are told as tokens say them', async () => {
  const { directory, settle } = await world();
  await directory.createUser({ id: 'ben' });
  await directory.createAccount({ id: 'acc_office', name: 'Office', owner: 'ada' });
  await directory.addMember('acc_office', 'ben', ['member']);
  const told = await directory.setRoles('acc_office', 'ben', ['owner', 'member']);
  const { roles } = (await directory.membership('ben', 'acc_office')) ?? {};
  const changed = (await settle()).filter(({ type }) => type === 'member.changed');
  expect(told).toEqual(roles);
  expect(changed.map(({ data }) => data.roles)).toEqual([roles]);
});

test('an identity is linked once, is told of, and signs in from then on', async () => {
  const { directory, settle } = await world();
  const third = identity('third', { email: 'third@example.com' });
  expect(await directory.linkIdentity('ada', third)).toBe(true);
  expect(await directory.linkIdentity('ada', third)).toBe(false);
  expect((await directory.signIn(third)).user.id).toBe('ada');
  const told = (await settle()).filter(({ type }) => type === 'identity.linked');
  expect(told.map(({ data }) => data)).toEqual([
    { user: 'ada', provider: 'google', issuer: google },
  ]);
});

test('of two people who link the same at once one has it, and whoever signs up by it may be faster', async () => {
  const { directory } = await world();
  await directory.createUser({ id: 'ben' });
  const wanted = identity('wanted');
  const both = ['ada', 'ben'].map((user) => problemOf(directory.linkIdentity(user, wanted)));
  expect((await Promise.all(both)).toSorted()).toEqual(['identity_taken', undefined]);
  const somebody = await directory.signIn(identity('new'));
  expect(await problemOf(directory.linkIdentity('ada', identity('new')))).toBe('identity_taken');
  expect((await directory.signIn(identity('new'))).user.id).toBe(somebody.user.id);
});

test('nothing is linked to who may not act, nor without end', async () => {
  const { directory } = await world();
  expect(await problemOf(directory.linkIdentity('nobody', identity('x')))).toBe('user_unknown');
  expect(await problemOf(directory.linkIdentity('ada', identity('')))).toBe('identity_invalid');
  for (let index = 0; index < 18; index += 1) {
    await directory.linkIdentity('ada', identity(`more-${index}`));
  }
  expect(await problemOf(directory.linkIdentity('ada', identity('one more')))).toBe(
    'too_many_identities',
  );
  await directory.setUserStatus('ada', 'disabled');
  expect(await problemOf(directory.linkIdentity('ada', identity('x')))).toBe('user_disabled');
});

test('an address goes with who vouched for it, and is not verified by nobody', async () => {
  const { directory } = await world();
  const email = 'ada@acme.example';
  await directory.signIn(identity('ada', { email, emailVerified: true }));
  await directory.unlinkIdentity('ada', google, 'ada');
  const { document } = (await directory.user('ada'))!;
  expect(document).not.toHaveProperty('email');
  expect(document).not.toHaveProperty('emailVerified');
});

test('another one’s address takes its place, with what that one says of it', async () => {
  const { directory } = await world();
  const elsewhere = { provider: 'other', issuer: other, subject: 'ada' };
  await directory.signIn(identity('ada', { ...elsewhere, email: 'ada@other.example' }));
  await directory.signIn(identity('ada', { email: 'ada@acme.example', emailVerified: true }));
  await directory.unlinkIdentity('ada', google, 'ada');
  const { document } = (await directory.user('ada'))!;
  expect([document.email, document.emailVerified]).toEqual(['ada@other.example', undefined]);
});
