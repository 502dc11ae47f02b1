/** `tollgate mail`, beside a running process, which sends. */

import { expect, test } from 'vitest';
import { openStores } from '../../src/stores.ts';
import { openMailSink } from '../kit/mail_sink.ts';
import { recordingLog, testConfig } from '../kit/server.ts';
import { config, inConfigured, run, start } from './program.ts';

const day = 24 * 60 * 60 * 1000;

test('what was given up is listed, tried again, and sent; neither password nor address is told', async () => {
  const sink = await openMailSink({ smtp: { allowInsecureAuth: true } });
  const server = sink.server.replace('//', '//name:the-password-of-the-mail-server@');
  const change = { store: 'sqlite:./tollgate.db', mail: { server, from: 'id@example.com' } };
  await inConfigured(change, async (folder) => {
    const command = (...words: string[]) => run({ folder, parameters: [...words, ...config] });
    const store = await openStores(
      testConfig('http://localhost:4400', { store: `sqlite:${folder}/tollgate.db` }),
      { clock: Date.now, log: recordingLog() },
    );
    const now = Date.now();
    const deletion = { askedAt: now, dueAt: now + day };
    const person = { status: 'active' as const, identities: [], createdAt: now, deletion };
    const address = { email: 'ada@example.org', emailVerified: true };
    await store.write('user', 'usr_ada', { ...person, ...address }, { expect: 'absent' });
    for (const id of ['evt_one', 'evt_two']) {
      const given = { state: 'dead', attempts: 1, problem: 'smtp_550' } as const;
      const times = { createdAt: now, dueAt: now + day };
      const mail = { template: 'deletion', user: 'usr_ada', ...given, ...times } as const;
      await store.write('mail', id, mail, { expect: 'absent' });
    }
    await store.close();

    const good = await command('check');
    expect(good.output).toContain(`mail       ${sink.server}`);
    const listed = await command('mail', 'list');
    expect(listed.output).toMatch(/evt_one +dead +deletion .* smtp_550/);
    const told = JSON.parse((await command('mail', 'list', '--dead', '--json')).output) as unknown;
    expect(told).toMatchObject([
      { id: 'evt_one', state: 'dead', user: 'usr_ada' },
      { id: 'evt_two' },
    ]);
    expect((await command('mail', 'retry', 'evt_one')).output).toBe('1 e-mail is on the way.');
    expect((await command('mail', 'retry', '--dead')).output).toBe('1 e-mail is on the way.');
    const unknown = await command('mail', 'retry', 'evt_nobody');
    expect([unknown.code, unknown.errors]).toEqual([1, expect.stringContaining('"evt_nobody"')]);

    const program = start({ folder, parameters: config });
    await program.listening();
    await expect.poll(() => sink.mails.length, { timeout: 20_000 }).toBe(2);
    await expect
      .poll(async () => (await command('mail', 'list')).output, { timeout: 20_000 })
      .toBe('Nothing waits.');
    program.signal('SIGTERM');
    const { output, errors, code } = await program.ended;
    expect(code).toBe(0);
    for (const text of [good.output, listed.output, output, errors]) {
      expect(text).not.toMatch(/the-password|ada@example/);
    }
  });
}, 90_000);

test.each([
  ['nothing to do', ['mail'], 'list, retry'],
  ['nothing to try again', ['mail', 'retry'], '--dead'],
  ['ids and all', ['mail', 'retry', 'evt_1', '--dead'], '--dead'],
  ['too many', ['mail', 'list', '--limit', '0'], '--limit'],
])('%s is told in plain words', async (_name, parameters, word) => {
  await inConfigured({}, async (folder) => {
    const { code, errors } = await run({ folder, parameters: [...parameters, ...config] });
    expect([code, errors]).toEqual([2, expect.stringContaining(word)]);
  });
});
