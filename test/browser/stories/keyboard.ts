/** By keyboard alone: no step needs a pointer, and one sees where one is. */

import { expect, test } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import { account, button, heading, provider, somebody } from '../stage.ts';
import type { Stage } from '../stage.ts';

/** Tabs to what is wanted, as far as it takes. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  for (let count = 0; count < 12; count += 1) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluate((one) => one === document.activeElement)) break;
  }
  expect(await wanted.evaluate((one) => one.matches(':focus-visible'))).toBe(true);
  const outline = await wanted.evaluate((one) => getComputedStyle(one).outline);
  expect(outline).toMatch(/solid 3px/);
}

async function press(page: Page, wanted: Locator, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press(key);
}

export function keyboardStories(stage: () => Stage): void {
  test('signs in, chooses, switches and signs out with Tab, Enter and Space', async () => {
    const { world, person } = stage();
    const page = await (await person()).newPage();
    await page.goto(`${world.issuer}/signin`);
    await press(page, provider(page));
    await press(page, somebody(page, 'ada'));
    await press(page, account(page, 'acc_initech'), 'Space');
    await page.locator('#words', { hasText: 'acc_initech' }).waitFor();
    await page.goto(`${world.issuer}/signin?account=choose`);
    await press(page, button(page, 'Use another sign-in'));
    await press(page, provider(page, 'Example Hub'), 'Space');
    await press(page, somebody(page, 'grace'));
    await page.locator('#words', { hasText: 'usr_grace' }).waitFor();
    await page.goto(`${world.issuer}/oauth2/logout`);
    await press(page, button(page, 'Sign out'));
    await heading(page, 'You are signed out').waitFor();
  });

  test('consents, and the first Tab is at the first thing to do', async () => {
    const { world, person } = stage();
    const page = await (await person()).newPage();
    await page.goto(world.partnerApp);
    await button(page, 'Sign in').press('Enter');
    await provider(page).waitFor();
    await page.keyboard.press('Tab');
    expect(await provider(page).evaluate((one) => one === document.activeElement)).toBe(true);
    await page.keyboard.press('Enter');
    await press(page, somebody(page, 'grace'));
    await press(page, button(page, 'Allow'));
    await heading(page, 'Hello, Grace Hopper').waitFor();
  });
}
