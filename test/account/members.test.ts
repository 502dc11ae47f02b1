/** The pages about members, accounts, settings and activity, over HTTP. */

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import { signIn, startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

let world: World;
let count = 0;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const address = (path: string, account: string, more: Record<string, string> = {}) =>
  `${world.issuer}/account/${path}?${new URLSearchParams({ account, ...more })}`;

interface Somebody {
  user: string;
  name: string;
  browser: Browser;
}

/** Somebody new, of these accounts, signed in. */
async function somebody(places: Record<string, string>): Promise<Somebody> {
  const { directory } = world.server;
  count += 1;
  const name = `Person ${count}`;
  const someone = { subject: `person-${count}`, name, email: `p${count}@example.org` };
  const user = `usr_p${count}`;
  const identities = [
    { provider: 'upstream', issuer: world.upstream.issuer, subject: someone.subject },
  ];
  await directory.createUser({ id: user, name, email: someone.email, identities });
  for (const [account, role] of Object.entries(places)) {
    if (role !== 'founder') await directory.addMember(account, user, [role]);
    else await directory.createAccount({ id: account, name: `Account ${account}`, owner: user });
  }
  const browser = world.browser();
  const [account = ''] = Object.keys(places);
  await signIn(world.issuer, browser, { someone, account });
  return { user, name, browser };
}

interface Office {
  account: string;
  owner: Somebody;
  admin: Somebody;
  member: Somebody;
}

async function office(): Promise<Office> {
  count += 1;
  const account = `acc_office${count}`;
  const owner = await somebody({ [account]: 'founder' });
  const admin = await somebody({ [account]: 'admin' });
  const member = await somebody({ [account]: 'member' });
  return { account, owner, admin, member };
}

const csrfOf = (page: Page) => /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';

/** Posts what no page showed, with a good CSRF value of this browser. */
async function post(
  { browser }: Somebody,
  path: string,
  fields: Record<string, string>,
): Promise<Page> {
  // An only owner has no form for leaving, others may have none for inviting.
  const { account = '' } = fields;
  const leaving = await browser.get(address('accounts/leave', account));
  const inviting = await browser.get(address('members/invite', account));
  const from = csrfOf(leaving) === '' ? inviting : leaving;
  const own = csrfOf(from);
  expect(own).not.toBe('');
  return browser.post(`${world.issuer}/account/${path}`, { csrf: own, ...fields }, { from });
}

const rolesOf = async (account: string, user: string) =>
  (await world.server.directory.membership(user, account))?.roles;

describe('the list of members', () => {
  test('shows a member who is there, and offers nothing that they may not do', async () => {
    const { account, owner, member } = await office();
    const page = await member.browser.get(address('members', account));
    expect(page.status).toBe(200);
    for (const name of [owner.name, member.name]) expect(page.text).toContain(name);
    expect(page.text).not.toMatch(/members\/(invite|role|remove)/);
    expect(page.forms.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('an admin may change members, and not the owner', async () => {
    const { account, owner, admin, member } = await office();
    const { text } = await admin.browser.get(address('members', account));
    expect(text).toContain(`user=${member.user}`);
    expect(text).not.toContain(`user=${owner.user}`);
    expect(text).not.toContain(`user=${admin.user}`);
  });

  test('is searched, and keeps what was typed', async () => {
    const { account, admin, member } = await office();
    const first = await admin.browser.get(address('members', account));
    const page = await admin.browser.submit(first, { fields: { search: member.name } });
    expect(page.text).toContain(`value="${member.name}"`);
    expect(page.text).not.toContain(`<span class="title">${admin.name}</span>`);
    const none = await admin.browser.get(address('members', account, { search: 'zzz' }));
    expect(none.text).toContain('No member with “zzz”');
  });

  test('says who waits and who is invited to those who may, and to nobody else', async () => {
    const { account, admin, member } = await office();
    const { invitations } = world.server.directory;
    await invitations.invite({ account, email: 'new@example.net', by: admin.user });
    const shown = await admin.browser.get(address('members', account));
    expect(shown.text).toContain('new@example.net');
    const hidden = await member.browser.get(address('members', account));
    expect(hidden.text).not.toContain('new@example.net');
  });
});

describe('one member', () => {
  test('gets another role, once, from the list to the list', async () => {
    const { account, owner, member } = await office();
    const list = await owner.browser.get(address('members', account));
    const href = list.links.find((link) =>
      link.href.includes(`role?account=${account}&user=${member.user}`),
    );
    const form = await owner.browser.follow(list, href?.href ?? '');
    const done = await owner.browser.submit(form, { fields: { role: 'admin' } });
    expect(done.text).toContain('The role was changed.');
    expect(await rolesOf(account, member.user)).toEqual(['admin']);
  });

  test('is removed after a page that says what happens', async () => {
    const { account, owner, member } = await office();
    const page = await owner.browser.get(address('members/remove', account, { user: member.user }));
    expect(page.text).toContain(`Remove ${member.name}?`);
    expect(await rolesOf(account, member.user)).toEqual(['member']);
    const done = await owner.browser.submit(page);
    expect(done.text).toContain('They no longer belong to the account.');
    expect(await rolesOf(account, member.user)).toBeUndefined();
    const again = await owner.browser.submit(page);
    expect(again.text).toContain('They did not belong to the account any more.');
  });

  test('is invited by a link that is shown once, where no e-mail is sent', async () => {
    const { account, admin } = await office();
    const form = await admin.browser.get(address('members/invite', account));
    const link = await admin.browser.submit(form, { fields: { email: '', role: 'member' } });
    expect(link.text).toMatch(/\/invitation\/tgi\./);
    const { rows } = await world.server.directory.invitations.list(account);
    expect(rows.map(({ document }) => [document.way, document.by])).toEqual([['link', admin.user]]);
    const bad = await admin.browser.submit(form, { fields: { email: 'a@@b', role: 'member' } });
    expect(bad.status).toBe(400);
    expect(bad.text).toContain('value="a@@b"');
  });

  test('who waits is let in or refused, and an invitation is withdrawn', async () => {
    const { account, admin } = await office();
    const stranger = await somebody({ [`${account}s`]: 'founder' });
    const { invitations } = world.server.directory;
    const { invitation } = await invitations.invite({ account, email: 'other@example.net' });
    expect(await invitations.accept(invitation.id, stranger.user)).toBe('waiting');
    const list = await admin.browser.get(address('members', account));
    expect(list.text).toContain(stranger.name);
    const done = await admin.browser.submit(list, { button: 'do=confirm' });
    expect(done.text).toContain('They are a member now.');
    expect(await rolesOf(account, stranger.user)).toEqual(['member']);
    await invitations.invite({ account, email: 'third@example.net' });
    const open = await admin.browser.get(address('members', account));
    const gone = await admin.browser.submit(open, { button: 'do=withdraw' });
    expect(gone.text).toContain('The invitation was withdrawn.');
    expect((await invitations.list(account)).rows).toEqual([]);
  });
});

describe('T74 the account of somebody else', () => {
  const pages = [
    'members',
    'members/invite',
    'members/role',
    'members/remove',
    'settings',
    'settings/domain',
    'activity',
    'accounts/leave',
  ];
  test('has no page for them, and is as if it were not there', async () => {
    const { account, owner } = await office();
    const foreign = await somebody({ [`${account}x`]: 'founder' });
    const query = { user: owner.user, domain: 'example.com' };
    const said = ({ status, text }: Page) => [status, text.replace(/req_[\w-]+/, '')];
    for (const path of pages) {
      const page = await foreign.browser.get(address(path, account, query));
      expect([path, page.status]).toEqual([path, 403]);
      expect(page.text).not.toContain(owner.name);
      const none = await foreign.browser.get(address(path, 'acc_none', query));
      expect(said(none)).toEqual(said(page));
    }
  });

  test('its people, its invitations and its domains cannot be named from one’s own', async () => {
    const { account, owner, member } = await office();
    const { directory } = world.server;
    const { invitation } = await directory.invitations.invite({ account, email: 'a@example.net' });
    await directory.domains.add(account, 'initech.example', owner.user);
    const own = `${account}x`;
    const foreign = await somebody({ [own]: 'founder' });
    const tries: [string, Record<string, string>][] = [
      ['members/remove', { user: member.user }],
      ['members/role', { user: member.user, role: 'admin' }],
      ['settings/owner', { to: member.user, afterwards: 'owner' }],
      ...['confirm', 'decline', 'resend', 'withdraw'].map(
        (act): [string, Record<string, string>] => [
          'members/invitation',
          { invitation: invitation.id, do: act },
        ],
      ),
      ...['prove', 'set', 'remove'].map((act): [string, Record<string, string>] => [
        'settings/domain',
        { domain: 'initech.example', do: act, mode: 'join', role: 'admin' },
      ]),
      ['accounts/offer', { offer: invitation.id, do: 'accept' }],
      ['accounts/offer', { offer: invitation.id, do: 'refuse' }],
      ['accounts/offer', { offer: account, do: 'join' }],
    ];
    for (const [path, fields] of tries) await post(foreign, path, { account: own, ...fields });
    expect(await rolesOf(account, member.user)).toEqual(['member']);
    expect((await directory.account(own))?.owners).toEqual([foreign.user]);
    expect((await directory.account(account))?.domains).toMatchObject([{ mode: 'ask' }]);
    expect((await directory.invitations.get(invitation.id))?.document.state).toBe('open');
    expect(await rolesOf(account, foreign.user)).toBeUndefined();
  });
});

describe('T75 crafted forms', () => {
  // What is refused leaves it as it is.
  let one: Office;
  beforeAll(async () => {
    one = await office();
  });
  const adminTries: [string, (o: Office) => Record<string, string>][] = [
    ['members/role', ({ owner }) => ({ user: owner.user, role: 'member' })],
    ['members/role', ({ member }) => ({ user: member.user, role: 'owner' })],
    ['members/role', ({ member }) => ({ user: member.user, role: 'auditor' })],
    ['members/role', ({ admin }) => ({ user: admin.user, role: 'owner' })],
    ['members/role', ({ admin }) => ({ user: admin.user, role: 'member' })],
    ['members/remove', ({ owner }) => ({ user: owner.user })],
    ['members/invite', () => ({ email: 'x@example.net', role: 'owner' })],
    ['settings/owner', ({ member }) => ({ to: member.user, afterwards: 'owner' })],
  ];
  test.each(adminTries)('an admin, to /account/%s: refused', async (path, fields) => {
    const page = await post(one.admin, path, { account: one.account, ...fields(one) });
    expect([400, 403]).toContain(page.status);
    await expectUntouched(one);
  });

  const memberTries: [string, (o: Office) => Record<string, string>][] = [
    ...adminTries,
    ['members/role', ({ member }) => ({ user: member.user, role: 'admin' })],
    ['members/remove', ({ admin }) => ({ user: admin.user })],
    ['members/invite', () => ({ email: 'x@example.net', role: 'member' })],
    ['members/invitation', () => ({ invitation: 'inv_1', do: 'confirm' })],
    ['settings/name', () => ({ name: 'Mine' })],
    ['settings/domains', () => ({ domain: 'mine.example' })],
    ['settings/domain', () => ({ domain: 'mine.example', do: 'remove' })],
  ];
  test.each(memberTries)('a member, to /account/%s: refused', async (path, fields) => {
    const page = await post(one.member, path, { account: one.account, ...fields(one) });
    expect(page.status).toBe(403);
    expect(page.text).toContain('You may not do this');
    await expectUntouched(one);
  });

  test('fields that no form has do nothing', async () => {
    const { account, admin, member } = one;
    const more = { owner: 'yes', roles: 'owner', by: one.owner.user, actor: one.owner.user };
    await post(admin, 'members/role', { account, user: member.user, role: 'member', ...more });
    await post(admin, 'settings/name', {
      account,
      name: `Account ${account}`,
      owners: admin.user,
      ...more,
    });
    expect(await rolesOf(account, member.user)).toEqual(['member']);
    expect(await world.server.directory.account(account)).toMatchObject({
      name: `Account ${account}`,
      owners: [one.owner.user],
    });
  });

  test('without its CSRF value nothing is done', async () => {
    const fields = { account: one.account, user: one.member.user, csrf: 'v1.forged' };
    const page = await post(one.owner, 'members/remove', fields);
    expect(page.status).toBe(403);
    await expectUntouched(one);
  });
});

async function expectUntouched({ account, owner, admin, member }: Office): Promise<void> {
  const roles = [owner, admin, member].map(({ user }) => rolesOf(account, user));
  expect(await Promise.all(roles)).toEqual([['owner'], ['admin'], ['member']]);
  const document = await world.server.directory.account(account);
  expect(document?.name).toBe(`Account ${account}`);
  expect(document?.domains).toBeUndefined();
  expect((await world.server.directory.invitations.list(account)).rows).toEqual([]);
}

describe('a page that is older than what holds', () => {
  test('a removed admin is told so in words, and nothing is done', async () => {
    const { account, admin, member } = await office();
    const page = await admin.browser.get(address('members/remove', account, { user: member.user }));
    await world.server.directory.removeMember(account, admin.user);
    const answer = await admin.browser.submit(page);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('<h1>');
    expect(answer.text).not.toMatch(/token|session/i);
    expect(await rolesOf(account, member.user)).toEqual(['member']);
    expect((await admin.browser.get(address('members', account))).status).toBe(403);
  });

  test('an admin who is a member now may not go on', async () => {
    const { account, admin, member } = await office();
    const page = await admin.browser.get(address('members/remove', account, { user: member.user }));
    await world.server.directory.setRoles(account, admin.user, ['member']);
    const answer = await admin.browser.submit(page);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('You may not do this');
    expect(await rolesOf(account, member.user)).toEqual(['member']);
  });
});

describe('accounts', () => {
  test('are shown with their role, and left after a page that says what happens', async () => {
    const { account, member } = await office();
    const list = await member.browser.get(`${world.issuer}/account/accounts`);
    expect(list.text).toContain(`Account ${account}`);
    expect(list.text).toContain('Member');
    const page = await member.browser.get(address('accounts/leave', account));
    const done = await member.browser.submit(page);
    expect(done.text).toContain('You left the account.');
    expect(done.text).not.toContain(`Account ${account}`);
    expect(await rolesOf(account, member.user)).toBeUndefined();
  });

  test('the only owner cannot leave, and is told what to do', async () => {
    const { account, owner } = await office();
    const page = await owner.browser.get(address('accounts/leave', account));
    expect(page.status).toBe(409);
    expect(page.text).toContain(`/account/settings/owner?account=${account}`);
    const csrf = csrfOf(await owner.browser.get(address('members/invite', account)));
    const url = `${world.issuer}/account/accounts/leave`;
    const answer = await owner.browser.post(url, { account, csrf }, { from: page });
    expect(answer.status).toBe(409);
    expect(await rolesOf(account, owner.user)).toEqual(['owner']);
  });

  test('many are searched and come in pages', async () => {
    const person = await somebody({ [`acc_many${(count += 1)}`]: 'founder' });
    const { directory } = world.server;
    const names = Array.from(
      { length: 119 },
      (_, index) => `Firm ${String(index).padStart(3, '0')}`,
    );
    for (const name of names) await directory.createAccount({ name, owner: person.user });
    const first = await person.browser.get(`${world.issuer}/account/accounts`);
    expect(first.text.match(/class="initials"/g)).toHaveLength(100);
    const second = await person.browser.follow(first, 'More accounts');
    expect(second.text.match(/class="initials"/g)).toHaveLength(20);
    const found = await person.browser.submit(first, { fields: { search: 'firm 042' } });
    expect(found.text.match(/class="initials"/g)).toHaveLength(1);
  });

  test('an invitation to their verified address is taken up there', async () => {
    const { account, admin } = await office();
    const { directory } = world.server;
    const invite = { account, email: 'grace@example.com', by: admin.user };
    await directory.invitations.invite(invite);
    const browser = world.browser();
    await signIn(world.issuer, browser, { person: 'grace', account: 'acc_initech' });
    const list = await browser.get(`${world.issuer}/account/accounts`);
    expect(list.text).toContain(`Account ${account}`);
    const done = await browser.submit(list, { button: 'do=accept' });
    expect(done.text).toContain('You are a member now.');
    expect(await rolesOf(account, 'usr_grace')).toEqual(['member']);
  });
});

describe('settings', () => {
  test('a member sees name and id, and changes nothing', async () => {
    const { account, member } = await office();
    const page = await member.browser.get(address('settings', account));
    expect(page.text).toContain(account);
    expect(page.forms).toEqual([]);
    expect(page.text).not.toContain('/account/close');
  });

  test('an admin renames it, and a bad name comes back with what is wrong', async () => {
    const { account, admin } = await office();
    const page = await admin.browser.get(address('settings', account));
    const bad = await admin.browser.submit(page, { fields: { name: ' ' }, form: 'settings/name' });
    expect(bad.status).toBe(400);
    expect(bad.text).toContain('id="name-problem"');
    const done = await admin.browser.submit(page, {
      fields: { name: 'Engines' },
      form: 'settings/name',
    });
    expect(done.text).toContain('The account has its new name.');
    expect((await world.server.directory.account(account))?.name).toBe('Engines');
  });

  test('a domain is added, shown with its record, changed and removed', async () => {
    const { account, admin } = await office();
    const page = await admin.browser.get(address('settings', account));
    const bad = await admin.browser.submit(page, {
      fields: { domain: 'gmail.com' },
      form: 'settings/domains',
    });
    expect(bad.status).toBe(400);
    expect(bad.text).toContain('value="gmail.com"');
    const domain = await admin.browser.submit(page, {
      fields: { domain: 'engines.example' },
      form: 'settings/domains',
    });
    expect(domain.text).toMatch(/_tollgate\.engines\.example/);
    const fields = { mode: 'join', role: 'member' };
    const set = await admin.browser.submit(domain, { button: 'do=set', form: 1, fields });
    expect(set.text).toContain('Saved.');
    const document = await world.server.directory.account(account);
    expect(document?.domains).toMatchObject([{ mode: 'join', roles: ['member'] }]);
    const gone = await admin.browser.submit(set, { button: 'do=remove', form: 2 });
    expect(gone.text).toContain('The domain was removed.');
    expect((await world.server.directory.account(account))?.domains).toBeUndefined();
  });

  test('an owner hands the account over and steps down', async () => {
    const { account, owner, admin } = await office();
    const page = await owner.browser.get(address('settings/owner', account));
    expect(page.text).toContain(admin.name);
    const none = await owner.browser.submit(page, { fields: { afterwards: 'member' } });
    expect(none.status).toBe(400);
    const fields = { to: admin.user, afterwards: 'member' };
    const done = await owner.browser.submit(page, { fields });
    expect(done.text).toContain('The account has a new owner.');
    expect((await world.server.directory.account(account))?.owners).toEqual([admin.user]);
    expect(await rolesOf(account, owner.user)).toEqual(['member']);
  });
});

describe('a form that was sent too late', () => {
  test('leads to a new sign-in, and back to the page of the same account', async () => {
    const { account, owner, admin } = await office();
    const page = await owner.browser.get(address('settings/owner', account));
    await world.server.directory.revokeUser(owner.user, 'operator');
    const stopAt = ({ pathname }: URL) => pathname === '/signin';
    const fields = { to: admin.user, afterwards: 'member' };
    const answer = await owner.browser.submit(page, { fields, stopAt });
    const back = new URL(answer.url).searchParams.get('return_to') ?? '';
    expect(back).toBe(address('settings/owner', account));
    expect((await world.server.directory.account(account))?.owners).toEqual([owner.user]);
  });
});

describe('activity', () => {
  test('says in sentences who did what, to those who may see it', async () => {
    const { account, owner, admin, member } = await office();
    const { directory, dispatcher } = world.server;
    await directory.setRoles(account, member.user, ['admin'], owner.user);
    // Records are in the order of milliseconds.
    await delay(3);
    await directory.removeMember(account, member.user, admin.user);
    await dispatcher.drain();
    const page = await admin.browser.get(address('activity', account));
    const said = page.text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
    expect(said).toContain(`${owner.name} gave ${member.name} another role: Admin.`);
    expect(said).toContain(`${admin.name} removed ${member.name}.`);
    expect(page.text).toContain('<time datetime=');
    expect(said.indexOf(' removed ')).toBeLessThan(said.indexOf('another role'));
    expect(page.text).not.toContain(member.user);
    const plain = await somebody({ [account]: 'member' });
    expect((await plain.browser.get(address('activity', account))).status).toBe(403);
  });
});
