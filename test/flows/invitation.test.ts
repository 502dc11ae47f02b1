/** Invitations over HTTP: from the link into the account, with whoever opens it. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import type { NewInvitation } from '../../src/directory/invitation_types.ts';
import { newcomer, signInAt, tokenAt } from '../kit/signup_world.ts';
import type { Who } from '../kit/signup_world.ts';
import { startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

let world: World;
let now = Date.now();
let count = 0;
/** An account of Ada's that nobody else is in. */
let team = '';
/** What the DNS says. */
const records = new Map<string, string[]>();

beforeAll(async () => {
  world = await startWorld({
    clock: () => now,
    findTexts: (name) => Promise.resolve(records.get(name) ?? []),
    config: { registration: 'invitation', returnOrigins: ['https://app.example.com'] },
  });
});
afterAll(() => world.close());
beforeEach(async () => {
  now += 1000;
  count += 1;
  team = `acc_team${count}`;
  await world.server.directory.createAccount({ id: team, name: 'Team', owner: 'usr_ada' });
});

const invitations = () => world.server.directory.invitations;

async function invite(input: Partial<NewInvitation> = {}): Promise<{ id: string; link: string }> {
  const wish = { account: team, by: 'usr_ada', ...input };
  const { invitation } = await invitations().invite(wish);
  const link = `${world.issuer}/invitation/${invitations().token(invitation.id)}`;
  return { id: invitation.id, link };
}

const someone = () => newcomer(`guest${count}`);
const press = (browser: Browser, page: Page, what: string) =>
  browser.submit(page, { button: `do=${what}` });

/** Opens the link, and says yes as whom. */
async function join(browser: Browser, link: string, who: Who): Promise<Page> {
  const page = await browser.get(link);
  return signInAt(browser, await press(browser, page, 'accept'), who);
}

const isIn = (page: Page) => page.stopped && page.url.startsWith('https://app.example.com/');

async function stateOf(id: string): Promise<string | undefined> {
  return (await invitations().get(id))?.document.state;
}

async function rolesAt(browser: Browser): Promise<unknown> {
  const { claims } = await tokenAt(browser, world.issuer);
  return { account: claims.account, roles: claims.roles };
}

describe('somebody new', () => {
  test('follows the link, signs in, and is in the app as a member', async () => {
    const who = { someone: someone() };
    const { id, link } = await invite({ email: who.someone.email, roles: ['admin'] });
    const browser = world.browser();
    const page = await browser.get(link);
    expect(page.status).toBe(200);
    expect(page.url).toBe(`${world.issuer}/invitation?invitation=${id}`);
    expect(page.text).toContain('Ada Lovelace invited you to Team');
    expect(page.text).toContain('Admin');
    // Whoever has the link is not told whom it was sent to.
    expect(page.text).not.toContain(who.someone.email);
    const end = await signInAt(browser, await press(browser, page, 'accept'), who);
    expect(isIn(end)).toBe(true);
    expect(await stateOf(id)).toBe('accepted');
    expect(await rolesAt(browser)).toEqual({ account: team, roles: ['admin'] });
  });

  test('gets no account of their own, also where anybody may come', async () => {
    const open = await startWorld({
      config: { registration: 'open', returnOrigins: ['https://app.example.com'] },
    });
    const who = { someone: someone() };
    const { directory } = open.server;
    const { invitation } = await directory.invitations.invite({
      account: 'acc_acme',
      email: who.someone.email,
    });
    const browser = open.browser();
    const link = `${open.issuer}/invitation/${directory.invitations.token(invitation.id)}`;
    const page = await browser.submit(await browser.get(link), { button: 'do=accept' });
    expect(isIn(await signInAt(browser, page, who))).toBe(true);
    const user = (await directory.invitations.get(invitation.id))?.document.candidate ?? '';
    expect((await directory.usableAccounts(user)).map(({ id }) => id)).toEqual(['acc_acme']);
    await open.close();
  });

  test('is let in though somebody else, to whom it was forwarded, waits already', async () => {
    const who = { someone: someone() };
    const { id, link } = await invite({ email: who.someone.email });
    await invitations().accept(id, 'usr_grace');
    expect(await stateOf(id)).toBe('waiting');
    expect(isIn(await join(world.browser(), link, who))).toBe(true);
    expect(await stateOf(id)).toBe('accepted');
    expect(await world.server.directory.membership('usr_grace', team)).toBeUndefined();
  });

  test('of another address finds that somebody waits, and takes nobody’s place', async () => {
    const { id, link } = await invite({ email: `other${count}@example.net` });
    await invitations().accept(id, 'usr_grace');
    const page = await join(world.browser(), link, { someone: someone() });
    expect(page.status).toBe(410);
    expect((await invitations().get(id))?.document).toMatchObject({
      state: 'waiting',
      candidate: 'usr_grace',
    });
  });

  test('is not let in without an invitation, or with one that is over', async () => {
    const who = { someone: someone() };
    const { id, link } = await invite({ email: who.someone.email });
    const stranger = world.browser();
    const refused = await signInAt(stranger, await stranger.get(`${world.issuer}/signin`), who);
    expect(refused.status).toBe(403);
    const browser = world.browser();
    const first = await press(browser, await browser.get(link), 'accept');
    await invitations().withdraw(team, id);
    expect((await signInAt(browser, first, who)).status).toBe(403);
  });

  test('who lost the cookie on the way is told to open the link again', async () => {
    const who = { someone: someone() };
    const { link } = await invite({ email: who.someone.email });
    const browser = world.browser();
    await browser.get(link);
    const bare = await world.browser().get(`${world.issuer}/invitation`);
    expect(bare.status).toBe(404);
    expect(bare.text).toContain('Open your invitation again');
    expect(isIn(await join(browser, link, who))).toBe(true);
  });

  test('opening the link accepts nothing, however often a mail scanner does', async () => {
    const { id, link } = await invite({ email: someone().email });
    for (let opened = 0; opened < 3; opened += 1) await world.browser().get(link);
    expect(await stateOf(id)).toBe('open');
  });
});

