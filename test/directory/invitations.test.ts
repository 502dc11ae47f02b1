/** Invitations in the directory: who is invited by whom as what, and what becomes of it. */

import { beforeEach, describe, expect, test } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import type { Directory, PeopleSettings } from '../../src/directory/directory.ts';
import type { NewInvitation } from '../../src/directory/invitation_types.ts';
import { openWorld } from '../events/world.ts';
import type { World } from '../events/world.ts';
import { handleAll, identity, problemOf, rolesOf } from './world.ts';

const account = 'acc_office';
const newest = 'the newest secret of all, of thirty-two bytes';
const older = 'an older secret, which has thirty-two bytes too';
const day = 86_400_000;

let world: World;
let directory: Directory;
let settings: PeopleSettings;

const over = (secrets: string[]) =>
  createDirectory({
    store: world.store,
    clock: world.clock,
    log: world.log,
    registration: 'open',
    people: () => settings,
    secrets: createSecrets(secrets),
  });

beforeEach(async () => {
  world = await openWorld();
  settings = {
    roles: [
      { id: 'admin', may: ['members'] },
      { id: 'editor', may: [] },
      { id: 'member', may: [] },
    ],
    invitationDays: 7,
    domains: true,
  };
  directory = over([newest]);
  for (const name of ['ada', 'ben', 'eve']) await directory.createUser({ id: name, name });
  await directory.createAccount({ id: account, name: 'Office', owner: 'ada' });
});

const invite = async (input: Partial<NewInvitation> = {}) =>
  (await directory.invitations.invite({ account, by: 'ada', ...input })).invitation;
const stateOf = async (id: string) => (await directory.invitations.get(id))?.document.state;

function wait(ms: number): void {
  world.now += ms;
}

let people = 0;
/** Somebody who signs in with this address. */
async function comes(email: string, emailVerified = true): Promise<string> {
  people += 1;
  const who = identity(`person${people}`, { email, emailVerified });
  return (await directory.signIn(who, { invited: true })).user.id;
}

async function eventsOf(type: string): Promise<number> {
  return (await world.store.pending(1000)).filter((event) => event.type === type).length;
}

