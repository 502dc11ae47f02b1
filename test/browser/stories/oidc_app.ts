/** The sample app with a library: what people do with browsers beside going straight ahead. */

import { expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { account, button, goThrough, heading, provider, signIn, somebody } from '../stage.ts';
import type { Stage } from '../stage.ts';

const answerOf = async (page: Page) => JSON.parse(await page.locator('pre').innerText()) as unknown;

export function oidcAppStories(stage: () => Stage): void {
  test('signs in, calls the service, switches the account, signs out', async () => {
    const { world, person } = stage();
    const page = await (await person()).newPage();
    await signIn(page, world.oidcApp);
    expect(page.url()).toBe(`${world.oidcApp}/`);
    await button(page, 'Refresh the token').click();
    await button(page, 'Call the service').click();
    expect(await answerOf(page)).toMatchObject({ account: 'acc_acme', plan: 'team' });

    await button(page, 'Switch account').click();
    expect(await account(page).getAttribute('aria-current')).toBe('true');
    await account(page, 'acc_initech').click();
    await page.getByText('acc_initech').first().waitFor();
    expect(await answerOf(page)).toMatchObject({ account: 'acc_initech', plan: 'business' });

    await button(page, 'Sign out').click();
    await button(page, 'Sign in').waitFor();
    expect(page.url()).toBe(`${world.oidcApp}/`);
    // Of Tollgate, too: it asks again.
    await button(page, 'Sign in').click();
    await provider(page).waitFor();
  });

  test('F9 the back button after signing in meets pages that say where one is', async () => {
    const { world, person } = stage();
    const page = await (await person()).newPage();
    await signIn(page, world.oidcApp);
    const met: string[] = [];
    while (met.length < 10) {
      await page.goBack();
      if (page.url() === 'about:blank') break;
      met.push(await page.locator('h1').innerText());
    }
    expect(met).toEqual([
      'This sign-in is over',
      'Sign in with Example ID',
      'This sign-in is over',
      'Hello, Ada Lovelace',
    ]);
    for (let hops = 0; hops < 3; hops += 1) await page.goForward();
    // At the provider again, from where there is a way to the app, though not by the old sign-in.
    await somebody(page, 'grace').click();
    await heading(page, 'This sign-in was already used').waitFor();
    await page.getByRole('link', { name: 'Back to Tollgate' }).click();
    await page.waitForURL(`${world.linksApp}/`);
    await page.goto(world.oidcApp);
    await heading(page, 'Hello, Ada Lovelace').waitFor();
  });

  test('the back button after signing out shows nothing of before', async () => {
    const { world, person } = stage();
    const page = await (await person()).newPage();
    await signIn(page, world.oidcApp);
    await page.goto(`${world.oidcApp}/?elsewhere`);
    await button(page, 'Sign out').click();
    await button(page, 'Sign in').waitFor();
    await page.goBack();
    await button(page, 'Sign in').waitFor();
    expect(await page.content()).not.toContain('Ada');
  });

  test('each page can be loaded again', async () => {
    const { world, person } = stage();
    const page = await (await person()).newPage();
    await page.goto(world.partnerApp);
    await page.reload();
    for (const next of [
      button(page, 'Sign in'),
      provider(page),
      somebody(page, 'ada'),
      account(page),
      button(page, 'Allow'),
      button(page, 'Call the service'),
    ]) {
      await next.waitFor();
      await page.reload();
      await next.click();
    }
    await heading(page, 'Hello, Ada Lovelace').waitFor();
  });

  test('a double click does what a click does', async () => {
    const { world, person } = stage();
    const page = await (await person()).newPage();
    await page.goto(world.oidcApp);
    for (const next of [
      button(page, 'Sign in'),
      provider(page),
      somebody(page, 'ada'),
      account(page),
      button(page, 'Call the service'),
      button(page, 'Switch account'),
      account(page, 'acc_globex'),
    ]) {
      await next.dblclick();
    }
    await page.getByText('acc_globex').first().waitFor();
    await button(page, 'Refresh the token').dblclick();
    await button(page, 'Sign out').dblclick();
    // The app has forgotten with the first click what it proves itself by: the second may be asked.
    await heading(page, /^(Sample app|Sign out\?)$/).waitFor();
    if (page.url() !== `${world.oidcApp}/`) await button(page, 'Sign out').dblclick();
    await heading(page, 'Sample app').waitFor();
  });

  test('two tabs sign in beside each other, and both arrive', async () => {
    const { world, person } = stage();
    const context = await person();
    const [first, second] = [await context.newPage(), await context.newPage()];
    for (const page of [first, second]) {
      await page.goto(world.oidcApp);
      await button(page, 'Sign in').click();
      await provider(page).waitFor();
    }
    await goThrough(first);
    await heading(first, /^Hello/).waitFor();
    await provider(second).click();
    await somebody(second, 'ada').click();
    await heading(second, /^Hello/).waitFor();

    for (const page of [first, second]) {
      await button(page, 'Switch account').click();
      await account(page).waitFor();
    }
    await account(second, 'acc_initech').click();
    await second.getByText('acc_initech').first().waitFor();
    await account(first, 'acc_globex').click();
    await first.getByText('acc_globex').first().waitFor();
    await second.reload();
    await second.getByText('acc_globex').first().waitFor();
  });
}
