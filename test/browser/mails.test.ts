/** E-mails, and the pages of the mail sink, as a browser shows them: in the light, in the dark, on a phone. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMailSink } from '../../dev/mail/sink.ts';
import type { MailSink } from '../../dev/mail/sink.ts';
import { createSmtp } from '../../src/mail/smtp.ts';
import { findings } from '../kit/axe.ts';
import { browserIsThere, openBrowser } from '../kit/browser.ts';
import { mailSamples } from '../views/mail_samples.ts';

const looks = [
  ['light', { colorScheme: 'light', viewport: { width: 1000, height: 760 } }],
  ['dark', { colorScheme: 'dark', viewport: { width: 1000, height: 760 } }],
  ['phone', { colorScheme: 'dark', viewport: { width: 320, height: 640 } }],
] as const;

/** A letter is read, and not gone about in. */
const ofPages = /^(region|landmark-one-main)\b/;

describe.skipIf(!browserIsThere())('e-mails in a browser', () => {
  let browser: Browser;
  let sink: MailSink;

  beforeAll(async () => {
    browser = await openBrowser();
    sink = await startMailSink({ ports: { smtp: 0, pages: 0 }, clock: Date.now });
    const smtp = createSmtp({ server: sink.server });
    const about = {
      from: { name: 'Northwind', address: 'id@northwind.example' },
      replyTo: undefined,
    };
    for (const [name, draw] of mailSamples) {
      const messageId = `<${name.replaceAll(' ', '-')}@northwind.example>`;
      await smtp.send({ ...about, ...draw(), to: 'nora@example.net', messageId });
    }
    smtp.close();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await sink.close();
  });

  it.each(looks)(
    '%s: nothing is cut, and nothing is in anybody’s way',
    async (_look, options) => {
      const context = await browser.newContext({ ...options });
      const page = await context.newPage();
      const fits = () =>
        page.evaluate(
          'document.documentElement.scrollWidth <= document.documentElement.clientWidth',
        );
      for (const [name, draw] of mailSamples) {
        await page.setContent(draw().html);
        const found = (await findings(page)).filter((one) => !ofPages.test(one));
        expect([name, await fits(), found]).toEqual([name, true, []]);
      }
      for (const path of ['/', '/messages/1', '/messages/999']) {
        await page.goto(`${sink.url}${path}`);
        expect([path, await fits()]).toEqual([path, true]);
      }
      await page.goto(sink.url);
      expect((await findings(page)).filter((one) => !ofPages.test(one))).toEqual([]);
      await context.close();
    },
    60_000,
  );
});