describe('inviting', () => {
  test('is to the last role where none is named', async () => {
    expect((await invite()).document).toMatchObject({ roles: ['member'], way: 'link', by: 'ada' });
  });

  test('twice is to be reminded: one invitation, with a new end and these roles', async () => {
    const first = await invite({ email: 'Kim@Example.com' });
    wait(3 * day);
    const wish = { account, by: 'ada', email: ' kim@example.COM ', roles: ['editor'] };
    const again = await directory.invitations.invite(wish);
    expect(again.isNew).toBe(false);
    expect(again.invitation.id).toBe(first.id);
    expect(again.invitation.document).toMatchObject({ roles: ['editor'], sends: 2 });
    expect(again.invitation.document.expiresAt).toBe(world.clock() + 7 * day);
    expect(await eventsOf('invitation.created')).toBe(1);
    expect(await eventsOf('invitation.resent')).toBe(1);
  });

  test('by five at the same moment makes one', async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 5 }, () => invite({ email: 'kim@example.com' })),
    );
    const ids = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value.id] : []));
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(1);
    expect((await directory.invitations.list(account)).rows).toHaveLength(1);
  });

  test('again is something new once the first is answered, and goes on once it has run out', async () => {
    const first = await invite({ email: 'kim@example.com' });
    wait(8 * day);
    expect((await directory.invitations.list(account)).rows).toEqual([]);
    expect((await invite({ email: 'kim@example.com' })).id).toBe(first.id);
    await directory.invitations.withdraw(account, first.id, 'ada');
    expect((await invite({ email: 'kim@example.com' })).id).not.toBe(first.id);
  });

  test('T75 nobody gives more than they have', async () => {
    await directory.addMember(account, 'ben', ['admin']);
    await directory.addMember(account, 'eve', ['member']);
    const attempt = (by: string, roles: string[]) => problemOf(invite({ by, roles }));
    expect(await attempt('ben', ['member'])).toBeUndefined();
    expect(await attempt('ben', ['admin'])).toBeUndefined();
    expect(await attempt('ben', ['owner'])).toBe('not_allowed');
    expect(await attempt('ben', ['unknown'])).toBe('not_allowed');
    expect(await attempt('eve', ['member'])).toBe('not_allowed');
    expect(await attempt('nobody', ['member'])).toBe('not_allowed');
    expect(await attempt('ada', ['owner'])).toBeUndefined();
  });

  test('T72 addresses that look alike, or become the same, are refused or are others', async () => {
    const refused = [
      'kim',
      'kim@localhost',
      'kim@exam\u034Fple.com',
      'k\u0456m@example.com',
      'kim@example.com,eve@example.com',
      'kim\u202E@example.com',
      'kim@ex\u00ADample.com',
    ];
    for (const email of refused) {
      expect(await problemOf(invite({ email })), email).toBe('email_invalid');
    }
    // Cyrillic letters in the domain show, and are another domain.
    const { document } = await invite({ email: 'kim@ex\u0430mple.com' });
    expect(document.email).toBe('kim@xn--exmple-4nf.com');
    const kim = await comes('kim@example.com');
    expect((await directory.invitations.of(kim)).open).toEqual([]);
  });

  test('T72 an address that only becomes the invited one by normalising is not verified', async () => {
    const { id } = await invite({ email: 'user@example.com' });
    const eve = await comes('u\u017Fer@example.com');
    expect(await directory.invitations.accept(id, eve)).toBe('waiting');
  });

  test('again changes nothing of what they could not give themselves', async () => {
    settings.roles = [{ id: 'helper', may: ['members'] }, ...settings.roles];
    settings.roles = settings.roles.map((role) =>
      role.id === 'admin' ? { ...role, may: ['members', 'settings'] } : role,
    );
    await directory.addMember(account, 'ben', ['helper']);
    const { id } = await invite({ email: 'kim@example.com', roles: ['admin'] });
    const lowered = invite({ by: 'ben', email: 'kim@example.com', roles: ['member'] });
    expect(await problemOf(lowered)).toBe('not_allowed');
    const { roles, by } = (await directory.invitations.get(id))?.document ?? {};
    expect({ roles, by }).toEqual({ roles: ['admin'], by: 'ada' });
    // Once it has run out it is in nobody's way.
    wait(8 * day);
    const again = await invite({ by: 'ben', email: 'kim@example.com', roles: ['member'] });
    expect(again.document).toMatchObject({ roles: ['member'], by: 'ben' });
  });

  test('writes to nobody more often by withdrawing in between', async () => {
    const again = async () => {
      const { id } = await invite({ email: 'kim@example.com' });
      await directory.invitations.withdraw(account, id, 'ada');
    };
    for (let sent = 1; sent <= 5; sent += 1) await again();
    expect(await problemOf(again())).toBe('too_many_invitations');
    expect(await problemOf(invite({ email: 'lee@example.com' }))).toBeUndefined();
    wait(day);
    expect(await problemOf(again())).toBeUndefined();
  });

  test('is limited: by invitation, and by account', async () => {
    const { id } = await invite({ email: 'kim@example.com' });
    for (let sent = 2; sent <= 5; sent += 1) await directory.invitations.resend(account, id, 'ada');
    const next = directory.invitations.resend(account, id, 'ada');
    expect(await problemOf(next)).toBe('too_many_invitations');
    await world.store.bump(`invitations ${account}`, 200, 1000);
    expect(await problemOf(invite())).toBe('too_many_invitations');
    // Operators know what they do.
    expect(await problemOf(directory.invitations.invite({ account }))).toBeUndefined();
  });

  test('to what is closed, or is not there, is refused', async () => {
    expect(await problemOf(invite({ account: 'acc_none' }))).toBe('account_unknown');
    const { id } = await invite({ email: 'kim@example.com' });
    await directory.closeAccount(account);
    expect(await problemOf(directory.invitations.invite({ account }))).toBe('account_closed');
    expect((await directory.invitations.list(account)).rows).toEqual([]);
    const kim = await comes('kim@example.com');
    expect(await directory.invitations.of(kim)).toEqual({ open: [], waiting: [] });
    expect(await problemOf(directory.invitations.accept(id, kim))).toBe('account_closed');
  });
});

