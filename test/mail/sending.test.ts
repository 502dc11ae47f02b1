/** From what happens to an e-mail that has arrived, over a real connection. */

import { describe, expect, test } from 'vitest';
import { openMailSink } from '../kit/mail_sink.ts';
import { openEmpty } from '../kit/places.ts';
import { startServer } from '../kit/server.ts';
import { openMailWorld, single, verify } from './world.ts';

const day = 24 * 60 * 60 * 1000;

describe('an invitation', () => {
  test('comes to its address, with all that one has to know, and a link that works', async () => {
    const world = await openMailWorld();
    const { invitations } = world.server.directory;
    const wish = {
      account: 'acc_acme',
      by: 'usr_ada',
      email: 'nora@example.net',
      roles: ['admin'],
    };
    const { invitation } = await invitations.invite(wish);
    await world.settle();
    const mail = single(world.sink.mails);
    expect(mail.envelope).toEqual({ from: 'id@example.com', to: ['nora@example.net'] });
    expect(mail.subject).toBe('Ada invites you to “Acme”');
    const link = `${world.issuer}/invitation/${invitations.token(invitation.id)}`;
    expect(mail.links).toEqual([link]);
    for (const part of [mail.text, mail.html]) {
      for (const word of ['Acme', 'Admin', 'Ada', 'Example', link, 'did not expect this']) {
        expect(part).toContain(word);
      }
    }
    const headers = Object.fromEntries(mail.headers.map(({ name, value }) => [name, value]));
    expect(headers).toMatchObject({
      'auto-submitted': 'auto-generated',
      from: 'Example <id@example.com>',
      to: 'nora@example.net',
    });
    expect(await world.mails()).toMatchObject([{ state: 'sent', template: 'invitation' }]);
    // Neither the address nor the link is kept with it.
    expect(JSON.stringify(await world.mails())).not.toMatch(/nora@|invitation\/tg/);
  });

  test('that is a link goes to nobody', async () => {
    const world = await openMailWorld();
    await world.server.directory.invitations.invite({ account: 'acc_acme', by: 'usr_ada' });
    await world.settle();
    expect(await world.mails()).toEqual([]);
  });

  test('sent again comes again, as another e-mail', async () => {
    const world = await openMailWorld();
    const { invitations } = world.server.directory;
    const wish = { account: 'acc_acme', by: 'usr_ada', email: 'nora@example.net' };
    const { invitation } = await invitations.invite(wish);
    await world.settle();
    world.now += 5 * 60_000;
    await invitations.resend('acc_acme', invitation.id, 'usr_ada');
    await world.settle();
    expect(world.sink.mails).toHaveLength(2);
    expect(new Set(world.sink.mails.map(({ messageId }) => messageId)).size).toBe(2);
  });

  test('sent again comes to whom it is for, though a stranger waits by it', async () => {
    const world = await openMailWorld();
    const { directory } = world.server;
    const { invitations } = directory;
    const wish = { account: 'acc_acme', by: 'usr_ada', email: 'nora@example.net' };
    const { invitation } = await invitations.invite(wish);
    await world.settle();
    const { id: stranger } = await directory.createUser({ name: 'Stranger' });
    expect(await invitations.accept(invitation.id, stranger)).toBe('waiting');
    world.now += 5 * 60_000;
    expect((await invitations.invite(wish)).isNew).toBe(false);
    await world.settle();
    const sent = world.sink.mails.filter(({ envelope }) =>
      envelope.to.includes('nora@example.net'),
    );
    expect(sent).toHaveLength(2);
  });

  test.each(['withdrawn', 'expired', 'closed', 'gone inviter'])(
    '%s before it is sent: it is not',
    async (how) => {
      let isUp = false;
      const world = await openMailWorld({
        smtp: {
          onConnect: (_session, callback) => callback(isUp ? null : new Error('not now')),
        },
      });
      const { directory } = world.server;
      const { invitations } = directory;
      const wish = { account: 'acc_acme', by: 'usr_grace', email: 'nora@example.net' };
      const { invitation } = await invitations.invite(wish);
      await world.settle();
      expect(await world.mails()).toMatchObject([{ state: 'waiting', attempts: 1 }]);
      if (how === 'withdrawn') await invitations.withdraw('acc_acme', invitation.id, 'usr_ada');
      if (how === 'expired') world.now += 8 * day;
      if (how === 'closed') await directory.closeAccount('acc_acme');
      if (how === 'gone inviter') await directory.removeMember('acc_acme', 'usr_grace');
      isUp = true;
      world.now += 60 * 60_000;
      await world.settle();
      const mail = (await world.mails()).find(({ template }) => template === 'invitation');
      const problem = how === 'closed' ? 'account_closed' : 'invitation_over';
      expect(mail).toMatchObject({ state: 'dropped', problem });
      expect(
        world.sink.mails.filter(({ envelope }) => envelope.to[0] === 'nora@example.net'),
      ).toEqual([]);
    },
  );

  test('sent again while the server was away: it comes once', async () => {
    let isUp = false;
    const world = await openMailWorld({
      smtp: { onConnect: (_session, callback) => callback(isUp ? null : new Error('not now')) },
    });
    const { invitations } = world.server.directory;
    const wish = { account: 'acc_acme', by: 'usr_ada', email: 'nora@example.net' };
    const { invitation } = await invitations.invite(wish);
    await world.settle();
    world.now += 2 * 60 * 60_000;
    await invitations.resend('acc_acme', invitation.id, 'usr_ada');
    isUp = true;
    await world.settle();
    world.now += 2 * 60 * 60_000;
    await world.settle();
    expect((await world.mails()).map(({ state }) => state).toSorted()).toEqual(['dropped', 'sent']);
    expect(world.sink.mails).toHaveLength(1);
  });
});

