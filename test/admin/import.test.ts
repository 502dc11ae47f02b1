/** Importing people and accounts: all or nothing of what is wrong, any order, any number of times, stopped anywhere. */

import { describe, expect, test } from 'vitest';
import type { AccountDocument, UserDocument } from '../../src/storage/documents.ts';
import { faulty, Stopped } from '../kit/faults.ts';
import { openEmpty } from '../kit/places.ts';
import { directoryOver } from '../directory/world.ts';
import { google, openImport } from './world.ts';

const ada = {
  type: 'user',
  id: 'ada',
  name: 'Ada',
  email: 'ada@example.com',
  emailVerified: true,
  identities: [{ provider: 'google', subject: '1' }],
};
const ben = {
  type: 'user',
  id: 'ben',
  identities: [{ provider: 'old', issuer: 'https://old.example.com', subject: '2' }],
  memberships: [{ account: 'acme', roles: ['admin'] }],
};
const acme = { type: 'account', id: 'acme', name: 'Acme', owners: ['ada'], customer: 'cus_1' };
const office = [acme, ben, ada];

describe('an import', () => {
  test('writes nothing unless it is told to, and says what it would write', async () => {
    const { take, store } = await openImport();
    const report = await take(office, { write: false });
    expect(report).toMatchObject({
      user: { lines: 2, new: 2, unchanged: 0, different: 0 },
      account: { lines: 1, new: 1 },
      problems: 0,
      customers: 1,
      written: false,
    });
    expect(await store.list('user')).toEqual([]);
    expect(await store.list('account')).toEqual([]);
  });

  test('takes lines in any order: who owns an account belongs to it, also without a word about it', async () => {
    const world = await openImport();
    await world.take(office);
    const directory = directoryOver(world, world.store);
    expect((await directory.membership('ada', 'acme'))?.roles).toEqual(['owner']);
    expect((await directory.membership('ben', 'acme'))?.roles).toEqual(['admin']);
    const known = await directory.signIn({ provider: 'google', issuer: google, subject: '1' });
    expect(known).toMatchObject({ created: false, user: { id: 'ada' } });
    expect(await directory.account('acme')).toMatchObject({ name: 'Acme', customer: 'cus_1' });
  });

  test('tells nobody: what comes in this way has happened elsewhere', async () => {
    const { take, store } = await openImport();
    await take(office);
    expect(await store.pending(10)).toEqual([]);
  });

  test('that is run again changes nothing', async () => {
    const { take, store, exported } = await openImport();
    await take(office);
    const before = await exported();
    const versions = (await store.list('user')).map(({ version }) => version);
    const report = await take(office);
    expect(report).toMatchObject({
      user: { new: 0, unchanged: 2, different: 0 },
      account: { new: 0, unchanged: 1 },
      problems: 0,
    });
    expect(await exported()).toBe(before);
    expect((await store.list('user')).map(({ version }) => version)).toEqual(versions);
  });

  test('leaves alone what people changed since, and says so', async () => {
    const world = await openImport();
    await world.take(office);
    const directory = directoryOver(world, world.store);
    await directory.signIn({ provider: 'google', issuer: google, subject: '1', name: 'Ada L.' });
    await directory.addMember('acme', 'ben', ['member']);
    const report = await world.take(office);
    expect(report).toMatchObject({ user: { unchanged: 1, different: 1 }, problems: 0 });
    expect(report.differences).toEqual([
      expect.objectContaining({ id: 'ada', line: 3, problem: expect.stringContaining('name') }),
    ]);
    expect((await world.store.get('user', 'ada'))?.document.name).toBe('Ada L.');
  });

  test('that was stopped at any of its writes goes on when it is run again', async () => {
    for (let writes = 1; writes <= 5; writes += 1) {
      for (const mode of ['before', 'after'] as const) {
        const world = await openImport();
        const dying = faulty(world.store, { stopAfterWrites: writes, mode });
        const outcome = await world.take(office, { store: dying }).catch((error: unknown) => error);
        if (writes <= 4) expect(outcome).toBeInstanceOf(Stopped);
        expect(await world.take(office)).toMatchObject({ problems: 0 });
        const directory = directoryOver(world, world.store);
        expect((await directory.membership('ada', 'acme'))?.roles).toEqual(['owner']);
        expect((await directory.membership('ben', 'acme'))?.roles).toEqual(['admin']);
        await world.store.close();
      }
    }
  });

  test('by two at once is written once', async () => {
    const { take, store } = await openImport();
    const reports = await Promise.all([take(office), take(office)]);
    expect(reports.map(({ problems }) => problems)).toEqual([0, 0]);
    expect((await store.list('user')).map(({ id }) => id)).toEqual(['ada', 'ben']);
    expect(await store.list('account')).toHaveLength(1);
  });
});

