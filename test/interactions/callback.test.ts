import { afterEach, describe, expect, it } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { conversationOf, goesOnTo, heading, identity, world, type WorldOptions } from './world.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
async function start(options: WorldOptions = {}) {
  const made = await world(options);
  open.push(made);
  return made;
}

const path = '/integrations/oauth2/callback';
const failing =
  (code: string, status: number, details: Record<string, unknown> = {}) =>
  () =>
    Promise.reject(new Problem(code, status, 'What the failure says itself.', { details }));

describe('the way back from a provider', () => {
  it('T10 ends the login prompt and goes on with 303', async () => {
    const { visit, submit, finished, callbacks, jar } = await start();
    await submit({ provider: 'google' });
    const answer = await visit(`${path}?state=s&code=c`);
    expect(answer.status).toBe(303);
    expect(goesOnTo(answer)).toBe('https://id.example.com/oauth2/authorize/abc');
    const browser = jar.get('__Host-tollgate_browser');
    expect(callbacks).toEqual([{ query: 'state=s&code=c', browser }]);
    expect(finished).toEqual([{ login: { user: 'usr_ada', provider: 'google', amr: ['mfa'] } }]);
  });

  it('remembers for 180 days how they signed in', async () => {
    const { visit } = await start();
    const answer = await visit(`${path}?state=s&code=c`);
    const line = [answer.headers['set-cookie'] ?? []]
      .flat()
      .find((one) => one.startsWith('__Host-tollgate_last_provider='));
    const until = Date.parse(/expires=([^;]*)/.exec(line ?? '')?.[1] ?? '');
    expect(Math.round((until - Date.now()) / 86_400_000)).toBe(180);
    expect(line).toMatch(
      /^__Host-tollgate_last_provider=google; path=\/; .*samesite=lax; secure; httponly$/,
    );
  });

  it('takes a posted answer by way of a GET, which carries the cookies', async () => {
    const { post, finished } = await start();
    const fields = { state: 's&x', code: 'c', iss: 'https://accounts.google.com' };
    const answer = await post(path, fields, { origin: 'https://accounts.google.com' });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe(
      `${path}?state=s%26x&code=c&iss=https%3A%2F%2Faccounts.google.com`,
    );
    expect(finished).toEqual([]);
    const large = await post(path, { state: 'x'.repeat(9000) });
    expect(large.status).toBe(413);
  });

  it.each([
    ['F9 a sign-in that was used', 'signin_already_used', 409, 'This sign-in was already used'],
    ['F6 a sign-in that took too long', 'signin_expired', 410, 'This sign-in took too long'],
    ['F10 a sign-in that was cancelled', 'signin_cancelled', 400, 'You did not finish signing in'],
    ['F11 no answer', 'upstream_unavailable', 502, 'We cannot reach that sign-in right now'],
    ['F5 a wrong answer', 'upstream_error', 502, 'Your sign-in was not confirmed'],
    ['a wrong domain', 'domain_not_allowed', 403, 'Use your work account'],
  ])('%s is a page with a way on', async (_what, code, status, title) => {
    const { visit, finished, jar } = await start({
      finish: failing(code, status, { interaction: 'abc' }),
    });
    const answer = await visit(`${path}?state=s&code=c`);
    expect([answer.status, heading(answer)]).toEqual([status, title]);
    expect(answer.text).toContain('href="/interaction/abc?stay=1');
    expect(finished).toEqual([]);
    expect(jar.has('__Host-tollgate_last_provider')).toBe(false);
  });

  it('F7 a sign-in of another browser leads to the app, not into that sign-in', async () => {
    const { visit } = await start({
      finish: failing('signin_other_browser', 403, { interaction: 'abc' }),
    });
    const answer = await visit(`${path}?state=s&code=c`);
    expect([answer.status, heading(answer)]).toEqual([
      403,
      'This sign-in began in another browser',
    ]);
    expect(answer.text).not.toContain('/interaction/');
    expect(answer.text).toContain('href="https://app.example.com/"');
  });

  it('F9 the back button after the end leads to the app, not into what is over', async () => {
    const { visit } = await start({
      finish: failing('signin_already_used', 409, { interaction: 'abc' }),
      conversation: conversationOf('login', { uid: 'next' }),
    });
    const answer = await visit(`${path}?state=s&code=c`);
    expect([answer.status, heading(answer)]).toEqual([409, 'This sign-in was already used']);
    expect(answer.text).not.toContain('/interaction/');
    expect(answer.text).toContain('href="https://app.example.com/"');
  });

  it('an interaction that is no id makes no link', async () => {
    const { visit } = await start({
      finish: failing('upstream_error', 502, { interaction: '../evil"' }),
    });
    expect((await visit(`${path}?state=s`)).text).not.toContain('evil');
  });

  it('is over when the conversation is, or is at another prompt', async () => {
    const finish = () => Promise.resolve({ identity, interaction: 'abc' });
    const gone = await start({ finish, conversation: conversationOf('login', { uid: 'next' }) });
    const other = await start({ finish, conversation: conversationOf('consent') });
    for (const { visit, finished } of [gone, other]) {
      const answer = await visit(`${path}?state=s&code=c`);
      expect([answer.status, heading(answer)]).toEqual([410, 'This sign-in is over']);
      expect(finished).toEqual([]);
    }
  });

  it('tells somebody who is not registered how to come in, and leads on or back', async () => {
    const { visit, post, finished } = await start({ signIn: failing('not_registered', 403) });
    const page = await visit(`${path}?state=s&code=c`);
    expect([page.status, heading(page)]).toEqual([403, 'You need an invitation']);
    expect(page.text).toContain('You have signed in as ada@example.com');
    expect(page.text).toContain('href="/interaction/abc?stay=1&amp;other=1"');
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    await post('/interaction/abc', { step: 'login', csrf, leave: 'yes' });
    expect(finished).toEqual([
      { error: 'access_denied', error_description: 'The person is not registered.' },
    ]);
    const checkout = await start({
      signIn: failing('not_registered', 403),
      config: { registration: 'checkout' },
    });
    expect(heading(await checkout.visit(`${path}?state=s`))).toBe('You need a plan first');
  });

  it('tells a disabled user, and offers another sign-in', async () => {
    const { visit } = await start({ signIn: failing('user_disabled', 403) });
    const page = await visit(`${path}?state=s&code=c`);
    expect(heading(page)).toBe('You cannot sign in any more');
    expect(page.text).toContain('href="/interaction/abc?stay=1&amp;other=1"');
  });

  it('does not hide a defect', async () => {
    const { visit, records } = await start({ signIn: () => Promise.reject(new Error('defect')) });
    const page = await visit(`${path}?state=s&code=c`);
    expect([page.status, heading(page)]).toEqual([500, 'Something broke on our side']);
    expect(page.text).not.toContain('defect');
    expect(JSON.stringify(records)).toContain('defect');
  });
});
