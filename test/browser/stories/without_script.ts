/** Browsers without script: everything of ours works by its buttons. */

import { expect, test } from 'vitest';
import { account, button, goThrough, heading, isSignedIn, provider, somebody } from '../stage.ts';
import type { Stage } from '../stage.ts';

const options = { javaScriptEnabled: false };

export function withoutScriptStories(stage: () => Stage): void {
  test('signs in, chooses, consents, calls, switches and signs out', async () => {
    const { world, person } = stage();
    const context = await person(options);
    const page = await context.newPage();
    await page.goto(world.partnerApp);
    await button(page, 'Sign in').click();
    await provider(page, 'Example Hub').click();
    await somebody(page, 'ada').click();
    await account(page).click();
    // A story before this one may have answered: what was allowed is not asked for again.
    await heading(page, /^(Connect Partner app\?|Hello, Ada Lovelace)$/).waitFor();
    if (await button(page, 'Allow').isVisible()) await button(page, 'Allow').click();
    await button(page, 'Call the service').click();
    await page.locator('pre', { hasText: '"plan": "team"' }).waitFor();
    await button(page, 'Switch account').click();
    await account(page, 'acc_initech').click();
    await page.getByText('acc_initech').first().or(button(page, 'Allow')).waitFor();
    if (await button(page, 'Allow').isVisible()) await button(page, 'Allow').click();
    await page.getByText('acc_initech').first().waitFor();
    await button(page, 'Sign out').click();
    await button(page, 'Sign in').waitFor();
    expect(await isSignedIn(stage(), context)).toBe(false);
  });

  test('signs in and out by links, and by the question', async () => {
    const { world, person } = stage();
    const context = await person(options);
    const page = await context.newPage();
    await page.goto(`${world.issuer}/signin`);
    await goThrough(page);
    await page.waitForURL(`${world.linksApp}/`);
    expect(await isSignedIn(stage(), context)).toBe(true);
    await page.goto(`${world.issuer}/oauth2/logout`);
    await button(page, 'Stay signed in').click();
    await heading(page, 'You are still signed in').waitFor();
    await page.goto(`${world.issuer}/oauth2/logout`);
    await button(page, 'Sign out').click();
    await heading(page, 'You are signed out').waitFor();
    expect(await isSignedIn(stage(), context)).toBe(false);
  });

  test('somebody else signs in from the chooser', async () => {
    const { world, person } = stage();
    const page = await (await person(options)).newPage();
    await page.goto(world.oidcApp);
    await button(page, 'Sign in').click();
    await provider(page).click();
    await somebody(page, 'ada').click();
    await button(page, 'Use another sign-in').click();
    await provider(page, 'Example Hub').click();
    await somebody(page, 'grace').click();
    await button(page, 'Continue').click();
    await heading(page, 'Hello, Grace Hopper').waitFor();
  });
}
