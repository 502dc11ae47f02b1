/** What pages of other sites can do to somebody who is signed in: nothing (T44, T56). */

import { expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import {
  account,
  button,
  clientsElsewhere,
  heading,
  isSignedIn,
  provider,
  requestOf,
  signIn,
  somebody,
} from '../stage.ts';
import type { Stage } from '../stage.ts';

/** A form that sends itself, with what somebody who knows our pages would put in. */
const formTo = (address: string, fields: Record<string, string>, target = '') =>
  `<form method="post" action="${address}" target="${target}">
    ${Object.entries(fields)
      .map(([name, value]) => `<input name="${name}" value="${value}">`)
      .join('')}
  </form><script>document.forms[0].submit()</script>`;

const guesses = { csrf: 'abcdef.mac', xsrf: 'guessed', logout: 'yes' };

export function crossSiteStories(stage: () => Stage): void {
  /** Signed in at both apps. */
  async function signedIn() {
    const context = await stage().person();
    const page = await context.newPage();
    const { world } = stage();
    await signIn(page, world.oidcApp);
    await page.goto(`${world.issuer}/signin`);
    await account(page).click();
    await page.waitForURL(`${world.linksApp}/`);
    await nothingHappened(page);
    return { ...stage(), context, page };
  }

  /** Both sessions are alive. */
  async function nothingHappened(page: Page): Promise<void> {
    const { world } = stage();
    const own = await page.context().newPage();
    await own.goto(world.linksApp);
    await own.locator('#words', { hasText: 'usr_ada acts for acc_acme' }).waitFor();
    await own.close();
    expect(await isSignedIn(stage(), page.context())).toBe(true);
  }

  // Another port of our own host is the same site to a browser, with all cookies, and still not us.
  test.each([
    ['of another site', 'evil'],
    ['of another origin of our site', undefined],
  ])('forms %s are refused', async (_what, name) => {
    const { world, sites, page } = await signedIn();
    const places = ['/signout', '/refresh', '/oauth2/logout/confirm', '/oauth2/logout'];
    for (const place of places) {
      const form = formTo(`${world.issuer}${place}`, guesses);
      const answer = page.waitForResponse(`${world.issuer}${place}`);
      await page.goto(sites.put(`${sites.origin(name)}/form`, { page: form }));
      expect([400, 403, 404]).toContain((await answer).status());
      await nothingHappened(page);
    }
  });

  test('forms to a sign-in that is under way change nothing in it', async () => {
    const { world, sites, page } = await signedIn();
    await page.goto(world.oidcApp);
    await button(page, 'Switch account').click();
    await account(page, 'acc_globex').waitFor();
    const chooser = page.url();
    const other = await page.context().newPage();
    for (const name of ['evil', undefined]) {
      const fields = { ...guesses, step: 'select_account', account: 'acc_initech' };
      const form = formTo(chooser, fields);
      const answer = other.waitForResponse(chooser);
      await other.goto(sites.put(`${sites.origin(name)}/form`, { page: form }));
      expect([403, 410]).toContain((await answer).status());
    }
    await nothingHappened(page);
    await account(page, 'acc_globex').click();
    await page.getByText('acc_globex').first().waitFor();
  });

  test('frames stay empty, and what is sent from them changes nothing', async () => {
    const { world, sites, page, refuses } = await signedIn();
    refuses(/^ ?Framing '.*"frame-ancestors 'none'"/);
    const places = [
      `${world.issuer}/signout`,
      `${world.issuer}/oauth2/logout`,
      `${world.issuer}/signin`,
      requestOf(stage(), clientsElsewhere.asked, { prompt: 'consent' }),
      `${world.issuer}/nothing-here`,
    ];
    for (const name of ['evil', undefined]) {
      const frames = places.map(
        (place) => `<iframe src="${place.replaceAll('&', '&amp;')}"></iframe>`,
      );
      await page.goto(sites.put(`${sites.origin(name)}/frames`, { page: frames.join('') }));
      await page.waitForLoadState('load');
      // Who is signed in is sent on by `/signin` at once, and not shown anything of ours on the way.
      const inside = () => page.frames().map((frame) => frame.url());
      const blocked = () => inside().filter((url) => url.startsWith('chrome-error:')).length;
      await expect.poll(blocked).toBeGreaterThanOrEqual(places.length - 1);
      expect(inside().filter((url) => url.startsWith(world.issuer))).toEqual([]);
      await nothingHappened(page);
    }
    const sandboxed = formTo(`${world.issuer}/signout`, guesses, '_self').replaceAll('"', '&quot;');
    const frame = `<iframe sandbox="allow-forms allow-scripts" srcdoc="${sandboxed}"></iframe>`;
    await page.goto(sites.put(`${sites.origin('evil')}/sandbox`, { page: frame }));
    // The answer came, and was not shown.
    await expect.poll(() => page.frames()[1]?.url()).toMatch(/^chrome-error:/);
    await nothingHappened(page);
  });

  test('pictures, prefetches and scripts of other sites change nothing and read nothing', async () => {
    const { world, sites, page, refuses } = await signedIn();
    refuses(/blocked by CORS policy/);
    const loads = `<img src="${world.issuer}/signout"><img src="${world.issuer}/signin">
      <link rel="prefetch" href="${world.issuer}/signout">
      <script src="${world.issuer}/signout"></script>`;
    for (const name of ['evil', undefined]) {
      await page.goto(sites.put(`${sites.origin(name)}/loads`, { page: loads }));
      const read = await page.evaluate(async (issuer) => {
        const attempts = (['cors', 'no-cors'] as const).flatMap((mode) =>
          [
            ['POST', '/refresh'],
            ['POST', '/signout'],
            ['GET', '/signout'],
            ['GET', '/signin'],
            ['GET', '/oauth2/logout'],
          ].map(([method, place]) =>
            fetch(`${issuer}${place}`, { method, mode, credentials: 'include' })
              .then((answer) => answer.text())
              .catch(() => ''),
          ),
        );
        return Promise.all(attempts);
      }, world.issuer);
      expect(read.join('')).toBe('');
      await nothingHappened(page);
    }
  });

  test('a sign-in in a popup keeps its opener, all the way', async () => {
    const { sites, person } = stage();
    const done = '<script>opener.postMessage(location.search, origin); close()</script>';
    sites.put(`${sites.origin('client')}/callback`, { page: done });
    const request = requestOf(stage(), clientsElsewhere.trusted).replaceAll('&', '&amp;');
    const app = `<h1>App</h1><a href="${request}" target="signin" rel="opener">Sign in</a>
      <script>onmessage = ({ data }) => { document.querySelector('h1').textContent = data }</script>`;
    const page = await (await person()).newPage();
    await page.goto(sites.put(`${sites.origin('client')}/app`, { page: app }));
    const opened = page.waitForEvent('popup');
    await page.getByRole('link').click();
    const popup = await opened;
    const closed = popup.waitForEvent('close');
    await provider(popup).click();
    await somebody(popup, 'ada').click();
    await account(popup).click();
    await closed;
    await heading(page, /code=/).waitFor();
  });
}
