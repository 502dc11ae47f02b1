/** The app with links: a page whose script holds an access token, and nothing else (T55). */

import { expect, test } from 'vitest';
import type { BrowserContext, Page } from 'playwright-core';
import { newEvent } from '../../../src/events/types.ts';
import { account, goThrough } from '../stage.ts';
import type { Stage } from '../stage.ts';

const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true });
const signedInAs = (page: Page, who: string) => page.locator('#words', { hasText: who }).waitFor();
const refresh = (page: Page) => page.evaluate<boolean>('refresh()');

async function signIn(page: Page, app: string, choice = {}): Promise<void> {
  await page.goto(app);
  await link(page, 'Sign in').click();
  await goThrough(page, choice);
  await signedInAs(page, 'usr_ada');
}

const cookie = async (context: BrowserContext, name: string) =>
  (await context.cookies()).find((one) => one.name === name)?.value;

/** All that a script of the page, or somebody who looks over the shoulder, could read. */
const visible = `[
  document.documentElement.outerHTML, document.cookie, location.href, document.referrer, name,
  JSON.stringify(history.state), JSON.stringify(localStorage), JSON.stringify(sessionStorage),
  ...performance.getEntries().map((entry) => entry.name),
].join()`;

export function linksAppStories(stage: () => Stage): void {
  test('signs in by a link, refreshes from its script, calls the service, switches', async () => {
    const { world, person } = stage();
    const page = await (await person()).newPage();
    await signIn(page, world.linksApp);
    expect(page.url()).toBe(`${world.linksApp}/`);
    expect(await refresh(page)).toBe(true);
    await page.getByRole('button', { name: 'Call the service' }).click();
    await page.locator('#answer', { hasText: '"plan": "team"' }).waitFor();
    await link(page, 'Switch account').click();
    await account(page, 'acc_globex').click();
    await signedInAs(page, 'acc_globex');
    await page.goBack();
    await page.goForward();
    await signedInAs(page, 'acc_globex');
  });

  test('T55 no token is where scripts or addresses could give it away', async () => {
    const { world, person } = stage();
    const context = await person();
    const addresses: string[] = [];
    context.on('request', (request) => addresses.push(request.url()));
    const page = await context.newPage();
    await signIn(page, world.linksApp);
    const spent = await cookie(context, 'tollgate');
    const answer = page.waitForResponse(`${world.issuer}/refresh`);
    expect(await refresh(page)).toBe(true);
    const { access_token: access, ...rest } = (await (await answer).json()) as Record<
      string,
      string
    >;
    expect(Object.keys(rest)).toEqual(['token_type', 'expires_in']);

    const current = await cookie(context, 'tollgate');
    const seen = [...addresses, await page.evaluate<string>(visible)].join();
    for (const token of [access, spent, current]) {
      expect(token).toMatch(/.{40}/);
      expect(seen).not.toContain(token);
    }
    expect(seen).not.toMatch(/eyJ[\w-]+\.eyJ/);
    expect(
      await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]'),
    ).toEqual([0, 0, '']);

    const own = (await context.cookies()).filter(({ name }) => name.startsWith('tollgate'));
    expect(own.length).toBeGreaterThan(3);
    for (const { httpOnly, sameSite } of own) expect([httpOnly, sameSite]).toEqual([true, 'Lax']);
  });

  test('what is signed out in one tab, the other learns at its next refresh', async () => {
    const { world, person } = stage();
    const context = await person();
    const [first, second] = [await context.newPage(), await context.newPage()];
    await signIn(first, world.linksApp);
    await second.goto(world.linksApp);
    await signedInAs(second, 'usr_ada');
    await link(second, 'Sign out').click();
    await signedInAs(second, 'Nobody is signed in.');
    expect(await refresh(first)).toBe(false);
    await first.reload();
    await signedInAs(first, 'Nobody is signed in.');
    await second.goBack();
    await signedInAs(second, 'Nobody is signed in.');
  });

  test('what happens elsewhere is shown at once, without a click', async () => {
    const { world, person } = stage();
    const context = await person();
    const [first, second] = [await context.newPage(), await context.newPage()];
    const listening = () => first.waitForResponse(`${world.issuer}/session/events`);
    let connected = listening();
    await signIn(first, world.linksApp);
    expect((await connected).status()).toBe(200);
    await signedInAs(first, 'on team');
    await subscribe('acc_acme', 'enterprise');
    await signedInAs(first, 'usr_ada acts for acc_acme, on enterprise.');
    await subscribe('acc_acme', 'team');
    await signedInAs(first, 'on team');

    await second.goto(world.linksApp);
    await signedInAs(second, 'usr_ada');
    await link(second, 'Sign out').click();
    await signedInAs(second, 'Nobody is signed in.');
    await signedInAs(first, 'This session has ended: signed_out.');
    await link(first, 'Sign in').waitFor();

    // Nobody of this browser: somebody whom an operator does not want here any more.
    connected = listening();
    await signIn(first, world.linksApp);
    await connected;
    await world.server.directory.setUserStatus('usr_ada', 'disabled');
    await signedInAs(first, 'This session has ended: user_disabled.');
    await world.server.directory.setUserStatus('usr_ada', 'active');
  });

  /** As billing will. */
  async function subscribe(id: string, plan: string): Promise<void> {
    const { store } = stage().world;
    const stored = await store.get('account', id);
    if (stored === undefined) throw new Error(`no account ${id}`);
    const { subscriptions = {} } = stored.document;
    const { api } = subscriptions;
    if (api === undefined) throw new Error('no subscription');
    const document = {
      ...stored.document,
      subscriptions: { ...subscriptions, api: { ...api, plan } },
    };
    const data = { account: id, product: 'api', claims: { plan } };
    const events = [newEvent(Date.now, 'subscription.changed', data)];
    await store.write('account', id, document, { expect: stored.version, events });
  }

  test('many tabs refresh at once, and all stay signed in', async () => {
    const { world, person } = stage();
    const context = await person();
    const first = await context.newPage();
    await signIn(first, world.linksApp);
    const tabs = [first, await context.newPage(), await context.newPage()];
    await Promise.all(tabs.slice(1).map((page) => page.goto(world.linksApp)));
    await Promise.all(tabs.map((page) => signedInAs(page, 'usr_ada')));
    const answers = await Promise.all([...tabs, ...tabs, ...tabs].map(refresh));
    expect(answers).toEqual(Array(9).fill(true));
    await first.reload();
    await signedInAs(first, 'usr_ada');
  });
}