describe('the token', () => {
  test('is the same each time, holds through a change of the secret, and ends with it', async () => {
    const { id } = await invite();
    const token = directory.invitations.token(id);
    expect(token).toBe(directory.invitations.token(id));
    const rotated = over([older, newest]);
    expect((await rotated.invitations.byToken(token))?.id).toBe(id);
    expect(await over([older]).invitations.byToken(token)).toBeUndefined();
  });

  test('T75 of another id, another purpose or another spelling is none', async () => {
    const { id } = await invite();
    const other = await invite();
    const token = directory.invitations.token(id);
    const mac = createSecrets([newest]).mac('csrf', id);
    const [, version = ''] = token.split('.');
    const forged = [
      token.replace(id, other.id),
      `tgi.${version}.${id}.${mac}`,
      `${token}.`,
      token.slice(0, -1),
      token.toUpperCase(),
      '',
      'x'.repeat(100_000),
    ];
    for (const one of forged) expect(await directory.invitations.byToken(one)).toBeUndefined();
  });
});

describe('accepting', () => {
  test('by whose address it is, whatever its letters', async () => {
    const { id } = await invite({ email: 'Kim@example.com', roles: ['editor'] });
    const kim = await comes('kim@Example.com');
    expect((await directory.invitations.of(kim)).open.map((one) => one.invitation.id)).toEqual([
      id,
    ]);
    expect(await directory.invitations.accept(id, kim)).toBe('joined');
    expect(await rolesOf(directory, kim, account)).toEqual(['editor']);
    expect(await directory.invitations.accept(id, kim)).toBe('member');
    expect(await eventsOf('invitation.accepted')).toBe(1);
    expect((await directory.invitations.of(kim)).open).toEqual([]);
    // Somebody who was removed does not come back by the same link.
    await directory.removeMember(account, kim);
    expect(await problemOf(directory.invitations.accept(id, kim))).toBe('invitation_over');
  });

  test('by somebody whose address it was, and is not any more, waits', async () => {
    const { id } = await invite({ email: 'kim@work.example' });
    const kim = await comes('kim@work.example');
    const other = identity(`person${people}`, { email: 'kim@home.example', emailVerified: true });
    await directory.signIn(other);
    expect(await directory.invitations.accept(id, kim)).toBe('waiting');
  });

  test.each([
    ['an address that is not verified', 'kim@example.com', false],
    ['another address', 'eve@example.com', true],
  ])('by somebody with %s waits, and is confirmed', async (_name, email, verified) => {
    const { id } = await invite({ email: 'kim@example.com', roles: ['editor'] });
    const other = await comes(email, verified);
    expect(await directory.invitations.accept(id, other)).toBe('waiting');
    expect(await directory.invitations.accept(id, other)).toBe('waiting');
    expect(await rolesOf(directory, other, account)).toBeUndefined();
    expect(await directory.invitations.waiting(account)).toBe(1);
    expect((await directory.invitations.of(other)).waiting).toHaveLength(1);
    await directory.addMember(account, 'ben', ['member']);
    const byBen = directory.invitations.confirm(account, id, 'ben');
    expect(await problemOf(byBen)).toBe('not_allowed');
    await directory.invitations.confirm(account, id, 'ada');
    await directory.invitations.confirm(account, id, 'ada');
    expect(await rolesOf(directory, other, account)).toEqual(['editor']);
    expect(await directory.invitations.waiting(account)).toBe(0);
    expect(await eventsOf('invitation.accepted')).toBe(1);
  });

  test('whoever it was sent to comes in though somebody else waits', async () => {
    const { id } = await invite({ email: 'kim@example.com' });
    const eve = await comes('eve@example.com');
    await directory.invitations.accept(id, eve);
    const kim = await comes('kim@example.com');
    expect(await directory.invitations.accept(id, kim)).toBe('joined');
    expect(await problemOf(directory.invitations.confirm(account, id, 'ada'))).toBeUndefined();
    expect(await rolesOf(directory, eve, account)).toBeUndefined();
  });

  test('is declined by who may, and by whom it is for', async () => {
    const { id } = await invite({ email: 'kim@example.com' });
    const eve = await comes('eve@example.com');
    expect(await directory.invitations.refuse(id, eve)).toBe(false);
    await directory.invitations.accept(id, eve);
    await directory.invitations.decline(account, id, 'ada');
    expect(await stateOf(id)).toBe('declined');
    expect(await problemOf(directory.invitations.accept(id, eve))).toBe('invitation_over');
    expect(await problemOf(directory.invitations.confirm(account, id, 'ada'))).toBe(
      'invitation_over',
    );
    const other = await invite({ email: 'kim@example.com' });
    const kim = await comes('kim@example.com');
    expect(await directory.invitations.refuse(other.id, kim)).toBe(true);
    expect(await problemOf(directory.invitations.accept(other.id, kim))).toBe('invitation_over');
  });

  test('is not possible where the inviter may not any more, until somebody else sends it again', async () => {
    await directory.addMember(account, 'ben', ['admin']);
    const { id } = await invite({ by: 'ben', email: 'kim@example.com' });
    await directory.setRoles(account, 'ben', ['member']);
    const kim = await comes('kim@example.com');
    expect(await problemOf(directory.invitations.accept(id, kim))).toBe('invitation_over');
    expect((await directory.invitations.of(kim)).open).toEqual([]);
    await directory.invitations.resend(account, id, 'ada');
    expect(await directory.invitations.accept(id, kim)).toBe('joined');
  });

  test('is not possible either where somebody else was brought to wait by it before', async () => {
    await directory.addMember(account, 'ben', ['admin']);
    const { id } = await invite({ by: 'ben', email: 'kim@example.com', roles: ['admin'] });
    const other = await comes('other@example.com', false);
    expect(await directory.invitations.accept(id, other)).toBe('waiting');
    await directory.removeMember(account, 'ben');
    const kim = await comes('kim@example.com');
    expect(await problemOf(directory.invitations.accept(id, kim))).toBe('invitation_over');
    expect(await rolesOf(directory, kim, account)).toBeUndefined();
    // Whoever has the right may still confirm who waits.
    await directory.invitations.confirm(account, id, 'ada');
    expect(await rolesOf(directory, other, account)).toEqual(['admin']);
  });

  test('by who waits and has verified the address since is left to a confirmation as well', async () => {
    await directory.addMember(account, 'ben', ['admin']);
    const { id } = await invite({ by: 'ben', email: 'kim@example.com' });
    const kim = await comes('kim@example.com', false);
    expect(await directory.invitations.accept(id, kim)).toBe('waiting');
    await directory.setRoles(account, 'ben', ['member']);
    const verified = { email: 'kim@example.com', emailVerified: true };
    await directory.signIn(identity(`person${people}`, verified));
    expect(await directory.invitations.accept(id, kim)).toBe('waiting');
    await directory.invitations.confirm(account, id, 'ada');
    expect(await rolesOf(directory, kim, account)).toEqual(['member']);
  });

  test('ends with its end', async () => {
    const { id } = await invite({ email: 'kim@example.com' });
    const kim = await comes('kim@example.com');
    wait(7 * day);
    expect(await problemOf(directory.invitations.accept(id, kim))).toBe('invitation_over');
  });

  test('T74 by a name of another account does nothing', async () => {
    const { id } = await invite({ email: 'kim@example.com' });
    await directory.createAccount({ id: 'acc_other', name: 'Other', owner: 'eve' });
    const { invitations } = directory;
    const attempts = [
      invitations.withdraw('acc_other', id, 'eve'),
      invitations.resend('acc_other', id, 'eve'),
      invitations.confirm('acc_other', id, 'eve'),
      invitations.decline('acc_other', id, 'eve'),
    ];
    for (const attempt of attempts) expect(await problemOf(attempt)).toBe('invitation_unknown');
    for (const what of ['withdraw', 'resend', 'confirm', 'decline'] as const) {
      expect(await problemOf(invitations[what](account, id, 'eve'))).toBe('not_allowed');
    }
    expect(await stateOf(id)).toBe('open');
  });
});

