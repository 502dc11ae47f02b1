/** Signing up, paying, changing and ending, as people do it: through our pages and the simulated Stripe's. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { cards } from '../../../dev/stripe/cards.ts';
import { findings } from '../../kit/axe.ts';
import { button, heading, provider } from '../stage.ts';
import type { Stage } from '../stage.ts';

/** Set to a directory to keep a picture of each page on the way. */
const pictures = process.env.TOLLGATE_TEST_PICTURES;
const day = 86_400_000;

const looks: [name: string, options: BrowserContextOptions][] = [
  ['light', { viewport: { width: 1000, height: 760 }, colorScheme: 'light' }],
  ['dark', { viewport: { width: 1000, height: 760 }, colorScheme: 'dark' }],
  ['phone', { viewport: { width: 320, height: 640 }, colorScheme: 'light' }],
];

const card = (page: Page, number: string) => page.locator(`[name=card][value="${number}"]`);
const link = (page: Page, name: string | RegExp) => page.getByRole('link', { name });

/** The page is accessible and fits the screen; a picture of it is kept where they are wanted. */
async function look(page: Page, name: string, at: string): Promise<void> {
  if (pictures !== undefined) {
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `journey ${name}-${at}.png`), fullPage: true });
  }
  const wide = await page.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  );
  expect([name, await findings(page), wide]).toEqual([name, [], false]);
}

/** Somebody whom nobody has seen before. */
async function isNew(page: Page, name: string): Promise<void> {
  await provider(page).click();
  await page.getByText('Somebody else').click();
  await page.locator('#name').fill(name);
  await page.locator('#email').fill(`${name.toLowerCase().replaceAll(' ', '-')}@example.com`);
  await page.getByRole('button', { name: 'Continue as this person' }).click();
}

export function billingStories(stage: () => Stage): void {
  /** What the app shows of its token. */
  const shows = (page: Page, text: RegExp) =>
    page.locator('#answer', { hasText: text }).waitFor({ timeout: 20_000 });

  test.each(looks)(
    'signs up with a card, changes the plan, fails, pays, and cancels with a reason: %s',
    async (how, options) => {
      const { world, person } = stage();
      const { linksApp, stripe } = world;
      const page = await (await person(options)).newPage();

      await page.goto(linksApp);
      await link(page, 'Sign up').click();
      await look(page, 'plans', how);
      const team = page.locator('form', { hasText: 'Team' });
      await team.locator('[name=quantity]').fill('3');
      await team.locator('[name=period][value=month]').click();
      await isNew(page, `Nora ${how}`);
      await heading(page, /^Try /).waitFor();
      await look(page, 'checkout', how);
      await card(page, cards.declined).click();
      await page.getByRole('alert').waitFor();
      await look(page, 'checkout declined', how);
      await card(page, cards.authenticates).click();
      await heading(page, 'Your bank asks').waitFor();
      await look(page, 'bank', how);
      await button(page, 'Allow').click();
      await page.waitForURL(`${linksApp}/`);
      await shows(page, /"subscription_status": "trialing"[^]*"plan": "team"/);

      await link(page, 'Change to Business').click();
      await heading(page, 'Confirm the change').waitFor();
      await look(page, 'portal confirm', how);
      await button(page, 'Confirm').click();
      await backTo(page, linksApp);
      await shows(page, /"plan": "business"/);

      await link(page, 'Billing').click();
      await heading(page, 'All is paid').waitFor();
      await look(page, 'account', how);
      await link(page, 'See the invoices').click();
      await heading(page, /^Your subscriptions/).waitFor();
      await look(page, 'portal', how);
      await link(page, 'Change the payment method').click();
      await look(page, 'portal payment', how);
      await card(page, cards.failsLater).click();
      await heading(page, 'Done').waitFor();
      await look(page, 'portal done', how);
      // From when it listens the app hears of changes by itself.
      const listens = page.waitForResponse((answer) => answer.url().endsWith('/session/events'));
      await link(page, /^Return to/).click();
      await listens;

      await stripe.advance(33 * day);
      await shows(page, /"subscription_status": "past_due"/);
      await page.goto(
        `${world.issuer}/account/billing?return_to=${encodeURIComponent(`${linksApp}/`)}`,
      );
      await heading(page, 'A payment is late').waitFor();
      await look(page, 'account late', how);
      await link(page, 'Pay now').click();
      await link(page, 'Change the payment method').click();
      await card(page, cards.pays).click();
      await link(page, 'All subscriptions').click();
      await look(page, 'portal unpaid', how);
      await page
        .getByRole('button', { name: /^Pay €/ })
        .first()
        .click();
      await heading(page, 'Done').waitFor();
      await link(page, /^Return to/).click();
      await page.waitForURL(`${linksApp}/`);
      await shows(page, /"subscription_status": "active"/);

      await link(page, 'Billing').click();
      await heading(page, 'All is paid').waitFor();
      await link(page, 'Cancel the plan').click();
      await look(page, 'portal cancel', how);
      await page.getByLabel('It is too expensive').check();
      await page.getByLabel('Anything else?').fill('We are three people.');
      await button(page, 'Cancel the subscription').click();
      await backTo(page, linksApp);
      await shows(page, /"cancel_at": \d+/);
      await link(page, 'Billing').click();
      await heading(page, 'The plan is going to end').waitFor();
      await look(page, 'account ending', how);

      await page.goto(`${stripe.url}/dashboard`);
      await look(page, 'dashboard', how);
    },
  );

  test('without script: signs up, pays, and is signed in', async () => {
    const { world, person } = stage();
    const page = await (await person({ javaScriptEnabled: false })).newPage();
    await page.goto(world.oidcApp);
    await link(page, 'Sign up').click();
    const starter = page.locator('form', { hasText: 'Starter' });
    await starter.locator('[name=period][value=year]').click();
    await isNew(page, 'Without Script');
    await heading(page, /^Pay /).waitFor();
    await card(page, cards.pays).click();
    await page.waitForURL(`${world.oidcApp}/`);
    await button(page, 'Sign in').click();
    await page.locator('pre', { hasText: '"plan": "starter"' }).waitFor();
    await link(page, 'Billing').click();
    await link(page, 'Cancel the plan').click();
    await button(page, 'Cancel the subscription').click();
    await page.waitForURL(`${world.oidcApp}/`);
    await button(page, 'Refresh the token').click();
    await button(page, 'Call the service').click();
    await page.locator('pre', { hasText: '"cancel_at"' }).waitFor();
  });

  test('who leaves Checkout can go on later, and nothing is lost', async () => {
    const { world, person } = stage();
    const { issuer, linksApp, product } = world;
    const page = await (await person()).newPage();
    await page.goto(`${issuer}/signup?product=${product}&plan=starter&period=month`);
    await isNew(page, 'Hesitant');
    await link(page, /^Back to/).click();
    await page.waitForURL(`${linksApp}/**`);
    await page.goto(`${issuer}/signup?product=${product}&plan=starter&period=month`);
    await card(page, cards.pays).click();
    await page.waitForURL(`${linksApp}/**`);
    await shows(page, /"plan": "starter"/);
  });
}

/** From the portal: by itself, or by its link. */
async function backTo(page: Page, app: string): Promise<void> {
  const way = link(page, /^Return to/).or(page.locator('#answer'));
  await way.first().waitFor();
  if (!page.url().startsWith(app)) await link(page, /^Return to/).click();
  await page.waitForURL(`${app}/**`);
}
