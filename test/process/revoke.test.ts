/** The command by which an operator ends access. What it comes to is in `test/flows/causes.test.ts`. */

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStores } from '../../src/stores.ts';
import type { AccountDocument } from '../../src/storage/documents.ts';
import type { Store } from '../../src/storage/store.ts';
import { recordingLog } from '../kit/server.ts';
import { config, inConfigured, run } from './program.ts';

const expiresAt = Date.now() + 3_600_000;
const begun = Math.floor(Date.now() / 1000) - 60;

/** Somebody with a session and a grant from a minute ago, in the folder's database. */
async function withUser(use: (folder: string, store: () => Promise<Store>) => Promise<void>) {
  await inConfigured({ store: 'sqlite:data.db' }, async (folder) => {
    const address = { store: `sqlite:${join(folder, 'data.db')}`, hot: undefined };
    const open = () => openStores(address, { clock: Date.now, log: recordingLog() });
    const store = await open();
    const identity = { provider: 'p', issuer: 'https://p.example', subject: '1', linkedAt: 1 };
    const identities = [identity];
    const user = { status: 'active', identities, createdAt: 1 } as const;
    await store.write('user', 'usr_ada', user, { expect: 'absent' });
    const account = {
      name: 'A',
      status: 'active',
      owners: ['usr_ada'],
      createdAt: 1,
    } satisfies AccountDocument;
    await store.write('account', 'acc_a', account, { expect: 'absent' });
    const authorizations = { web: { sid: 'sid_of_web' } };
    const payload = { loginTs: begun, authorizations };
    const session = { payload, user: 'usr_ada', generation: 1, expiresAt };
    await store.write('session', 's1', session, { expect: 'absent' });
    const grant = {
      payload: { iat: begun },
      user: 'usr_ada',
      client: 'web',
      account: 'acc_a',
      session: 's1',
      salt: 'x',
      expiresAt,
    };
    await store.write('grant', 'g1', grant, { expect: 'absent' });
    await store.close();
    await use(folder, open);
  });
}

async function endsOf(open: () => Promise<Store>) {
  const store = await open();
  try {
    const session = (await store.get('session', 's1'))?.document.ended?.reason;
    const grant = (await store.get('grant', 'g1'))?.document.ended?.reason;
    const events = (await store.pending(100)).map(({ type }) => type);
    return { session, grant, events: events.toSorted() };
  } finally {
    await store.close();
  }
}

const revoke = (folder: string, ...parameters: string[]) =>
  run({ folder, parameters: ['revoke', ...parameters, ...config] });

describe('tollgate revoke', () => {
  test.each([
    [['user', 'usr_ada'], 'user.revoked', 'operator', 'session_ended'],
    [['account', 'acc_a'], 'account.revoked', undefined, 'operator'],
    [['session', 's1'], 'session.ended', 'operator', 'session_ended'],
    [['client', 'web'], 'tokens.revoked_before', undefined, 'operator'],
    [
      ['--all-before', new Date(Date.now() - 5000).toISOString()],
      'tokens.revoked_before',
      'key_compromise',
      'session_ended',
    ],
  ])('%j', async (what, decided, session, grant) => {
    await withUser(async (folder, open) => {
      const { code, output, errors } = await revoke(folder, ...what, '--yes');
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(output).toMatch(/^Ends .+\nDone\./);
      const ended = session === undefined || decided === 'session.ended' ? [] : ['session.ended'];
      const events = [decided, 'grant.revoked', ...ended].toSorted();
      expect(await endsOf(open)).toEqual({ session, grant, events });
    });
  });

  test('who is to be told is written down at once, in the order of what happened', async () => {
    await withUser(async (folder, open) => {
      const add = ['receivers', 'add', 'crm', '--url', 'https://crm.example.com/events'];
      expect((await run({ folder, parameters: [...add, ...config] })).code).toBe(0);
      const before = Date.now();
      expect((await revoke(folder, 'user', 'usr_ada', '--yes')).errors).toBe('');
      const store = await open();
      const found = await store.find('delivery', 'receiver', 'webhook:crm waiting', { limit: 9 });
      const types = found.map(({ document: { type } }) => type);
      expect(types.toSorted()).toEqual(['grant.revoked', 'session.ended', 'user.revoked']);
      for (const { document } of found) {
        expect(document.parked).toBe(true);
        expect(document.dueAt).toBeLessThanOrEqual(Date.now());
        expect(document.dueAt).toBeGreaterThanOrEqual(before);
      }
      await store.close();
    });
  });

  test('says what it would do, and does nothing without --yes where nobody can be asked', async () => {
    await withUser(async (folder, open) => {
      const { code, output, errors } = await revoke(folder, 'user', 'usr_ada');
      expect({ code, output }).toEqual({ code: 1, output: '' });
      expect(errors).toContain('Ends 1 session and 1 grant of the user usr_ada.');
      expect(errors).toContain('--yes');
      expect(await endsOf(open)).toEqual({ session: undefined, grant: undefined, events: [] });
    });
  });

  test('--json is for programs', async () => {
    await withUser(async (folder) => {
      const { output } = await revoke(folder, 'user', 'usr_ada', '--yes', '--json');
      expect(JSON.parse(output)).toEqual({ what: 'user', id: 'usr_ada', sessions: 1, grants: 1 });
    });
  });

  test.each([
    ['user', 'usr_none'],
    ['account', 'acc_none'],
    ['session', 's_none'],
  ])('a %s that there is not', async (what, id) => {
    await withUser(async (folder) => {
      const { code, errors } = await revoke(folder, what, id, '--yes');
      expect(code).toBe(1);
      expect(errors).toBe(`There is no ${what} "${id}".\n`);
    });
  });

  test('a time that is yet to come', async () => {
    await withUser(async (folder) => {
      const parameters = ['--all-before', '2100-01-01T00:00:00Z', '--yes'];
      expect(await revoke(folder, ...parameters)).toMatchObject({ code: 1, output: '' });
    });
  });

  test.each([[['user']], [['planet', 'earth']], [[]], [['--all-before', 'yesterday']]])(
    '%j cannot be meant',
    async (parameters) => {
      await inConfigured({}, async (folder) => {
        const { code, output, errors } = await revoke(folder, ...parameters);
        expect({ code, output }).toEqual({ code: 2, output: '' });
        expect(errors).toContain('tollgate help');
      });
    },
  );
});