describe('somebody who is known', () => {
  test('joins with one click, and declines with one', async () => {
    const { id, link } = await invite({ email: 'grace@example.com' });
    const browser = world.browser();
    const signedIn = await browser.get(`${world.issuer}/signin`);
    await signInAt(browser, signedIn, { person: 'grace' });
    const page = await browser.get(link);
    expect(page.text).toContain('You are signed in as grace@example.com');
    const declined = await press(browser, page, 'decline');
    expect(declined.text).toContain('You have said no');
    expect(await stateOf(id)).toBe('declined');
    const again = await invite({ email: 'GRACE@Example.com' });
    expect(again.id).not.toBe(id);
    const end = await press(browser, await browser.get(again.link), 'accept');
    expect(isIn(end)).toBe(true);
    expect(await rolesAt(browser)).toEqual({ account: team, roles: ['member'] });
    // The token again: nothing happens twice.
    const used = await browser.get(again.link);
    expect(used.status).toBe(200);
    expect(used.text).toContain('You are in Team');
    const stranger = await world.browser().get(again.link);
    expect(stranger.status).toBe(410);
    expect(stranger.text).toContain('This invitation was used');
  });

  test('signed in as somebody else: asks, is confirmed, and is in', async () => {
    const { id, link } = await invite({ email: 'other@acme.example' });
    const browser = world.browser();
    await signInAt(browser, await browser.get(`${world.issuer}/signin`), {
      person: 'grace',
      account: 'acc_initech',
    });
    const page = await browser.get(link);
    expect(page.text).toContain('other@acme.example');
    expect(page.text).toContain('grace@example.com');
    const asked = await press(browser, page, 'accept');
    expect(asked.text).toContain('You have asked to join');
    expect(await stateOf(id)).toBe('waiting');
    expect(await world.server.directory.membership('usr_grace', team)).toBeUndefined();
    expect(await invitations().waiting(team)).toBe(1);
    await invitations().confirm(team, id, 'usr_ada');
    expect((await browser.get(link)).text).toContain('You are in Team');
  });

  test('signed in as somebody else: uses another sign-in', async () => {
    const who = { someone: someone() };
    const { id, link } = await invite({ email: who.someone.email });
    const browser = world.browser();
    await signInAt(browser, await browser.get(`${world.issuer}/signin`), { person: 'grace' });
    const page = await browser.get(link);
    // The one who was signed in before is signed out by a page that goes on by itself.
    const out = await signInAt(browser, await press(browser, page, 'other'), who);
    const there = await browser.submit(out);
    expect(there.text).toContain(`You are signed in as ${who.someone.email}`);
    expect(await stateOf(id)).toBe('open');
    expect(isIn(await press(browser, there, 'accept'))).toBe(true);
    expect(await rolesAt(browser)).toMatchObject({ account: team });
  });

  test('is invited to three accounts, and joins them one after the other', async () => {
    const who = { someone: someone() };
    const accounts = ['acc_acme', 'acc_globex', 'acc_initech'];
    const links: string[] = [];
    for (const account of accounts) {
      links.push(
        (
          await invite({
            account,
            by: account === 'acc_initech' ? 'usr_grace' : 'usr_ada',
            email: who.someone.email,
          })
        ).link,
      );
    }
    const browser = world.browser();
    const pages: Page[] = [];
    for (const link of links) pages.push(await browser.get(link));
    // The first of three tabs, though the last one was opened later.
    expect(isIn(await signInAt(browser, await press(browser, pages[0]!, 'accept'), who))).toBe(
      true,
    );
    expect(await rolesAt(browser)).toMatchObject({ account: 'acc_acme' });
    for (const index of [1, 2]) {
      expect(isIn(await press(browser, await browser.get(links[index]!), 'accept'))).toBe(true);
      expect(await rolesAt(browser)).toMatchObject({ account: accounts[index] });
    }
  });
});

