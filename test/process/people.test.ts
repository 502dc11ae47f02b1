/** Commands about people and accounts, as an operator types them: what is printed where, and how they end. */

import { stat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { config, inConfigured, run } from './program.ts';

const people = [
  { type: 'account', id: 'acme', name: 'Acme', owners: ['ada'], customer: 'cus_1' },
  { type: 'user', id: 'ada', name: 'Ada', identities: [{ provider: 'google', subject: '1' }] },
]
  .map((record) => JSON.stringify(record))
  .join('\n');

const bad = '{"type":"user","id":"ada","emailVerified":"true","__proto__":{}}\nno JSON\n';

const withStore = (use: (tollgate: Tollgate, folder: string) => Promise<void>) =>
  inConfigured(
    { store: 'sqlite:data.db' },
    (folder) =>
      use((...parameters) => run({ folder, parameters: [...parameters, ...config] }), folder),
    { 'people.jsonl': people, 'bad.jsonl': bad },
  );

type Tollgate = (...parameters: string[]) => ReturnType<typeof run>;

// Each command is a process of its own.
describe('tollgate import and export', { timeout: 90_000 }, () => {
  test('say what they would do, do it, and give it back', async () => {
    await withStore(async (tollgate, folder) => {
      const dry = await tollgate('import', 'people.jsonl');
      expect(dry).toMatchObject({ code: 0, errors: '' });
      expect(dry.output).toContain('Nothing was written. With --yes it is.');
      expect(await tollgate('users', 'list')).toMatchObject({ code: 0, output: 'Nobody.' });

      const done = await tollgate('import', 'people.jsonl', '--yes', '--json');
      expect(done).toMatchObject({ code: 0, errors: '' });
      expect(JSON.parse(done.output)).toMatchObject({
        user: { new: 1 },
        account: { new: 1 },
        customers: 1,
        written: true,
      });

      const out = await tollgate('export', '--out', 'all.jsonl');
      expect(out).toMatchObject({ code: 0, output: '', errors: '1 user and 1 account.\n' });
      const file = join(folder, 'all.jsonl');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const printed = await tollgate('export');
      expect(`${printed.output}\n`).toBe(await readFile(file, 'utf8'));
    });
  });

  test('what is wrong is told by line and field, and fails', async () => {
    await withStore(async (tollgate, folder) => {
      const { code, output } = await tollgate(
        'import',
        'bad.jsonl',
        '--yes',
        '--report',
        'r.jsonl',
      );
      expect(code).toBe(1);
      expect(output).toMatch(/^1 +emailVerified +It has to be true or false\.$/m);
      expect(output).toMatch(/^1 +__proto__ +There is no such field\.$/m);
      expect(output).toMatch(/^2 +The line is no JSON object\.$/m);
      expect(output).toContain('Nothing was written: correct the file, and run it again.');
      const report = (await readFile(join(folder, 'r.jsonl'), 'utf8')).trim().split('\n');
      expect(report).toHaveLength(3);
      expect(await tollgate('users', 'list')).toMatchObject({ output: 'Nobody.' });
      expect(await tollgate('import', 'nowhere.jsonl')).toMatchObject({
        code: 1,
        errors: 'There is no file "nowhere.jsonl".\n',
      });
      expect(await tollgate('import')).toMatchObject({ code: 2 });
    });
  });
});

describe('tollgate users', { timeout: 90_000 }, () => {
  test('shows, asks before it changes, and says what cannot be', async () => {
    await withStore(async (tollgate) => {
      await tollgate('import', 'people.jsonl', '--yes');
      const shown = await tollgate('users', 'show', 'ada', '--json');
      expect(JSON.parse(shown.output)).toMatchObject({
        id: 'ada',
        memberships: [{ account: 'acme' }],
      });
      const sentence = 'Locks out the user ada (Ada), and ends 0 sessions. Their memberships stay.';
      expect(await tollgate('users', 'disable', 'ada')).toEqual({
        code: 1,
        output: '',
        errors: `${sentence}\nNothing was done. With --yes it is.\n`,
      });
      expect(await tollgate('users', 'disable', 'ada', '--yes')).toEqual({
        code: 0,
        output: `${sentence}\nDone.`,
        errors: '',
      });
      const nobody = { code: 1, errors: 'There is no user "eve".\n' };
      expect(await tollgate('users', 'show', 'eve')).toMatchObject(nobody);
      const unclear = await tollgate('users', 'list', '--idle', 'long');
      expect(unclear).toMatchObject({ code: 2, output: '' });
      expect(unclear.errors).toContain('--idle takes a duration such as 90d or 12h, not "long".');
    });
  });

  test('has a help of its own', async () => {
    await withStore(async (tollgate) => {
      const { output, code } = await tollgate('help', 'users');
      expect(code).toBe(0);
      expect(output).toContain('tollgate accounts close ACCOUNT');
      expect(await tollgate('accounts', 'close', '--help')).toMatchObject({ code: 0, output });
      expect(await tollgate('help', 'nothing')).toMatchObject({ code: 2 });
    });
  });
});
