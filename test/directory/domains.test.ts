/** Domain rules: an account shows that a domain is its own, and people with an address of it find it. */

import { beforeEach, describe, expect, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import type { Directory } from '../../src/directory/directory.ts';
import { openWorld } from '../events/world.ts';
import type { World } from '../events/world.ts';
import { identity, problemOf, rolesOf } from './world.ts';

const account = 'acc_office';
const domain = 'office.example';
const day = 86_400_000;

let world: World;
let directory: Directory;
let records: Map<string, string[]>;
let isAway: boolean;
let isOn: boolean;

beforeEach(async () => {
  world = await openWorld();
  records = new Map();
  isAway = false;
  isOn = true;
  directory = createDirectory({
    store: world.store,
    clock: world.clock,
    log: world.log,
    registration: 'open',
    people: () => ({
      roles: [
        { id: 'admin', may: ['members', 'settings'] },
        { id: 'clerk', may: ['settings'] },
        { id: 'member', may: [] },
      ],
      invitationDays: 7,
      domains: isOn,
    }),
    findTexts(name) {
      if (isAway) return Promise.reject(new Problem('dns_unavailable', 503, 'No answer.'));
      return Promise.resolve(records.get(name) ?? []);
    },
  });
  for (const name of ['ada', 'ben', 'eve']) await directory.createUser({ id: name, name });
  await directory.createAccount({ id: account, name: 'Office', owner: 'ada' });
});

let people = 0;
async function comes(email: string, emailVerified = true): Promise<string> {
  people += 1;
  const who = identity(`person${people}`, { email, emailVerified });
  return (await directory.signIn(who, { invited: true })).user.id;
}

async function publish(of = account, name = domain): Promise<void> {
  const entry = (await directory.account(of))?.domains?.find((one) => one.domain === name);
  if (entry === undefined) throw new Error('no such domain');
  const record = directory.domains.record(entry);
  records.set(record.name, [...(records.get(record.name) ?? []), record.value, 'v=spf1 -all']);
}

async function proven(mode: 'ask' | 'join' = 'join', roles = ['member']): Promise<void> {
  await directory.domains.add(account, domain, 'ada');
  await publish();
  await directory.domains.prove(account, domain, 'ada');
  await directory.domains.set(account, domain, { mode, roles }, 'ada');
}

async function offered(user: string): Promise<(string | undefined)[]> {
  return (await directory.domains.offers(user)).map((one) => `${one.account.id} ${one.mode}`);
}

test('asking, taking it back and asking again troubles nobody without end', async () => {
  await proven('ask');
  const kim = await comes(`kim@${domain}`);
  const again = async () => {
    await directory.domains.join(account, kim);
    const [waiting] = (await directory.invitations.of(kim)).waiting;
    await directory.invitations.refuse(waiting?.invitation.id ?? '', kim);
  };
  for (let asked = 1; asked <= 5; asked += 1) await again();
  expect(await problemOf(again())).toBe('too_many_requests_to_join');
  const told = await world.store.pending(1000);
  expect(told.filter(({ type }) => type === 'invitation.waiting')).toHaveLength(5);
  world.now += day;
  expect(await problemOf(again())).toBeUndefined();
});

describe('a domain', () => {
  test('is proven by its record, and by nothing else', async () => {
    const entry = await directory.domains.add(account, 'Office.Example', 'ada');
    expect(entry).toMatchObject({ domain, mode: 'ask', roles: ['member'] });
    expect(await directory.domains.add(account, domain, 'ada')).toEqual(entry);
    const prove = () => directory.domains.prove(account, domain, 'ada');
    expect(await problemOf(prove())).toBe('domain_unproven');
    records.set('_tollgate.office.example', [
      'tollgate-domain=other',
      ` tollgate-domain=${entry.token}`,
    ]);
    expect(await problemOf(prove())).toBe('domain_unproven');
    isAway = true;
    expect(await problemOf(prove())).toBe('dns_unavailable');
    isAway = false;
    await publish();
    expect((await prove()).provenAt).toBe(world.now);
    await prove();
    const events = await world.store.pending(1000);
    expect(events.filter(({ type }) => type === 'account.domain_proven')).toHaveLength(1);
  });

  test.each([
    ['gmail.com', 'domain_public'],
    ['GMail.com', 'domain_public'],
    ['office', 'domain_invalid'],
    ['127.0.0.1', 'domain_invalid'],
    ['off\u034Fice.example', 'domain_invalid'],
    ['https://office.example', 'domain_invalid'],
    ['a@office.example', 'domain_invalid'],
    ['', 'domain_invalid'],
  ])('%s is none', async (name, code) => {
    expect(await problemOf(directory.domains.add(account, name, 'ada'))).toBe(code);
  });

  test('of other letters is kept in ASCII', async () => {
    expect((await directory.domains.add(account, 'b\u00FCcher.example')).domain).toBe(
      'xn--bcher-kva.example',
    );
  });

  test('is one of ten at most', async () => {
    for (let count = 0; count < 10; count += 1) {
      await directory.domains.add(account, `office${count}.example`);
    }
    expect(await problemOf(directory.domains.add(account, domain))).toBe('too_many_domains');
  });

  test('is of one account: of two that prove it at once one has it', async () => {
    await directory.createAccount({ id: 'acc_rival', name: 'Rival', owner: 'eve' });
    for (const one of [account, 'acc_rival']) {
      await directory.domains.add(one, domain);
      await publish(one);
    }
    const answers = await Promise.all(
      [account, 'acc_rival'].map((one) => problemOf(directory.domains.prove(one, domain))),
    );
    expect(answers.toSorted()).toEqual(['domain_taken', undefined]);
  });

  test('changes hands once the record of whoever had it is gone', async () => {
    await proven();
    await directory.createAccount({ id: 'acc_rival', name: 'Rival', owner: 'eve' });
    await directory.domains.add('acc_rival', domain);
    records.clear();
    await publish('acc_rival');
    await directory.domains.prove('acc_rival', domain, 'eve');
    const before = (await directory.account(account))?.domains?.[0];
    expect(before?.provenAt).toBeUndefined();
    const kim = await comes('kim@office.example');
    expect(await offered(kim)).toEqual(['acc_rival ask']);
  });

  test('T74 T75 is looked after by who may, who gives no more than they have', async () => {
    await proven();
    await directory.addMember(account, 'ben', ['clerk']);
    const { domains } = directory;
    const how = (roles: string[]) => ({ mode: 'join' as const, roles });
    expect(await problemOf(domains.set(account, domain, how(['owner']), 'ada'))).toBe(
      'not_allowed',
    );
    expect(await problemOf(domains.set(account, domain, how(['admin']), 'ben'))).toBe(
      'not_allowed',
    );
    expect(await problemOf(domains.set(account, domain, how(['admin']), 'ada'))).toBeUndefined();
    const attempts = [
      domains.add(account, 'other.example', 'eve'),
      domains.prove(account, domain, 'eve'),
      domains.set(account, domain, how(['member']), 'eve'),
      domains.remove(account, domain, 'eve'),
    ];
    for (const attempt of attempts) expect(await problemOf(attempt)).toBe('not_allowed');
    expect(await domains.remove(account, domain, 'ben')).toBe(true);
    expect(await domains.remove(account, domain, 'ben')).toBe(false);
  });
});

describe('people', () => {
  test('with a verified address of it join, as what the account says', async () => {
    await proven('join', ['clerk']);
    const kim = await comes('Kim@OFFICE.example');
    expect(await offered(kim)).toEqual([`${account} join`]);
    expect(await directory.domains.join(account, kim)).toBe('joined');
    expect(await rolesOf(directory, kim, account)).toEqual(['clerk']);
    expect(await offered(kim)).toEqual([]);
    expect(await directory.domains.join(account, kim)).toBe('member');
  });

  test('ask to, and are let in', async () => {
    await proven('ask');
    const kim = await comes('kim@office.example');
    const asked = await Promise.all([1, 2].map(() => directory.domains.join(account, kim)));
    expect(asked).toEqual(['waiting', 'waiting']);
    expect(await offered(kim)).toEqual([`${account} waiting`]);
    const { rows } = await directory.invitations.list(account);
    expect(rows.map(({ document }) => [document.way, document.candidate])).toEqual([
      ['domain', kim],
    ]);
    await directory.invitations.confirm(account, rows[0]?.id ?? '', 'ada');
    expect(await rolesOf(directory, kim, account)).toEqual(['member']);
  });

  test.each([
    ['an address that is not verified', 'kim@office.example', false],
    ['an address below it', 'kim@sub.office.example', true],
    ['an address that ends with it', 'kim@myoffice.example', true],
    ['a look-alike', 'kim@\u043Effice.example', true],
    ['letters that vanish', 'kim@off\u034Fice.example', true],
  ])('T72 with %s are offered nothing', async (_name, email, verified) => {
    await proven();
    const kim = await comes(email, verified);
    expect(await offered(kim)).toEqual([]);
    expect(await problemOf(directory.domains.join(account, kim))).toBe('domain_unknown');
    expect(await rolesOf(directory, kim, account)).toBeUndefined();
  });

  test('are offered nothing where it is not proven, switched off, or the account is closed', async () => {
    const kim = await comes('kim@office.example');
    await directory.domains.add(account, domain);
    expect(await offered(kim)).toEqual([]);
    await publish();
    await directory.domains.prove(account, domain);
    expect(await offered(kim)).toEqual([`${account} ask`]);
    isOn = false;
    expect(await offered(kim)).toEqual([]);
    isOn = true;
    await directory.closeAccount(account);
    expect(await offered(kim)).toEqual([]);
  });

  test('are offered nothing once the record is gone, and again once it is back', async () => {
    await proven();
    const kim = await comes('kim@office.example');
    const kept = new Map(records);
    records.clear();
    expect(await offered(kim)).toEqual([`${account} join`]);
    world.now += 8 * day;
    isAway = true;
    expect(await offered(kim)).toEqual([`${account} join`]);
    isAway = false;
    expect(await offered(kim)).toEqual([]);
    expect(await problemOf(directory.domains.join(account, kim))).toBe('domain_unknown');
    records = kept;
    world.now += day;
    expect(await offered(kim)).toEqual([`${account} join`]);
  });
});

test('who asked, and was not answered in time, can ask again', async () => {
  await proven('ask');
  const kim = await comes(`kim@${domain}`);
  expect(await directory.domains.join(account, kim)).toBe('waiting');
  expect(await offered(kim)).toEqual([`${account} waiting`]);
  world.now += 7 * day;
  expect((await directory.invitations.list(account)).rows).toEqual([]);
  expect(await offered(kim)).toEqual([`${account} ask`]);
  const both = [directory.domains.join(account, kim), directory.domains.join(account, kim)];
  expect(await Promise.all(both)).toEqual(['waiting', 'waiting']);
  const { rows } = await directory.invitations.list(account);
  expect(rows.map(({ document }) => document.candidate)).toEqual([kim]);
  await directory.invitations.confirm(account, rows[0]!.id, 'ada');
  expect(await rolesOf(directory, kim, account)).toEqual(['member']);
});

describe('somebody who was removed', () => {
  test('does not come back by the rule alone; who left by themselves does', async () => {
    await proven('join');
    const kim = await comes('kim@office.example');
    expect(await directory.domains.join(account, kim)).toBe('joined');
    await directory.removeMember(account, kim, kim);
    expect(await directory.domains.join(account, kim)).toBe('joined');
    await directory.removeMember(account, kim, 'ada');
    expect((await directory.domains.offers(kim)).map(({ mode }) => mode)).toEqual(['ask']);
    expect(await directory.domains.join(account, kim)).toBe('waiting');
    expect(await rolesOf(directory, kim, account)).toBe(undefined);
  });

  test('and let in again has nothing held against them', async () => {
    await proven('join');
    const kim = await comes('kim@office.example');
    await directory.domains.join(account, kim);
    await directory.removeMember(account, kim);
    await directory.addMember(account, kim, ['member'], 'ada');
    expect((await directory.user(kim))?.document).not.toHaveProperty('sentAway');
    await directory.removeMember(account, kim, kim);
    expect(await directory.domains.join(account, kim)).toBe('joined');
  });
});
