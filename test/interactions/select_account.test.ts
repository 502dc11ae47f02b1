import { afterEach, describe, expect, it } from 'vitest';
import { conversationOf, goesOnTo, heading, world, type WorldOptions } from './world.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
async function start(options: WorldOptions = {}) {
  const made = await world({
    conversation: conversationOf('select_account', { user: 'usr_ada', account: 'acc_1' }),
    ...options,
  });
  open.push(made);
  return made;
}

const two = { acc_1: 'Acme', acc_2: 'Globex' };

describe('the prompt to select an account', () => {
  it('shows the accounts, and goes on with the one that is chosen', async () => {
    const { visit, submit, finished } = await start({ accounts: two });
    const page = await visit('/interaction/abc');
    expect(page.text).toContain('You are signed in as ada@example.com.');
    expect(page.text.match(/aria-current="true"/g)).toHaveLength(1);
    const answer = await submit({ account: 'acc_2' });
    expect(goesOnTo(answer)).toBe('https://id.example.com/oauth2/authorize/abc');
    expect(finished).toEqual([{ select_account: { account: 'acc_2' } }]);
  });

  it("T41 does not take somebody else's account", async () => {
    const { submit, finished } = await start({ accounts: two });
    const answer = await submit({ account: 'acc_of_another' });
    expect([answer.status, heading(answer)]).toEqual([403, 'Choose an account']);
    expect(answer.text).toContain('You cannot use that account any more.');
    expect(finished).toEqual([]);
  });

  it('can be narrowed from eight accounts on', async () => {
    const accounts = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`acc_${index}`, `Company ${index}`]),
    );
    const { visit } = await start({ accounts: { ...accounts, acc_9: 'Málaga' } });
    const rows = async (path: string) => (await visit(path)).text.match(/name="account"/g)?.length;
    expect(await rows('/interaction/abc')).toBe(9);
    expect(await rows('/interaction/abc?filter=company+3')).toBe(1);
    expect(await rows('/interaction/abc?filter=malaga')).toBe(1);
    const none = await visit('/interaction/abc?filter=%22%3E%3Cscript%3E');
    expect(none.text).toContain('None of your accounts is called');
    expect(none.text).not.toContain('<script');
    const few = await start({ accounts: two });
    expect((await few.visit('/interaction/abc?filter=zz')).text).toContain('Globex');
  });

  it('offers another sign-in', async () => {
    const { submit, finished } = await start({ accounts: two });
    const answer = await submit({ other: 'yes' });
    expect(goesOnTo(answer)).toBe('https://id.example.com/oauth2/authorize?prompt=login');
    expect(finished).toEqual([]);
  });

  it('says so where there is no account, and leads back to the app', async () => {
    const { visit, submit, finished } = await start();
    const page = await visit('/interaction/abc');
    expect([page.status, heading(page)]).toEqual([403, 'You have no account yet']);
    await submit({ leave: 'yes' });
    expect(finished).toEqual([
      { error: 'access_denied', error_description: 'The person has no account to use.' },
    ]);
  });

  it('says so where all accounts are closed', async () => {
    const { visit } = await start({ closed: { acc_7: 'Acme', acc_8: 'Globex' } });
    const page = await visit('/interaction/abc');
    expect(heading(page)).toBe('Your accounts are closed');
    expect(page.text).toContain('Acme and Globex were closed.');
  });

  it('is over when nobody is signed in any more', async () => {
    const { visit } = await start({ conversation: conversationOf('select_account') });
    expect((await visit('/interaction/abc')).status).toBe(410);
  });
});