describe('what is in the way is told with line and field, and then nothing is written', () => {
  const other = { type: 'account', id: 'other', name: 'Other', owners: ['ada'] };
  test.each([
    ['an owner whom nobody knows', [ada, { ...other, owners: ['ada', 'zoe'] }], 2, 'owners[1]'],
    ['an account that is not there', [ada, ben], 2, 'memberships[0].account'],
    [
      'an owner whom the account does not name',
      [ada, acme, { ...ben, memberships: [{ account: 'acme', roles: ['owner'] }] }],
      3,
      'memberships[0].roles',
    ],
    ['the same id twice', [ada, { ...ada, identities: [] }], 2, 'id'],
    ['the same identity twice', [ada, { ...ada, id: 'eve' }], 2, 'identities'],
    ['the same customer twice', [ada, acme, { ...other, customer: 'cus_1' }], 3, 'customer'],
    ["a client's id", [{ ...ada, id: 'app' }], 1, 'id'],
    ['a broken line', '{"type":\n', 1, undefined],
    [
      'a line that is too long',
      `{"type":"user","id":"${'x'.repeat(1024 * 1024)}"}\n`,
      1,
      undefined,
    ],
    ['a line that is no text', Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), 1, undefined],
  ])('%s', async (_what, content, line, field) => {
    const { take, store } = await openImport();
    const report = await take(content);
    expect(report.findings.map((one) => [one.line, one.field])).toContainEqual([line, field]);
    expect(report).toMatchObject({ written: false });
    expect(await store.list('user')).toEqual([]);
    expect(await store.list('account')).toEqual([]);
  });

  test('an identity, a customer or an id that somebody here has', async () => {
    const world = await openImport();
    await world.take(office);
    const directory = directoryOver(world, world.store);
    await directory.createUser({ id: 'gone', name: 'Gone' });
    await directory.setUserStatus('gone', 'deleted');
    const findings = async (record: object) =>
      (await world.take([record])).findings.map(({ field, problem }) => [field, problem]);
    expect(await findings({ ...ada, id: 'eve' })).toEqual([
      ['identities[0]', 'It belongs to the user ada.'],
    ]);
    expect(await findings({ ...other, customer: 'cus_1' })).toEqual([
      ['customer', 'It belongs to the account acme.'],
    ]);
    expect(await findings({ ...ada, identities: [{ provider: 'google', subject: '9' }] })).toEqual([
      ['id', 'Somebody with other identities has this id.'],
    ]);
    expect(await findings({ type: 'user', id: 'gone' })).toEqual([
      ['id', 'A deleted user had this id, and does not come back.'],
    ]);
  });

  test('of many problems the first hundred are kept, and all are counted', async () => {
    const { take } = await openImport();
    const report = await take(Array.from({ length: 150 }, () => ({ type: 'nothing' })));
    expect(report).toMatchObject({ problems: 150, written: false });
    expect(report.findings).toHaveLength(100);
  });
});

