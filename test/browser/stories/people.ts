/** Inviting, joining, switching, leaving, closing, handing over, and what is one's own: as people do it, on our pages. */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BrowserContext, Page } from 'playwright-core';
import { findings } from '../../kit/axe.ts';
import { button, heading, provider, somebody } from '../stage.ts';
import type { Stage } from '../stage.ts';

/** Set to a directory to keep a picture of each page on the way. */
const pictures = process.env.TOLLGATE_TEST_PICTURES;

const desk = { width: 1000, height: 760 };
const phone = { width: 320, height: 640 };
const looks = [
  ['dark', desk, 'dark'],
  ['phone', phone, 'light'],
  ['light', desk, 'light'],
] as const;

const longName = 'Donaudampfschifffahrtsgesellschaft Süd';

const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true });
const done = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text });

/** The page is accessible and fits the screen, in each look; a picture of it is kept where they are wanted. */
async function look(page: Page, name: string): Promise<void> {
  for (const [how, viewport, colorScheme] of looks) {
    await page.setViewportSize(viewport);
    // What is still on its way from one look to the other is in neither.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    if (pictures !== undefined) {
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, `people ${name}-${how}.png`), fullPage: true });
    }
    const wide = await page.evaluate(
      'document.documentElement.scrollWidth > document.documentElement.clientWidth',
    );
    expect([name, how, await findings(page), wide]).toEqual([name, how, [], false]);
  }
}