describe('somebody waits to be let in', () => {
  test('owners hear of it, of whom an address is verified', async () => {
    const world = await openMailWorld();
    const { directory } = world.server;
    await directory.addMember('acc_acme', 'usr_nora', ['owner']);
    await directory.createUser({ id: 'usr_new', name: 'Newcomer', email: 'new@example.net' });
    const { invitation } = await directory.invitations.invite({
      account: 'acc_acme',
      by: 'usr_ada',
      email: 'somebody@example.net',
    });
    expect(await directory.invitations.accept(invitation.id, 'usr_new')).toBe('waiting');
    await world.settle();
    const about = world.sink.mails.filter(({ subject }) => subject.includes('wants to join'));
    expect(about.map(({ envelope }) => envelope.to[0]).toSorted()).toEqual([
      'ada@example.org',
      'grace@example.org',
    ]);
    expect(about[0]?.text).toContain('Newcomer');
    expect(about[0]?.links).toEqual([`${world.issuer}/account/members?account=acc_acme`]);
  });
});

describe('somebody who was let in', () => {
  test('hears of it, and whoever joined by themselves does not', async () => {
    const world = await openMailWorld();
    const { directory } = world.server;
    const { invitations } = directory;
    await directory.createUser({ id: 'usr_kim', email: 'kim@example.org' });
    for (const id of ['usr_nora', 'usr_kim']) await verify(world.store, id);
    const wish = { account: 'acc_acme', by: 'usr_ada', email: 'somebody@example.net' };
    const { invitation } = await invitations.invite(wish);
    expect(await invitations.accept(invitation.id, 'usr_nora')).toBe('waiting');
    await invitations.confirm('acc_acme', invitation.id, 'usr_ada');
    const link = await invitations.invite({ account: 'acc_acme', by: 'usr_ada' });
    expect(await invitations.accept(link.invitation.id, 'usr_kim')).toBe('joined');
    await world.settle();
    const about = world.sink.mails.filter(({ subject }) => subject.includes('are a member'));
    expect(about.map(({ envelope }) => envelope.to)).toEqual([['nora@example.org']]);
    expect(about[0]?.links).toEqual([`${world.issuer}/account/select?account=acc_acme`]);
  });

  test('and was removed before it was sent does not', async () => {
    const world = await openMailWorld();
    const { directory } = world.server;
    await verify(world.store, 'usr_nora');
    const wish = { account: 'acc_acme', by: 'usr_ada', email: 'somebody@example.net' };
    const { invitation } = await directory.invitations.invite(wish);
    await directory.invitations.accept(invitation.id, 'usr_nora');
    await directory.invitations.confirm('acc_acme', invitation.id, 'usr_ada');
    await directory.removeMember('acc_acme', 'usr_nora');
    await world.settle();
    expect(world.sink.mails.filter(({ subject }) => subject.includes('are a member'))).toEqual([]);
  });
});