describe('a link', () => {
  test('is good for one of ten who take it at the same moment', async () => {
    const { id } = await invite();
    const users = await Promise.all(
      Array.from({ length: 10 }, (_, index) => comes(`guest${index}@example.com`)),
    );
    const answers = await Promise.all(
      users.map((user) => problemOf(directory.invitations.accept(id, user))),
    );
    expect(answers.filter((one) => one === undefined)).toHaveLength(1);
    const codes = new Set(answers.filter((one) => one !== undefined));
    expect([...codes].every((code) => code === 'busy' || code === 'invitation_over')).toBe(true);
    const roles = await Promise.all(users.map((user) => rolesOf(directory, user, account)));
    expect(roles.filter((one) => one !== undefined)).toHaveLength(1);
  });

  test('two tabs of one person come in once', async () => {
    const { id } = await invite();
    const kim = await comes('kim@example.com');
    const accept = () => directory.invitations.accept(id, kim);
    await Promise.all([accept(), accept(), accept()]);
    expect(await eventsOf('member.added')).toBe(1);
    expect(await eventsOf('invitation.accepted')).toBe(1);
  });

  test('a member who tries it does not use it up', async () => {
    const { id } = await invite();
    expect(await directory.invitations.accept(id, 'ada')).toBe('member');
    expect(await stateOf(id)).toBe('open');
  });

  test('withdrawn while it is taken ends in one of both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await invite();
      const guest = await comes(`guest${round}@example.com`);
      const [accepted, withdrawn] = await Promise.allSettled([
        directory.invitations.accept(id, guest),
        directory.invitations.withdraw(account, id, 'ada'),
      ]);
      const isIn = (await rolesOf(directory, guest, account)) !== undefined;
      expect(await stateOf(id)).toBe(isIn ? 'accepted' : 'withdrawn');
      expect(accepted.status === 'fulfilled').toBe(isIn);
      const wasWithdrawn = withdrawn.status === 'fulfilled' && withdrawn.value;
      expect(wasWithdrawn).toBe(!isIn);
    }
  });
});

