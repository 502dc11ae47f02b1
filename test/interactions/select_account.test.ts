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
    expect(finished).toEqual([{ select_account: { account: 'acc_2', remember: false } }]);
  });

  it('remembers it for the app, where that is wanted', async () => {
    const { submit, finished } = await start({ accounts: two });
    await submit({ account: 'acc_2', remember: 'yes' });
    expect(finished).toEqual([{ select_account: { account: 'acc_2', remember: true } }]);
    const only = await start({ accounts: { acc_1: 'Acme' } });
    expect((await only.visit('/interaction/abc')).text).not.toContain('name="remember"');
  });

  it('goes through hundreds in parts, and keeps the place when it is shown again', async () => {
    const accounts = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`acc_${index}`, `Company ${index}`]),
    );
    const { visit, post } = await start({ accounts });
    const rows = (text: string) => [...text.matchAll(/value="(acc_\d+)"/g)].map(([, id]) => id);
    const seen: (string | undefined)[] = [];
    for (let page = 1; page <= 5; page += 1) {
      const { text } = await visit(`/interaction/abc?page=${page}`);
      expect(text.includes('rel="prev"')).toBe(page > 1);
      expect(text.includes('rel="next"')).toBe(page < 5);
      seen.push(...rows(text));
    }
    expect(seen).toHaveLength(500);
    expect(new Set(seen).size).toBe(500);
    for (const [page, first] of [
      ['99', 'acc_400'],
      ['0', 'acc_0'],
      ['-1', 'acc_0'],
      ['x', 'acc_0'],
      ['1e9', 'acc_0'],
    ]) {
      expect(rows((await visit(`/interaction/abc?page=${page}`)).text)[0], page).toBe(first);
    }
    // "Company 1" is 111 of them.
    const narrowed = await visit('/interaction/abc?filter=company+1&page=2');
    expect(rows(narrowed.text)).toHaveLength(11);
    expect(narrowed.text).toContain('101–111 of 111');
    expect(narrowed.text).toContain('/interaction/abc?filter=company+1&amp;page=1');
    const hidden = Object.fromEntries(
      [...narrowed.text.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    );
    const again = await post('/interaction/abc', { ...hidden, account: 'acc_of_another' });
    expect([again.status, rows(again.text)]).toEqual([403, rows(narrowed.text)]);
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