export function peopleStories(stage: () => Stage): void {
  const at = (path: string) => `${stage().world.issuer}${path}`;
  const directory = () => stage().world.server.directory;

  async function signedIn(key: string, path: string, context?: BrowserContext): Promise<Page> {
    const page = await (context ?? (await stage().person())).newPage();
    await page.goto(at(path));
    await provider(page).click();
    await somebody(page, key).click();
    await page.waitForURL(at(path));
    return page;
  }

  /** What the app with links has of its token. */
  const acts = (page: Page, account: string) =>
    page.locator('#answer', { hasText: account }).waitFor({ timeout: 20_000 });

  /** The newest e-mail to them, as its reader opens it. */
  async function linkSentTo(address: string, page: Page): Promise<string> {
    const { mail } = stage().world;
    await expect
      .poll(() => mail.mails.some(({ envelope }) => envelope.to.includes(address)), {
        timeout: 20_000,
      })
      .toBe(true);
    await page.goto(mail.url);
    await page.getByRole('link', { name: address }).first().click();
    const action = page.frameLocator('iframe').getByRole('link', { name: /invitation/i });
    return (await action.first().getAttribute('href')) ?? '';
  }

  test('somebody is invited by e-mail, joins, changes account, and leaves', async () => {
    const email = 'gabriele@example.com';
    const ada = await signedIn('ada', '/account/members?account=acc_acme');
    await link(ada, 'Invite somebody').click();
    await look(ada, 'invite');
    await ada.getByLabel('E-mail address').fill(email);
    await ada.getByRole('radio', { name: /^Member/ }).check();
    await button(ada, 'Invite').click();
    await done(ada, 'on its way').waitFor();
    await look(ada, 'members, invited');

    const guest = await (await stage().person()).newPage();
    await guest.goto(await linkSentTo(email, guest));
    await heading(guest, 'Join Acme').waitFor();
    await look(guest, 'invitation');
    await button(guest, 'Sign in and join').click();
    await provider(guest).click();
    await guest.getByText('Somebody else').click();
    await guest.locator('#name').fill(`Gabriele ${longName}`);
    await guest.locator('#email').fill(email);
    await guest.getByRole('button', { name: 'Continue as this person' }).click();
    await acts(guest, 'acc_acme');

    const { rows } = await directory().membersOf('acc_acme', { search: 'Gabriele', limit: 2 });
    const owner = rows[0]?.user ?? '';
    await directory().createAccount({ id: 'acc_own', name: longName, owner });
    await guest.goto(at('/account/accounts'));
    await look(guest, 'accounts');
    await link(guest, `Use: ${longName}`).click();
    await acts(guest, 'acc_own');

    await guest.goto(at('/account/accounts'));
    await link(guest, 'Leave: Acme').click();
    await heading(guest, 'Leave Acme?').waitFor();
    await look(guest, 'leave');
    await button(guest, 'Leave Acme').click();
    await done(guest, 'You left the account.').waitFor();
    await link(guest, `Leave: ${longName}`).click();
    await heading(guest, `You are the only owner of ${longName}`).waitFor();
    await look(guest, 'leave, only owner');
  });

  test('an owner changes a role, removes, closes and keeps, and hands over', async () => {
    await directory().addMember('acc_acme', 'usr_grace', ['member']);
    await directory().addMember('acc_acme', 'usr_linus', ['member']);
    const ada = await signedIn('ada', '/account/members?account=acc_acme');
    await link(ada, 'Change role: Linus Pauling').click();
    await look(ada, 'role');
    await ada.getByRole('radio', { name: /^Admin/ }).check();
    await button(ada, 'Change role').click();
    await done(ada, 'The role was changed.').waitFor();
    await link(ada, 'Remove: Linus Pauling').click();
    await look(ada, 'remove');
    await button(ada, 'Remove Linus Pauling').click();
    await done(ada, 'no longer belong').waitFor();

    await link(ada, 'Settings').click();
    await look(ada, 'settings');
    await link(ada, 'Close the account').click();
    await heading(ada, 'Close Acme?').waitFor();
    await look(ada, 'close');
    await ada.getByLabel('It is too expensive').check();
    await ada.getByLabel('What could have been better?').fill('We are three people.');
    await button(ada, 'Close the account').click();
    await heading(ada, 'Acme will be closed').waitFor();
    await look(ada, 'closing');
    await button(ada, 'Keep the account').click();
    await done(ada, 'The account stays.').waitFor();
    expect((await directory().account('acc_acme'))?.closing).toBeUndefined();

    await link(ada, 'Settings').click();
    await link(ada, 'Make somebody an owner').click();
    await look(ada, 'new owner');
    await ada.getByRole('radio', { name: /^Grace Hopper/ }).check();
    await ada.getByLabel('And you').selectOption({ label: 'I become Admin' });
    await button(ada, 'Make owner').click();
    await done(ada, 'The account has a new owner.').waitFor();
    await link(ada, 'Activity').click();
    await ada.getByText('Ada Lovelace removed Linus Pauling.').waitFor();
    await ada.getByText('Ada Lovelace took another role: Admin.').waitFor();
    await look(ada, 'activity');
    expect((await directory().account('acc_acme'))?.owners).toEqual(['usr_grace']);
  });

  test('somebody changes their profile, signs out a device, and takes their data along', async () => {
    // Linus is in no account that is open: what is his own is there all the same.
    const reaches = async () => {
      const page = await (await stage().person()).newPage();
      await page.goto(at('/account'));
      await provider(page).click();
      await somebody(page, 'linus').click();
      await heading(page, 'Your account is closed').waitFor();
      await link(page, 'Your profile and your data').click();
      await heading(page, 'Profile').waitFor();
      return page;
    };
    const other = await reaches();
    const page = await reaches();
    await page.getByLabel('Name').fill('Linus Carl Pauling');
    await button(page, 'Save').click();
    await done(page, 'Saved.').waitFor();
    await look(page, 'profile');
    for (const [tab, name] of [
      ['Ways to sign in', 'identities'],
      ['Apps', 'apps'],
      ['Devices', 'devices'],
    ] as const) {
      await link(page, tab).first().click();
      await heading(page, tab).waitFor();
      await look(page, name);
    }
    await page.getByRole('button', { name: /^Sign out Chrome/ }).click();
    await done(page, 'That device is signed out.').waitFor();
    await other.goto(at('/account'));
    await provider(other).waitFor();

    await link(page, 'Your data').click();
    await look(page, 'data');
    const download = page.waitForEvent('download');
    await button(page, 'Download your data').click();
    const file = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as object;
    expect(JSON.stringify(file)).toContain('Linus Carl Pauling');
    await link(page, 'Go on to deletion').click();
    await heading(page, 'Delete yourself?').waitFor();
    await look(page, 'delete');
    await button(page, 'Delete me').click();
    await page.getByRole('heading', { name: /^You will be deleted on/ }).waitFor();
    await look(page, 'data, deletion asked');
    await button(page, 'Keep me').click();
    await done(page, 'You stay.').waitFor();
  });

  test('without script and by keyboard alone somebody is invited', async () => {
    const context = await stage().person({ javaScriptEnabled: false });
    const page = await signedIn('grace', '/account/members?account=acc_piedpiper', context);
    const focused = page.locator(':focus');
    const tabTo = async (selector: string) => {
      for (let count = 0; count < 30; count += 1) {
        await page.keyboard.press('Tab');
        if ((await focused.and(page.locator(selector)).count()) > 0) return;
      }
      throw new Error(`Tab does not come to ${selector}`);
    };
    await tabTo('a.primary');
    await page.keyboard.press('Enter');
    await heading(page, 'Invite somebody').waitFor();
    await tabTo('#email');
    await page.keyboard.type('not-yet@example.com');
    await tabTo('[name=role]');
    await page.keyboard.press('ArrowUp');
    await tabTo('button.primary');
    await page.keyboard.press('Enter');
    await done(page, 'on its way').waitFor();
    const row = page.getByRole('listitem').filter({ hasText: 'not-yet@example.com' });
    expect(await row.innerText()).toContain('Admin');
  });
}
