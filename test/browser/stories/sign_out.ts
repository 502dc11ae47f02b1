/** Signing out, asked and unasked (OpenID Connect RP-Initiated Logout 1.0 §2). */

import { expect, test } from 'vitest';
import { button, heading, isSignedIn, signIn } from '../stage.ts';
import type { Stage } from '../stage.ts';

export function signOutStories(stage: () => Stage): void {
  async function signedIn() {
    const { world, person } = stage();
    const context = await person();
    const page = await context.newPage();
    await signIn(page, world.oidcApp);
    return { ...stage(), context, page };
  }

  test('with the ID token as a hint nobody is asked', async () => {
    const { world, context, page } = await signedIn();
    const shown: string[] = [];
    page.on('framenavigated', (frame) => shown.push(frame.url()));
    await button(page, 'Sign out').click();
    await button(page, 'Sign in').waitFor();
    expect(shown).toEqual([`${world.oidcApp}/`]);
    expect(await isSignedIn(stage(), context)).toBe(false);
  });

  test('without a hint there is a question, and who stays is told so', async () => {
    const { world, context, page } = await signedIn();
    await page.goto(`${world.issuer}/oauth2/logout`);
    await heading(page, 'Sign out?').waitFor();
    await page.reload();
    await button(page, 'Stay signed in').dblclick();
    await heading(page, 'You are still signed in').waitFor();
    await page.reload();
    await heading(page, 'You are still signed in').waitFor();
    expect(await isSignedIn(stage(), context)).toBe(true);
  });

  test('without a hint there is a question, and who leaves is told so', async () => {
    const { world, context, page } = await signedIn();
    await page.goto(`${world.issuer}/oauth2/logout`);
    await button(page, 'Sign out').dblclick();
    await heading(page, 'You are signed out').waitFor();
    await page.reload();
    await heading(page, 'You are signed out').waitFor();
    await page.goBack();
    expect(await isSignedIn(stage(), context)).toBe(false);
    // Nobody is there to be asked.
    const { id, url } = world.client;
    const query = new URLSearchParams({ client_id: id, post_logout_redirect_uri: `${url}/` });
    await page.goto(`${world.issuer}/oauth2/logout?${query}`);
    await page.waitForURL(`${url}/`);
  });

  test('who types the address of /signout means it', async () => {
    const { world, context, page } = await signedIn();
    await page.goto(`${world.issuer}/signout`);
    expect(page.url()).toBe(`${world.linksApp}/`);
    expect(await isSignedIn(stage(), context)).toBe(false);
  });

  test('who follows a link of another site to /signout is asked (T44, T56)', async () => {
    const { world, sites, context, page } = await signedIn();
    const kittens = `<a href="${world.issuer}/signout">Free kittens</a>`;
    const address = sites.put(`${sites.origin('evil')}/link`, { page: kittens });
    for (const [answer, stays] of [
      [page.getByRole('link', { name: 'Stay signed in' }), true],
      [button(page, 'Sign out of this app only'), true],
      [button(page, 'Sign out of all apps'), false],
    ] as const) {
      await page.goto(address);
      await page.getByRole('link').click();
      await heading(page, 'Sign out?').waitFor();
      await page.reload();
      await answer.click();
      await page.waitForURL(`${world.linksApp}/`);
      expect(await isSignedIn(stage(), context)).toBe(stays);
    }
  });
}