describe('a member by another way', () => {
  test('needs no invitation any more', async () => {
    const { id } = await invite({ email: 'kim@example.com' });
    const kim = await comes('kim@example.com');
    await directory.addMember(account, kim, ['member']);
    await handleAll(world, world.store, directory);
    expect(await stateOf(id)).toBe('accepted');
    expect((await directory.invitations.list(account)).rows).toEqual([]);
  });
});

describe('the list', () => {
  test('has pages, without what is over', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 12; count += 1) {
      wait(1);
      ids.push((await invite()).id);
    }
    await directory.invitations.withdraw(account, ids[3] ?? '', 'ada');
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await directory.invitations.list(account, { after, limit: 4 });
      expect(page.rows.length).toBeLessThanOrEqual(4);
      seen.push(...page.rows.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(ids.filter((_, index) => index !== 3).toReversed());
  });

  test('is of those that are of use, behind however many that have run out', async () => {
    const { store } = world;
    const past = { account, roles: ['member'], way: 'link' as const, state: 'open' as const };
    const times = { createdAt: world.now, expiresAt: world.now };
    const writes = Array.from({ length: 1200 }, (_, count) =>
      store.write('invitation', `inv_0${count}`, { ...past, ...times }, { expect: 'absent' }),
    );
    await Promise.all(writes);
    const kim = await comes('kim@example.com', false);
    const waiting = await invite({ email: 'kim@example.com' });
    await directory.invitations.accept(waiting.id, kim);
    for (let count = 0; count < 50; count += 1) {
      wait(1);
      await invite();
    }
    const { rows } = await directory.invitations.list(account);
    expect(rows).toHaveLength(50);
    const confirmable = await directory.invitations.list(account, { state: 'waiting' });
    expect(confirmable.rows.map(({ id }) => id)).toEqual([waiting.id]);
  });

  test('leaves out who waits and is not active any more', async () => {
    const { id } = await invite({ email: 'kim@example.com' });
    const eve = await comes('eve@example.com');
    await directory.invitations.accept(id, eve);
    await directory.setUserStatus(eve, 'disabled');
    expect((await directory.invitations.list(account)).rows).toEqual([]);
    expect(await directory.invitations.waiting(account)).toBe(0);
    const confirmed = directory.invitations.confirm(account, id, 'ada');
    expect(await problemOf(confirmed)).toBe('invitation_over');
  });
});

test('who waits by one that has run out waits by the next that they accept', async () => {
  const kim = await comes('kim@example.com', false);
  const first = await invite({ email: 'kim@example.com' });
  expect(await directory.invitations.accept(first.id, kim)).toBe('waiting');
  wait(7 * day);
  expect(await directory.invitations.waiting(account)).toBe(0);
  const second = await invite({ email: 'kim@work.example' });
  expect(await directory.invitations.accept(second.id, kim)).toBe('waiting');
  expect(await stateOf(second.id)).toBe('waiting');
  expect(await directory.invitations.waiting(account)).toBe(1);
});