describe('an invitation that is of no use', () => {
  test.each([
    ['run out', 'has run out', async () => void (now += 8 * 86_400_000)],
    ['withdrawn', 'no longer open', (id: string) => invitations().withdraw(team, id)],
    [
      'of an inviter who may not any more',
      'no longer open',
      () => world.server.directory.setUserStatus('usr_ada', 'disabled'),
    ],
  ])('%s says so', async (_name, says, end) => {
    const { id, link } = await invite({ email: someone().email });
    const before = now;
    await end(id);
    const page = await world.browser().get(link);
    // The library has a clock of its own, and gives no tokens in the future.
    now = before;
    await world.server.directory.setUserStatus('usr_ada', 'active');
    expect(page.status).toBe(410);
    expect(page.text).toContain(says);
  });

  test('of a closed account says so', async () => {
    const { directory } = world.server;
    await directory.createAccount({ id: `acc_shut${count}`, name: 'Shut', owner: 'usr_ada' });
    const { link } = await invite({ account: `acc_shut${count}`, email: someone().email });
    await directory.closeAccount(`acc_shut${count}`);
    const page = await world.browser().get(link);
    expect(page.status).toBe(410);
    expect(page.text).toContain('Shut is closed');
  });

  test('T75 with a token that is altered, or of another purpose, is none', async () => {
    const { id, link } = await invite({ email: someone().email });
    const altered = `${link.slice(0, -1)}${link.endsWith('A') ? 'B' : 'A'}`;
    const other = link.replace(id, `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`);
    for (const address of [altered, other, `${world.issuer}/invitation/${id}`]) {
      expect((await world.browser().get(address)).status).toBe(404);
    }
  });
});