describe('an account', () => {
  test('that is closed: its owners hear of it, one by one', async () => {
    const world = await openMailWorld();
    await world.server.directory.closeAccount('acc_acme');
    await world.settle();
    expect(world.sink.mails.map(({ envelope }) => envelope.to).toSorted()).toEqual([
      ['ada@example.org'],
      ['grace@example.org'],
    ]);
    expect(world.sink.mails[0]?.subject).toBe('“Acme” is closed');
  });

  test('that is about to be closed: with the day, and how to take it back', async () => {
    const world = await openMailWorld();
    const found = await world.store.get('account', 'acc_acme');
    if (found === undefined) throw new Error('no account');
    const endsAt = Date.UTC(2027, 0, 31);
    const closing = { askedAt: world.now, by: 'usr_grace', endsAt };
    const event = { id: 'evt_closing', type: 'account.closing', at: world.now };
    const events = [{ ...event, data: { account: 'acc_acme', at: endsAt } }];
    const options = { expect: found.version, events };
    await world.store.write('account', 'acc_acme', { ...found.document, closing }, options);
    await world.settle();
    expect(world.sink.mails).toHaveLength(2);
    const [mail] = world.sink.mails;
    expect(mail?.subject).toBe('“Acme” will be closed on January 31, 2027');
    expect(mail?.text).toContain('Grace decided to close');
    expect(mail?.links).toEqual([`${world.issuer}/account/close?account=acc_acme`]);
  });
});

describe('somebody who asked to be deleted', () => {
  const asked = async (user: string, isVerified: boolean) => {
    const world = await openMailWorld();
    if (isVerified) await verify(world.store, user);
    const found = await world.store.get('user', user);
    if (found === undefined) throw new Error('no user');
    const dueAt = Date.UTC(2027, 0, 31);
    const event = { id: 'evt_deletion', type: 'user.deletion_asked', at: world.now };
    const events = [{ ...event, data: { user, at: dueAt } }];
    const deletion = { askedAt: world.now, dueAt };
    const options = { expect: found.version, events };
    await world.store.write('user', user, { ...found.document, deletion }, options);
    await world.settle();
    return world;
  };

  test('hears when, and how to take it back', async () => {
    const world = await asked('usr_nora', true);
    const mail = single(world.sink.mails);
    expect(mail.envelope.to).toEqual(['nora@example.org']);
    expect(mail.subject).toBe('You will be deleted at Example on January 31, 2027');
    expect(mail.links).toEqual([`${world.issuer}/account/data`]);
  });

  test('T72: an address that nobody verified is not written to', async () => {
    const world = await asked('usr_nora', false);
    expect(world.sink.mails).toEqual([]);
    expect(await world.mails()).toMatchObject([{ state: 'dropped', problem: 'no_address' }]);
  });
});

test('a process that stops does not wait for a mail server that hangs, and leaves the e-mail to others', async () => {
  let isAsked = false;
  const sink = await openMailSink({
    onMessage: () => {
      isAsked = true;
      return new Promise(() => undefined);
    },
  });
  const store = await openEmpty(Date.now);
  const config = { mail: { server: sink.server, from: 'id@example.com' } };
  const running = await startServer({ store, config });
  const { directory } = running.server;
  await directory.createUser({ id: 'usr_ada', name: 'Ada' });
  await directory.createAccount({ id: 'acc_acme', name: 'Acme', owner: 'usr_ada' });
  await directory.invitations.invite({ account: 'acc_acme', email: 'nora@example.net' });
  await expect.poll(() => isAsked, { timeout: 10_000 }).toBe(true);
  await running.close();
  const [mail] = await store.list('mail');
  expect(mail?.document).toMatchObject({ state: 'waiting', attempts: 1 });
  expect(mail?.document.claim).toBeUndefined();
  expect(running.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  await store.close();
}, 30_000);

test('where no mail server is configured, nothing is written', async () => {
  const running = await startServer();
  const { directory, dispatcher, mail } = running.server;
  expect(mail).toBeUndefined();
  await directory.createUser({ id: 'usr_ada', name: 'Ada' });
  await directory.createAccount({ id: 'acc_acme', name: 'Acme', owner: 'usr_ada' });
  await directory.invitations.invite({ account: 'acc_acme', email: 'nora@example.net' });
  await dispatcher.drain();
  expect(await running.store.list('mail')).toEqual([]);
  await running.close();
});
