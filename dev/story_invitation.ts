/** The part of the story in which somebody is invited: the e-mail that comes, and the way from it into the account. */

import { setTimeout as delay } from 'node:timers/promises';
import { people } from './people.ts';
import { expect, press } from './story_app.ts';
import type { Steps } from './story_app.ts';
import { createBrowser } from './walk.ts';
import type { World } from './world.ts';

const longestWaitMs = 15_000;
const betweenLooksMs = 50;

interface Arrived {
  to: string[];
  subject: string;
  links: string[];
}

export async function somebodyIsInvited(world: World, { step }: Steps): Promise<void> {
  const { directory } = world.server;
  const { email } = people.linus;
  const account = 'acc_acme';

  const link = await step('Ada invites Linus to Acme: he has an e-mail', async () => {
    await directory.invitations.invite({ account, by: 'usr_ada', email, roles: ['member'] });
    const { subject, links } = await arrived(world.mail.url, email);
    const [first = ''] = links;
    expect(first.startsWith(`${world.issuer}/invitation/`), 'it has a link into the account');
    return { value: first, shows: { to: email, subject } };
  });

  await step('Linus follows it, signs in, and is in the account', async () => {
    const browser = createBrowser();
    const page = await press(browser, await browser.get(link), ['do=accept', 'person=linus']);
    const membership = await directory.membership('usr_linus', account);
    expect(membership?.roles.includes('member') === true, `he is a member (${page.title})`);
    expect(page.url === `${world.linksApp}/`, `he is at the app, and asked nothing (${page.url})`);
    return { value: undefined, shows: { roles: membership?.roles, at: page.url } };
  });
}

/** As a program that looks into its mailbox. */
async function arrived(url: string, to: string): Promise<Arrived> {
  const giveUpAt = performance.now() + longestWaitMs;
  while (performance.now() < giveUpAt) {
    const mails = (await (await fetch(`${url}/messages.json`)).json()) as Arrived[];
    const mail = mails.find((one) => one.to.includes(to) && one.links.length > 0);
    if (mail !== undefined) return mail;
    await delay(betweenLooksMs);
  }
  throw new Error('no e-mail came');
}
