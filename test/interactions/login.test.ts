import { afterEach, describe, expect, it } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import {
  conversationOf,
  github,
  goesOnTo,
  google,
  heading,
  world,
  type WorldOptions,
} from './world.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
async function start(options: WorldOptions = {}) {
  const made = await world(options);
  open.push(made);
  return made;
}

const again = (more: Parameters<typeof conversationOf>[1] = {}) =>
  conversationOf('login', { reasons: ['login_prompt'], user: 'usr_ada', ...more });

describe('the login prompt', () => {
  it('shows the ways to sign in, and goes on to the one that is chosen', async () => {
    const { visit, submit, started, jar } = await start();
    const page = await visit('/interaction/abc');
    expect([page.status, heading(page)]).toEqual([200, 'Sign in to Northwind']);
    const answer = await submit({ provider: 'github' });
    expect(answer.status).toBe(200);
    expect(goesOnTo(answer)).toBe('https://github.example/authorize');
    const browser = jar.get('__Host-tollgate_browser');
    expect(browser).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(started).toEqual([{ provider: 'github', options: { interaction: 'abc', browser } }]);
  });

  it('keeps the cookie of the browser, so that several tabs can sign in', async () => {
    const { submit, started } = await start();
    await submit({ provider: 'github' });
    await submit({ provider: 'google' });
    expect(started[0]?.options.browser).toBe(started[1]?.options.browser);
  });

  it('does not take any cookie for one of its own', async () => {
    const { submit, jar, started } = await start();
    jar.set('__Host-tollgate_browser', 'planted');
    await submit({ provider: 'github' });
    expect(started[0]?.options.browser).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  it('goes on at once where the app names a provider, or there is only one', async () => {
    const named = await start({
      conversation: conversationOf('login', { params: { provider: 'github' } }),
    });
    const answer = await named.visit('/interaction/abc');
    expect([answer.status, goesOnTo(answer)]).toEqual([303, 'https://github.example/authorize']);
    const single = await start({ providers: [google] });
    expect((await single.visit('/interaction/abc')).status).toBe(303);
    const standard = await start({ config: { defaultProvider: 'google' } });
    expect((await standard.visit('/interaction/abc')).status).toBe(303);
    const unknown = await start({
      conversation: conversationOf('login', { params: { provider: 'constructor' } }),
    });
    expect((await unknown.visit('/interaction/abc')).status).toBe(200);
  });

  it('stays where there is something to choose or to read', async () => {
    const one = await start({ providers: [google] });
    expect((await one.visit('/interaction/abc?stay=1')).status).toBe(200);
    const signedIn = await start({ providers: [google], conversation: again() });
    const page = await signedIn.visit('/interaction/abc');
    expect(page.text).toContain('You will go on to Analytics app.');
    const none = await start({ providers: [] });
    expect((await none.visit('/interaction/abc')).text).toContain('no way to sign in yet');
  });

  it('passes on the hint, and that the person has to show again who they are', async () => {
    const { submit, started } = await start({
      conversation: again({ params: { login_hint: 'ada@example.com' } }),
    });
    await submit({ provider: 'github' });
    expect(started[0]?.options).toMatchObject({ prompt: 'login', loginHint: 'ada@example.com' });
    const old = await start({ conversation: again({ reasons: ['max_age'] }) });
    expect((await old.visit('/interaction/abc')).text).toContain(
      'Analytics app asks you to sign in again.',
    );
    await old.submit({ provider: 'github' });
    expect(old.started[0]?.options.prompt).toBe('login');
  });

  it('lets somebody who is not registered choose another user at the provider', async () => {
    const { submit, started } = await start({
      conversation: conversationOf('login', { params: { login_hint: 'ada@example.com' } }),
    });
    await submit({ provider: 'google' }, '/interaction/abc?stay=1&other=1');
    expect(started[0]?.options).toMatchObject({ prompt: 'select_account' });
    expect(started[0]?.options.loginHint).toBeUndefined();
  });

  it('F11 shows the choice when a provider is down, instead of sending people there', async () => {
    const down = () =>
      Promise.reject(new Problem('provider_unavailable', 503, 'x', { retryAfterSeconds: 30 }));
    const { visit, submit } = await start({
      start: down,
      conversation: conversationOf('login', { params: { provider: 'github' } }),
    });
    const atOnce = await visit('/interaction/abc');
    expect([atOnce.status, heading(atOnce)]).toEqual([503, 'Sign in to Northwind']);
    expect(atOnce.text).toContain('GitHub does not answer at the moment.');
    const chosen = await submit({ provider: 'google' });
    expect(chosen.status).toBe(503);
    expect(chosen.text).toContain('Google does not answer at the moment.');
  });

  it('asks again when the choice is none, or is not offered', async () => {
    const { submit, started } = await start();
    const none = await submit({});
    expect([none.status, heading(none)]).toEqual([400, 'Sign in to Northwind']);
    const gone = await submit({ provider: 'gone' });
    expect(gone.text).toContain('That way to sign in is not offered.');
    expect(started).toEqual([]);
  });

  it('lets somebody who is not registered go back to the app', async () => {
    const { submit, finished } = await start();
    const answer = await submit({ leave: 'yes' });
    expect(goesOnTo(answer)).toBe('https://id.example.com/oauth2/authorize/abc');
    expect(finished).toEqual([
      { error: 'access_denied', error_description: 'The person is not registered.' },
    ]);
  });

  it('puts the last used way first, and that is all that the cookie can do', async () => {
    const { visit, jar } = await start({ providers: [google, github] });
    jar.set('__Host-tollgate_last_provider', 'github');
    const { text } = await visit('/interaction/abc');
    expect(text.indexOf('value="github"')).toBeLessThan(text.indexOf('value="google"'));
    jar.set('__Host-tollgate_last_provider', '%22%3E%3Cscript%3E');
    expect((await visit('/interaction/abc')).text).not.toContain('last used');
  });
});