describe('an export', () => {
  const full = [
    {
      type: 'user',
      id: 'Zoe',
      status: 'disabled',
      name: 'Zoë',
      email: 'zoe@example.com',
      emailVerified: true,
      picture: 'https://example.com/zoe.png',
      locale: 'de-AT',
      own: ['name'],
      said: { name: 'Z.' },
      identities: [
        {
          provider: 'google',
          issuer: google,
          subject: '1',
          email: 'zoe@example.com',
          emailVerified: true,
          linkedAt: '2020-01-01T00:00:00.001Z',
          usedAt: '2021-01-01T00:00:00.000Z',
        },
      ],
      memberships: [
        {
          account: 'a2',
          roles: ['owner', 'admin'],
          since: '2020-01-01T00:00:00.002Z',
          usedAt: '2022-01-01T00:00:00.000Z',
        },
        { account: 'a1', roles: ['member'], since: '2020-01-01T00:00:00.003Z' },
      ],
      sentAway: ['a1'],
      tried: ['api'],
      chosen: { app: 'a1' },
      deletion: { askedAt: '2026-01-01T00:00:00.000Z', dueAt: '2027-01-01T00:00:00.000Z' },
      signedInAt: '2025-01-01T00:00:00.000Z',
      createdAt: '2019-12-31T23:59:59.999Z',
    },
    {
      type: 'user',
      id: 'ada',
      status: 'active',
      identities: [],
      createdAt: '2020-01-01T00:00:00.000Z',
    },
    {
      type: 'account',
      id: 'a1',
      status: 'closed',
      name: 'First',
      owners: [],
      closed: {
        at: '2025-01-01T00:00:00.000Z',
        by: 'ada',
        feedback: 'too_expensive',
        reason: 'Too dear\nfor us',
      },
      createdAt: '2020-01-01T00:00:00.000Z',
    },
    {
      type: 'account',
      id: 'a2',
      status: 'active',
      name: 'Second',
      owners: ['Zoe'],
      customer: 'cus_2',
      domains: [
        {
          domain: 'example.com',
          token: 'abc',
          provenAt: '2024-01-01T00:00:00.000Z',
          mode: 'join',
          roles: ['member'],
          addedAt: '2023-01-01T00:00:00.000Z',
        },
      ],
      closing: {
        askedAt: '2026-01-01T00:00:00.000Z',
        endsAt: '2027-01-01T00:00:00.000Z',
        by: 'Zoe',
        feedback: 'unused',
      },
      usedAt: '2025-12-31T00:00:00.000Z',
      createdAt: '2020-01-01T00:00:00.000Z',
    },
  ];

  test('imports again to the very same, with every field there is', async () => {
    const world = await openImport();
    await world.take(full.toReversed());
    const first = await world.exported();
    expect(
      first
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(full);
    const empty = await openEmpty(world.clock, world.log);
    try {
      expect(await world.take(first, { store: empty })).toMatchObject({
        problems: 0,
        written: true,
      });
      expect(await world.exported(empty)).toBe(first);
      const of = async (store: typeof empty) => [
        ...(await store.list('user')),
        ...(await store.list('account')),
      ];
      const documents = async (store: typeof empty) =>
        (await of(store)).map(({ id, document }) => [id, document]);
      expect(await documents(empty)).toEqual(await documents(world.store));
    } finally {
      await empty.close();
    }
  });

  test('has every field of the documents, but what is named here', () => {
    const of: Record<keyof UserDocument, boolean> = {
      status: true,
      name: true,
      email: true,
      emailVerified: true,
      picture: true,
      locale: true,
      identities: true,
      memberships: true,
      sentAway: true,
      tried: true,
      own: true,
      said: true,
      chosen: true,
      deletion: true,
      signedInAt: true,
      createdAt: true,
      // Nobody is signed in at the new place.
      revokedBefore: false,
      // Of who was deleted.
      purgeAt: false,
      purge: false,
    };
    const account: Record<keyof AccountDocument, boolean> = {
      name: true,
      status: true,
      owners: true,
      customer: true,
      closing: true,
      closed: true,
      domains: true,
      usedAt: true,
      createdAt: true,
      // Stripe says them, and how many members there are.
      subscriptions: false,
      entitlements: false,
      reconciledAt: false,
      customerAskedAt: false,
      customerGoneAt: false,
      seats: false,
      arriving: false,
      revokedBefore: false,
    };
    const exported = (fields: Record<string, boolean>) =>
      Object.keys(fields).filter((name) => fields[name] === true);
    const written = (type: string) => [
      ...new Set(full.filter((one) => one.type === type).flatMap((one) => Object.keys(one))),
    ];
    expect(written('user').toSorted()).toEqual(['id', 'type', ...exported(of)].toSorted());
    expect(written('account').toSorted()).toEqual(['id', 'type', ...exported(account)].toSorted());
  });

  test('leaves out who was deleted, and what rests on them', async () => {
    const world = await openImport();
    const directory = directoryOver(world, world.store);
    for (const id of ['ada', 'ben']) await directory.createUser({ id, name: id });
    await directory.createAccount({ id: 'acme', name: 'Acme', owner: 'ada' });
    await directory.addMember('acme', 'ben', ['owner']);
    const erased = { status: 'deleted' as const, identities: [], createdAt: 1 };
    await world.store.write('user', 'ben', erased, { expect: 'any' });
    const text = await world.exported();
    expect(text).not.toContain('ben');
    expect(text).toContain('"owners":["ada"]');
  });
});