describe('attacks', () => {
  test('T74 the id of somebody else’s invitation shows nothing, and accepts nothing', async () => {
    const { id } = await invite({ email: someone().email });
    const browser = world.browser();
    await signInAt(browser, await browser.get(`${world.issuer}/signin`), { person: 'grace' });
    const page = await browser.get(`${world.issuer}/invitation?invitation=${id}`);
    const none = await browser.get(`${world.issuer}/invitation?invitation=inv_none`);
    expect(page.status).toBe(404);
    expect(page.text).toBe(none.text);
    const own = await invite({ email: 'grace@example.com' });
    const form = await browser.get(own.link);
    const posted = await browser.submit(form, { button: 'do=decline', fields: { invitation: id } });
    expect(posted.status).toBe(404);
    expect(await stateOf(id)).toBe('open');
  });

  test('T75 a crafted form raises no role, and names no other account', async () => {
    const who = { someone: someone() };
    const { link } = await invite({ email: who.someone.email });
    const browser = world.browser();
    const page = await browser.get(link);
    const fields = { roles: 'owner', role: 'owner', account: 'acc_globex' };
    const token = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const invitation = new URL(page.url).searchParams.get('invitation') ?? '';
    const crafted = { ...fields, csrf: token, invitation, do: 'accept' };
    const end = await signInAt(
      browser,
      await browser.post(`${world.issuer}/invitation`, crafted, { from: page }),
      who,
    );
    expect(isIn(end)).toBe(true);
    expect(await rolesAt(browser)).toEqual({ account: team, roles: ['member'] });
  });

  test('a form of another site is refused', async () => {
    const { id, link } = await invite({ email: 'grace@example.com' });
    const browser = world.browser();
    await signInAt(browser, await browser.get(`${world.issuer}/signin`), { person: 'grace' });
    await browser.get(link);
    const fields = { invitation: id, do: 'accept' };
    expect((await browser.post(`${world.issuer}/invitation`, fields)).status).toBe(403);
    expect(await stateOf(id)).toBe('open');
  });

  test('a page that was made for one person takes nothing up for who signs in next', async () => {
    const { link, id } = await invite();
    const browser = world.browser();
    const signIn = async (person: 'grace' | 'linus') => {
      const begun = await browser.get(`${world.issuer}/signin?again=yes`);
      const page = await signInAt(browser, begun, { person });
      // The one who was signed in before is signed out by a page that goes on by itself.
      if (page.title.startsWith('One moment')) await browser.submit(page);
    };
    const atFirst = await browser.get(link);
    await signIn('grace');
    // It named nobody: it is shown again, with whom it is about.
    const shown = await press(browser, atFirst, 'accept');
    expect(shown.text).toContain('You are signed in as grace@example.com');
    expect(await stateOf(id)).toBe('open');
    await signIn('linus');
    expect((await browser.get(link)).text).toContain('You are signed in as linus@example.com');
    for (const what of ['accept', 'decline']) {
      expect((await press(browser, shown, what)).status).toBe(403);
    }
    expect(await stateOf(id)).toBe('open');
    expect(await world.server.directory.membership('usr_linus', team)).toBeUndefined();
    expect(isIn(await press(browser, await browser.get(link), 'accept'))).toBe(true);
  });

  test('the token is in no line of the log', async () => {
    const { link } = await invite({ email: someone().email });
    const token = link.slice(link.lastIndexOf('/') + 1);
    await world.browser().get(link);
    expect(JSON.stringify(world.log.lines)).toContain('/invitation');
    const { redact } = await import('../../src/base/redact.ts');
    expect(JSON.stringify(world.log.lines.map((line) => redact(line)))).not.toContain(
      token.slice(-20),
    );
  });
});

describe('somebody without an account', () => {
  /** Signs in for the app, as who is known but belongs to nothing. */
  async function signIn(browser: Browser, email: string): Promise<Page> {
    const subject = `alone-${count}`;
    const identities = [{ provider: 'upstream', issuer: world.upstream.issuer, subject }];
    await world.server.directory.createUser({ name: 'Alone', identities });
    const who = { someone: { subject, name: 'Alone', email } };
    return signInAt(browser, await browser.get(`${world.issuer}/signin`), who);
  }

  test('is shown what they are invited to, and joins from there', async () => {
    const email = `alone${count}@example.net`;
    const { id } = await invite({ email });
    const browser = world.browser();
    const page = await signIn(browser, email);
    expect(page.status).toBe(403);
    const invitation = await browser.follow(page, 'See the invitation to Team');
    expect(isIn(await press(browser, invitation, 'accept'))).toBe(true);
    expect(await stateOf(id)).toBe('accepted');
    expect(await rolesAt(browser)).toEqual({ account: team, roles: ['member'] });
  });

  test.each(['join', 'ask'] as const)('finds the account of their domain: %s', async (mode) => {
    const domain = `team${count}.example`;
    const { domains } = world.server.directory;
    const entry = await domains.add(team, domain);
    const { name, value } = domains.record(entry);
    records.set(name, [value]);
    await domains.prove(team, domain);
    await domains.set(team, domain, { mode, roles: ['member'] });
    const browser = world.browser();
    const page = await signIn(browser, `alone@${domain}`);
    // A crafted account is none of theirs (T74).
    const forged = await browser.submit(page, { form: '/domain', fields: { account: 'acc_acme' } });
    expect(forged.status).toBe(404);
    const end = await browser.submit(page, { form: '/domain' });
    if (mode === 'join') {
      expect(isIn(end)).toBe(true);
      expect(await rolesAt(browser)).toEqual({ account: team, roles: ['member'] });
    } else {
      expect(end.text).toContain('You have asked to join');
      const again = await browser.get(`${world.issuer}/signin`);
      expect(again.text).toContain('Somebody there has to say yes');
      const [asked] = (await invitations().list(team)).rows;
      await invitations().confirm(team, asked?.id ?? '', 'usr_ada');
      expect(isIn(await browser.get(`${world.issuer}/signin`))).toBe(true);
    }
  });
});
