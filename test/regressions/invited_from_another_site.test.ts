/**
 * Who accepted an invitation and signed in for it was asked for the account once more: the way back from the provider,
 * which is another site, was taken for a link of that site.
 */

import { expect, test } from 'vitest';
import { freePortBase, portsFrom } from '../../dev/ports.ts';
import { createBrowser } from '../../dev/walk.ts';
import { startWorld } from '../../dev/world.ts';
import { recordingLog } from '../kit/server.ts';

test('an invitation leads into its account by one click and a sign-in elsewhere', async () => {
  const ports = portsFrom(await freePortBase());
  const options = { ports, store: 'sqlite::memory:', clock: Date.now, log: recordingLog() };
  const world = await startWorld(options);
  try {
    const { invitations } = world.server.directory;
    const wish = { account: 'acc_acme', by: 'usr_ada', email: 'linus@example.com' };
    const { invitation } = await invitations.invite(wish);
    const browser = createBrowser();
    const link = `${world.issuer}/invitation/${invitations.token(invitation.id)}`;
    const login = await browser.submit(await browser.get(link), { button: 'do=accept' });
    const provider = await browser.submit(login, { button: 'provider=example' });
    expect(new URL(provider.url).hostname).not.toBe(new URL(world.issuer).hostname);
    const end = await browser.submit(provider, { button: 'person=linus' });
    expect(end.url).toBe(`${world.linksApp}/`);
  } finally {
    await world.close();
  }
});
