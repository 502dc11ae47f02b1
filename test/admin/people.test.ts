/** Commands about people and accounts, on a store that is there: what they say, and what they do. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { peopleActions, peopleAsked } from '../../src/admin/asked.ts';
import type { Noun, PeopleValues } from '../../src/admin/asked.ts';
import { people } from '../../src/admin/people_command.ts';
import { UsageError } from '../../src/command_store.ts';
import type { Config } from '../../src/config.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import type { UserDocument } from '../../src/storage/documents.ts';
import type { Store } from '../../src/storage/store.ts';
import { openStores } from '../../src/stores.ts';
import { goodInput, load } from '../config/world.ts';
import { recordingLog } from '../kit/server.ts';

const google = 'https://accounts.google.com';
const dayMs = 24 * 60 * 60 * 1000;
let config: Config;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-people-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  config = await load({ ...goodInput(), store: `sqlite:${join(folder, 'data.db')}` });
  await withStore(async (store) => {
    const log = recordingLog();
    const directory = createDirectory({ store, clock: Date.now, log, registration: 'open' });
    const identities = [{ provider: 'google', issuer: google, subject: '1' }];
    await directory.createUser({ id: 'ada', name: 'Ada', email: 'ada@example.com', identities });
    await directory.createUser({ id: 'ben', name: 'Ben' });
    await directory.createUser({ id: 'eve', name: 'Eve' });
    await directory.createAccount({ id: 'acme', name: 'Acme', owner: 'ada' });
    await directory.addMember('acme', 'ben', ['admin']);
    const expiresAt = Date.now() + dayMs;
    const session = { payload: { loginTs: 1_700_000_000 }, generation: 1, expiresAt };
    await store.write('session', 's1', { ...session, user: 'ben' }, { expect: 'absent' });
    for (const event of await store.pending(100)) await store.settle([{ ...event }]);
  });
});

async function withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStores(config, { clock: Date.now, log: recordingLog() });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

type Given = Partial<PeopleValues>;

function run(noun: Noun, words: string, given: Given = {}): Promise<string> {
  const values = { now: false, 'at-period-end': false, yes: false, json: false, ...given };
  return people(config, peopleAsked(noun, words.split(' '), values));
}

const yes = { yes: true };

async function told(
  noun: Noun,
  words: string,
  given: Given = {},
): Promise<Record<string, unknown>> {
  return JSON.parse(await run(noun, words, { ...given, json: true })) as Record<string, unknown>;
}

const userOf = (id: string): Promise<UserDocument | undefined> =>
  withStore(async (store) => (await store.get('user', id))?.document);

const everything = () =>
  withStore(async (store) => [
    ...(await store.list('user')),
    ...(await store.list('account')),
    ...(await store.list('invitation')),
    ...(await store.find('session', 'user', 'ben')),
  ]);

describe('every command', () => {
  const changing = peopleActions().filter(({ changes }) => changes);
  const needs: Record<string, Given> = {
    'users link': { provider: 'google', subject: '2' },
    'users unlink': { issuer: google, subject: '1' },
    'members roles': { role: ['member'] },
    'accounts create': { owner: 'ben' },
  };
  const examples: Record<string, string> = {
    USER: 'ben',
    ACCOUNT: 'acme',
    SESSION: 's1',
    NAME: 'Other',
    INVITATION: 'inv_1',
  };

  test.each(changing)('$noun $action does nothing before it is agreed to', async (one) => {
    const { noun, action, ids } = one;
    const before = await everything();
    const words = [action, ...ids.map((id) => examples[id] ?? '')].join(' ');
    const asked = run(noun, words, needs[`${noun} ${action}`]);
    await expect(asked).rejects.toMatchObject({ code: 'confirmation_needed' });
    expect(await everything()).toEqual(before);
  });

  test.each(peopleActions().filter(({ ids }) => ids.some((id) => id !== 'NAME')))(
    '$noun $action says that there is no such thing',
    async ({ noun, action, ids, changes }) => {
      const words = [action, ...ids.map(() => 'nothing')].join(' ');
      const given = changes ? { ...yes, ...needs[`${noun} ${action}`] } : {};
      await expect(run(noun, words, given)).rejects.toMatchObject({ status: 404 });
    },
  );

  test.each([
    ['users', 'list', { idle: '90' }],
    ['users', 'list', { status: 'gone' }],
    ['users', 'list', { limit: '0' }],
    ['users', 'list', { issuer: google }],
    ['users', 'list', { yes: true }],
    ['users', 'show', {}],
    ['users', 'show ada ben', {}],
    ['users', 'show ada', { idle: '1d' }],
    ['users', 'promote ada', {}],
    ['users', '__proto__', {}],
    ['users', 'link ada', { subject: '1' }],
    ['users', 'link ada', { provider: 'other', subject: '1' }],
    ['accounts', 'create Globex', {}],
    ['accounts', 'close acme', { now: true, 'at-period-end': true }],
    ['accounts', 'close acme', { 'at-period-end': true }],
    ['members', 'add acme', {}],
  ] as const)('that cannot be meant is refused: %s %s %j', async (noun, words, given) => {
    await expect(async () => run(noun, words, given)).rejects.toBeInstanceOf(UsageError);
  });
});

describe('users', () => {
  test('are listed, filtered, and paged through', async () => {
    expect(await run('users', 'list')).toMatch(
      /^USER .*\nada +active +Ada +ada@example\.com \? +google/,
    );
    expect(await told('users', 'list', { limit: '2' })).toMatchObject({
      users: [{ id: 'ada' }, { id: 'ben' }],
      next: 'ben',
    });
    const rest = await told('users', 'list', { limit: '2', after: 'ben' });
    expect(rest).toMatchObject({ users: [{ id: 'eve' }] });
    expect(rest).not.toHaveProperty('next');
    const all = await told('users', 'list', { limit: '3' });
    expect(all).not.toHaveProperty('next');
    const byAddress = await told('users', 'list', { email: 'ADA@example.com' });
    expect(byAddress).toMatchObject({ users: [{ id: 'ada' }] });
    const byIdentity = await told('users', 'list', { issuer: google, subject: '1' });
    expect(byIdentity).toMatchObject({ users: [{ id: 'ada' }] });
    expect(await run('users', 'list', { issuer: google, subject: '2' })).toBe('Nobody.\n');
  });

  test('whom nobody has seen for a while are found, by sign-in, by token, or since they came', async () => {
    await withStore(async (store) => {
      const old = Date.now() - 100 * dayMs;
      const fields = { status: 'active', identities: [], createdAt: old } as const;
      const blank = (more: Partial<UserDocument>) => ({ ...fields, ...more, identities: [] });
      const recent = Date.now() - dayMs;
      const memberships = [{ account: 'acme', roles: ['member'], since: old, usedAt: recent }];
      await store.write('user', 'z1', blank({}), { expect: 'absent' });
      await store.write('user', 'z2', blank({ signedInAt: recent }), { expect: 'absent' });
      await store.write('user', 'z3', blank({ memberships }), { expect: 'absent' });
    });
    const idle = await told('users', 'list', { idle: '90d' });
    expect(idle).toMatchObject({ users: [{ id: 'z1' }] });
    expect((idle.users as unknown[]).length).toBe(1);
  });

  test('are shown with identities, memberships and sessions', async () => {
    const text = await run('users', 'show ben');
    expect(text).toMatch(/^signed in +1 session$/m);
    expect(text).toMatch(/^acme +Acme +active +admin$/m);
    expect(await told('users', 'show ada')).toMatchObject({
      identities: [{ provider: 'google', issuer: google, subject: '1' }],
      memberships: [{ account: 'acme', roles: ['owner'] }],
      sessions: 0,
    });
  });

  test('are locked out at once, and let in again', async () => {
    expect(await run('users', 'disable ben', yes)).toBe(
      'Locks out the user ben (Ben), and ends 1 session. Their memberships stay.\nDone.\n',
    );
    const { ended, types } = await withStore(async (store) => ({
      ended: (await store.get('session', 's1'))?.document.ended?.reason,
      types: (await store.pending(100)).map(({ type }) => type),
    }));
    expect(ended).toBe('user_disabled');
    expect(types).toEqual(expect.arrayContaining(['user.disabled', 'session.ended']));
    await run('users', 'enable ben', yes);
    expect((await userOf('ben'))?.status).toBe('active');
  });

  test('get a way to sign in, and lose it; the last one stays', async () => {
    const second = { provider: 'google', subject: '2' };
    expect(await told('users', 'link ada', { ...yes, ...second })).toEqual({
      id: 'ada',
      changed: true,
    });
    await expect(run('users', 'link ben', { ...yes, ...second })).rejects.toMatchObject({
      code: 'identity_taken',
    });
    await run('users', 'unlink ada', { ...yes, issuer: google, subject: '1' });
    expect((await userOf('ada'))?.identities.map(({ subject }) => subject)).toEqual(['2']);
    await expect(
      run('users', 'unlink ada', { ...yes, issuer: google, subject: '2' }),
    ).rejects.toMatchObject({ code: 'last_identity' });
  });

  test('are deleted after a while, which is taken back, or at once; not who alone owns what others use', async () => {
    expect(await told('users', 'delete ben', yes)).toMatchObject({ deleted: false, closes: [] });
    expect((await userOf('ben'))?.deletion).toBeDefined();
    expect(await told('users', 'keep ben', yes)).toEqual({ id: 'ben', changed: true });
    expect(await run('users', 'keep ben', yes)).toContain('There was none.');
    await expect(run('users', 'delete ada', { ...yes, now: true })).rejects.toMatchObject({
      code: 'last_owner',
    });
    await run('users', 'delete ben', { ...yes, now: true });
    expect(await userOf('ben')).toMatchObject({ status: 'deleted' });
    expect(await told('users', 'delete ada', { ...yes, now: true })).toMatchObject({
      deleted: true,
      closes: ['acme'],
    });
    const account = await withStore((store) => store.get('account', 'acme'));
    expect(account?.document.status).toBe('closed');
  });
});

describe('accounts', () => {
  test('are made for somebody who is there, for those who are invited then', async () => {
    const { id } = await told('accounts', 'create Globex', { ...yes, owner: 'ben' });
    const account = String(id);
    expect(await told('accounts', `show ${account}`)).toMatchObject({
      name: 'Globex',
      owners: ['ben'],
      members: 1,
    });
    await run('members', `add ${account} eve`, { ...yes, role: ['owner'] });
    await run('members', `remove ${account} ben`, yes);
    expect(await told('accounts', `show ${account}`)).toMatchObject({ owners: ['eve'] });
    await expect(
      run('accounts', 'create Globex', { ...yes, owner: 'nobody' }),
    ).rejects.toMatchObject({
      code: 'user_unknown',
    });
  });

  test('are listed, shown and renamed', async () => {
    await run('accounts', 'rename acme Wonders', yes);
    expect(await run('accounts', 'list')).toMatch(/^acme +active +Wonders +ada +- +-/m);
    expect(await run('accounts', 'show acme')).toMatch(/^members +2$/m);
    expect(await told('accounts', 'list', { idle: '1d' })).toEqual({ accounts: [] });
  });

  test('are closed with a reason, kept out of lists of active ones, and opened again', async () => {
    const reason = 'Too dear';
    const closed = { ...yes, feedback: 'too_expensive', reason };
    expect(await told('accounts', 'close acme', closed)).toMatchObject({ status: 'closed' });
    expect(await told('accounts', 'list', { status: 'active' })).toEqual({ accounts: [] });
    expect(await told('accounts', 'show acme')).toMatchObject({
      feedback: 'too_expensive',
      reason,
    });
    expect(await told('accounts', 'reopen acme', yes)).toMatchObject({ status: 'active' });
    await expect(
      run('accounts', 'close acme', { ...yes, feedback: 'boring' }),
    ).rejects.toMatchObject({ code: 'feedback_invalid' });
  });

  test('that pay for something are closed when that ends, unless it has to be now', async () => {
    const periodEnd = Date.now() + 10 * dayMs;
    await withStore(async (store) => {
      const stored = await store.get('account', 'acme');
      if (stored === undefined) throw new Error('there is no account');
      const team = { subscription: 'sub_1', status: 'active', plan: 'team', periodEnd };
      const document = { ...stored.document, customer: 'cus_1', subscriptions: { api: team } };
      await store.write('account', 'acme', document, { expect: stored.version });
    });
    expect(await run('accounts', 'list')).toMatch(/ api\/team /);
    expect(await run('accounts', 'close acme', yes)).toMatch(/until which it is paid.*\n.*settles/);
    expect(await told('accounts', 'list', { status: 'closing' })).toMatchObject({
      accounts: [{ id: 'acme', closing_at: expect.any(String) }],
    });
    expect(await told('accounts', 'keep acme', yes)).toEqual({ id: 'acme', changed: true });
    expect(await told('accounts', 'close acme', { ...yes, now: true })).toMatchObject({
      status: 'closed',
    });
  });

  test('whose only owner has vanished get another one', async () => {
    await withStore((store) => store.write('user', 'ada', null, { expect: 'any' }));
    expect(await run('accounts', 'owner acme ben', yes)).toContain('1 owner who is gone');
    expect(await told('accounts', 'show acme')).toMatchObject({ owners: ['ben'] });
    expect(await told('members', 'list acme')).toMatchObject({
      members: [{ user: 'ben', roles: ['owner', 'admin'] }],
    });
    await run('accounts', 'owner acme eve', yes);
    expect(await told('accounts', 'show acme')).toMatchObject({ owners: ['ben', 'eve'] });
  });
});

describe('members, invitations and sessions', () => {
  test('members come, get other roles, and go; the last owner stays', async () => {
    expect(await run('members', 'add acme eve', yes)).toContain('as member.\nDone.');
    expect(await run('members', 'add acme eve', yes)).toContain('They belong to it already');
    await run('members', 'roles acme eve', { ...yes, role: ['admin', 'auditor'] });
    expect(await told('members', 'list acme', { limit: '2' })).toMatchObject({
      members: [{ user: 'ada' }, { user: 'ben' }],
      next: 'ben',
    });
    expect(await told('members', 'list acme', { after: 'ben' })).toMatchObject({
      members: [{ user: 'eve', roles: ['admin', 'auditor'] }],
    });
    expect(await run('members', 'remove acme eve', yes)).toContain('Done.');
    expect(await run('members', 'remove acme eve', yes)).toContain('They did not belong to it.');
    await expect(run('members', 'remove acme ada', yes)).rejects.toMatchObject({
      code: 'last_owner',
    });
    await expect(
      run('members', 'roles acme ben', { ...yes, role: ['<script>'] }),
    ).rejects.toMatchObject({ code: 'role_invalid' });
  });

  test('members need a seat, as everywhere', async () => {
    const plans = [{ id: 'free', name: 'Free', seats: { min: 1, max: 2 } }];
    const audience = 'https://desk.example.com';
    const desk = { id: 'desk', name: 'Desk', audience, plans, access: { freePlan: 'free' } };
    const { store } = config;
    const stripe = { secretKey: 'sk_test_51Nq8' };
    config = await load({ ...goodInput(), store, products: [desk], stripe });
    await expect(run('members', 'add acme eve', yes)).rejects.toMatchObject({ code: 'seats_full' });
    await run('members', 'remove acme ben', yes);
    expect(await run('members', 'add acme eve', yes)).toContain('Done.');
  });

  test('invitations are made, with their link, sent again, and withdrawn', async () => {
    const made = await told('invitations', 'create acme', { ...yes, email: 'zoe@example.com' });
    expect(made).toMatchObject({ state: 'open', email: 'zoe@example.com', new: true });
    expect(made.link).toMatch(/^https:\/\/id\.example\.com\/invitation\/./);
    const again = await run('invitations', 'create acme', { ...yes, email: 'zoe@example.com' });
    expect(again).toContain('They were invited already');
    expect(again).toContain(String(made.link));
    expect(await run('invitations', 'list acme')).toMatch(/open +zoe@example\.com +member/);
    const id = String(made.id);
    expect(await told('invitations', `resend acme ${id}`, yes)).toMatchObject({ id });
    expect(await run('invitations', `withdraw acme ${id}`, yes)).toContain('Done.');
    expect(await run('invitations', 'list acme')).toBe('None.\n');
    const foreign = run('invitations', `withdraw acme ${id}x`, yes);
    await expect(foreign).rejects.toMatchObject({ code: 'invitation_unknown' });
  });

  test('sessions are listed, and ended', async () => {
    expect(await told('sessions', 'list ben')).toMatchObject({
      sessions: [{ id: 's1', signed_in_at: '2023-11-14T22:13:20Z' }],
    });
    expect(await run('sessions', 'end s1', yes)).toContain('of the user ben');
    expect(await run('sessions', 'list ben')).toBe('They are signed in nowhere.\n');
  });
});
