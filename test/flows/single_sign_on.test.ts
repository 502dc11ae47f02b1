/** Single sign-on among the apps of a company: in with the first, out of one or of all. */

import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { authorizationRequest, claimsOf, clients, goThrough, revoke } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { redeem, refresh, signIn, silently, startProtocolWorld } from '../protocol/kit.ts';
import { openTold } from '../protocol/told.ts';
import type { Told } from '../protocol/told.ts';
import { app as linksApp } from '../regressions/kit.ts';

const desk = 'http://127.0.0.1:1/callback';
const stopAt = (url: URL) =>
  url.hostname.endsWith('.example.com') || url.origin === new URL(linksApp).origin;

let world: World;
let told: Told;

beforeAll(async () => {
  world = await startProtocolWorld({
    signin: { success: `${linksApp}/` },
    signout: { success: `${linksApp}/bye` },
    clients: [
      ...clients.map((client) =>
        ['app', 'other'].includes(client.id)
          ? { ...client, backchannelLogoutUri: `http://127.0.0.1:1/${client.id}` }
          : client,
      ),
      {
        id: 'desk',
        name: 'The desktop app',
        applicationType: 'native',
        redirectUris: ['http://127.0.0.1/callback'],
        product: 'api',
      },
      {
        id: 'invoices',
        name: 'The invoices app',
        redirectUris: ['https://invoices.example.com/callback'],
        product: 'billing',
        public: true,
      },
    ],
  });
  told = await openTold(world);
});

afterAll(async () => {
  await world?.close();
});

const browser = () => world.browser({ stopAt });
/** Grace has one account, so nothing is to be chosen. */
const grace = { person: 'grace', account: 'acc_initech' } as const;

/** Without a page: what the app gets. */
async function inSilence(
  person: Browser,
  client: string,
  parameters: Record<string, string> = {},
): Promise<Record<string, string>> {
  const { request, parameters: answer } = await silently(world.issuer, person, client, parameters);
  expect(answer.get('error')).toBeNull();
  const { body, status } = await redeem(world.issuer, request);
  expect(status).toBe(200);
  return body;
}

async function errorInSilence(person: Browser, client: string, more: Record<string, string> = {}) {
  return (await silently(world.issuer, person, client, more)).parameters.get('error');
}

const alive = async (client: string, { refresh_token: token = '' }: { refresh_token?: string }) =>
  (await refresh(world.issuer, client, token)).status === 200;

const sidOf = (client: string, { id_token: token }: { id_token?: string }) =>
  `${client} ${String(claimsOf(token).sid)}`;

/** The apps that are told that this person is out, each with the session that it is told of. */
async function toldWhile(act: () => Promise<unknown>, user = 'usr_grace'): Promise<string[]> {
  const tokens = await told.logoutTokens(await told.eventsOf(act, user));
  const keys = createRemoteJWKSet(new URL(`${world.issuer}/oauth2/jwks`));
  const heard: string[] = [];
  for (const [receiver, token] of tokens) {
    const client = receiver.slice('client:'.length);
    const { payload } = await jwtVerify(token, keys, { issuer: world.issuer, audience: client });
    heard.push(`${client} ${String(payload.sid)}`);
  }
  return heard.toSorted();
}

describe('in', () => {
  test('the second app, a public one and one of another product ask nothing', async () => {
    const person = browser();
    const first = await signIn(world.issuer, person, grace);
    for (const client of ['other', 'spa', 'invoices']) {
      // Asked as any app asks, nothing is shown on the way.
      const request = authorizationRequest(world.issuer, client);
      const page = await person.get(request.url);
      expect(page.stopped).toBe(true);
      expect(page.history.map(({ status }) => status)).toEqual([303]);
      const code = new URL(page.url).searchParams.get('code') ?? '';
      const { body } = await redeem(world.issuer, { ...request, code });
      expect(claimsOf(String(body.access_token))).toMatchObject({ account: 'acc_initech' });
      // And with `prompt=none`.
      const silent = await inSilence(person, client);
      expect(claimsOf(silent.id_token).sub).toBe(claimsOf(first.id_token).sub);
      expect(claimsOf(silent.id_token).auth_time).toBe(claimsOf(first.id_token).auth_time);
    }
  });

  test('an app on the same machine, by any port', async () => {
    const person = browser();
    await signIn(world.issuer, person, grace);
    const request = authorizationRequest(world.issuer, 'desk', { redirect_uri: desk });
    const page = await person.get(request.url);
    const code = new URL(page.url).searchParams.get('code') ?? '';
    const { body } = await redeem(world.issuer, { ...request, code }, { redirect_uri: desk });
    expect(claimsOf(String(body.access_token))).toMatchObject({ account: 'acc_initech' });
  });

  test('the links and the apps with OpenID Connect are one', async () => {
    const person = browser();
    await goThrough(person, await person.get(`${world.issuer}/signin`), grace);
    await inSilence(person, 'app');
    const other = browser();
    await signIn(world.issuer, other, grace);
    expect((await other.get(`${world.issuer}/signin`)).url).toBe(`${linksApp}/`);
  });
});

describe('another account', () => {
  test('by its name: old tokens keep theirs, and both families live', async () => {
    const person = browser();
    const acme = await signIn(world.issuer, person, { account: 'acc_acme' });
    const globex = await inSilence(person, 'app', { account: 'acc_globex' });
    expect(claimsOf(globex.access_token)).toMatchObject({ account: 'acc_globex' });
    for (const [tokens, account] of [
      [acme, 'acc_acme'],
      [globex, 'acc_globex'],
    ] as const) {
      const { status, body } = await refresh(world.issuer, 'app', tokens.refresh_token);
      expect(status).toBe(200);
      expect(claimsOf(String(body.access_token))).toMatchObject({ account });
    }
  });

  test("T74 another tenant's, one that there is not, and one that is closed: never another in silence", async () => {
    const person = browser();
    await signIn(world.issuer, person, grace);
    await inSilence(person, 'app');
    for (const account of ['acc_acme', 'acc_nobody', 'acc_hooli']) {
      expect(await errorInSilence(person, 'app', { account })).toBe('account_selection_required');
      // And aloud it is the chooser.
      const page = await person.get(authorizationRequest(world.issuer, 'app', { account }).url);
      expect(page).toMatchObject({
        stopped: false,
        title: expect.stringMatching(/^Choose an acc/),
      });
    }
  });
});

describe('the account that somebody wants to use with an app', () => {
  /** Chooses at the page, which has to be shown, with the box as it is or as it is wanted. */
  async function choose(
    person: Browser,
    client: string,
    account: string,
    { remember, again }: { remember?: boolean; again?: boolean } = {},
  ): Promise<{ ticked: boolean; tokens: Record<string, string> }> {
    const parameters = { prompt: again === true ? 'select_account' : '' };
    const request = authorizationRequest(world.issuer, client, parameters);
    let page = await person.get(request.url);
    const has = (button: string) =>
      page.forms.some(({ buttons }) => buttons.some(({ value }) => value === button));
    for (const button of ['upstream', 'ada']) {
      if (has(button)) page = await person.submit(page, { button });
    }
    const fields = page.forms.flatMap((form) => form.fields);
    const box = fields.find(({ name }) => name === 'remember');
    expect(box).toBeDefined();
    const ticked: Record<string, string | false> =
      remember === undefined ? {} : { remember: remember ? 'yes' : false };
    page = await person.submit(page, { button: `account=${account}`, fields: ticked });
    const code = new URL(page.url).searchParams.get('code') ?? '';
    const { body } = await redeem(world.issuer, { ...request, code });
    return { ticked: box?.sent === true, tokens: body };
  }
  const accountOf = ({ access_token: token }: Record<string, string>) => claimsOf(token).account;
  /** At a new browser; which of them it is where the page is shown. */
  const anew = async (client: string, account: string) =>
    claimsOf((await signIn(world.issuer, browser(), { client, account })).access_token).account;

  test('is the one at the next browser, for that app alone, until they want another or none', async () => {
    const person = browser();
    const first = await choose(person, 'spa', 'acc_initech', { remember: true });
    expect([first.ticked, accountOf(first.tokens)]).toEqual([false, 'acc_initech']);
    expect(await anew('spa', 'acc_acme')).toBe('acc_initech');
    expect(await anew('other', 'acc_acme')).toBe('acc_acme');

    const second = await choose(person, 'spa', 'acc_globex', { again: true });
    expect([second.ticked, accountOf(second.tokens)]).toEqual([true, 'acc_globex']);
    expect(await anew('spa', 'acc_acme')).toBe('acc_globex');

    await choose(person, 'spa', 'acc_initech', { again: true, remember: false });
    expect(await anew('spa', 'acc_acme')).toBe('acc_acme');
    const { document } = (await world.store.get('user', 'usr_ada'))!;
    expect(document).not.toHaveProperty('chosen');
    // The browser where they chose has its own memory.
    expect(accountOf(await inSilence(person, 'spa'))).toBe('acc_initech');
  });

  test('T56 is never the one that a link names, and is written only when it changes', async () => {
    const person = browser();
    await choose(person, 'strict', 'acc_acme', { remember: true });
    const user = async () => (await world.store.get('user', 'usr_ada'))!;
    const { version, document } = await user();
    expect(document.chosen).toEqual({ strict: 'acc_acme' });
    await inSilence(person, 'strict', { account: 'acc_globex' });
    await person.get(authorizationRequest(world.issuer, 'strict', { account: 'acc_globex' }).url);
    // Nor is the same choice written again.
    await choose(person, 'strict', 'acc_acme', { again: true });
    expect((await user()).version).toBe(version);
    expect(await anew('strict', 'acc_globex')).toBe('acc_acme');
    await choose(person, 'strict', 'acc_acme', { again: true, remember: false });
  });

  test('is ignored where they have left it, and where it was closed', async () => {
    const { directory, dispatcher } = world.server;
    for (const id of ['acc_left', 'acc_shut']) {
      await directory.createAccount({ id, name: 'A new one', owner: 'usr_linus' });
      await directory.addMember(id, 'usr_ada', ['member']);
    }
    await choose(browser(), 'app', 'acc_left', { remember: true });
    await choose(browser(), 'spa', 'acc_shut', { remember: true });
    expect(await anew('app', 'acc_acme')).toBe('acc_left');
    await directory.removeMember('acc_left', 'usr_ada');
    await directory.closeAccount('acc_shut');
    await dispatcher.drain();
    for (const client of ['app', 'spa']) expect(await anew(client, 'acc_acme')).toBe('acc_acme');
  });
});

describe('out', () => {
  const logout = (query: Record<string, string>) =>
    `${world.issuer}/oauth2/logout?${new URLSearchParams(query)}`;

  test('of one app, by its refresh token: the other goes on', async () => {
    const person = browser();
    const app = await signIn(world.issuer, person, grace);
    const other = await inSilence(person, 'other');
    const heard = await toldWhile(() => revoke(world.issuer, 'app', app.refresh_token));
    expect(heard).toEqual([sidOf('app', app)]);
    expect([await alive('app', app), await alive('other', other)]).toEqual([false, true]);
    await inSilence(person, 'app');
  });

  test('of one app or of all, as the person chooses', async () => {
    const person = browser();
    const app = await signIn(world.issuer, person, { account: 'acc_acme' });
    const second = await inSilence(person, 'app', { account: 'acc_globex' });
    const other = await signIn(world.issuer, person, { client: 'other', account: 'acc_acme' });
    const asking = logout({
      client_id: 'app',
      post_logout_redirect_uri: 'https://app.example.com/bye',
      state: 'x',
    });

    const stay = await person.get(asking);
    expect(stay.visible).toContain('Sign out of The app only');
    const stayed = await person.follow(stay, 'Stay signed in');
    expect(stayed.title).toMatch(/^You are still signed in/);
    expect(await alive('app', app)).toBe(true);

    const heard = await toldWhile(async () => {
      const page = await person.submit(await person.get(asking), {
        button: 'Sign out of The app only',
      });
      expect(page.url).toBe('https://app.example.com/bye?state=x');
    }, 'usr_ada');
    // For each of its accounts, which are one session there.
    expect([...new Set(heard)]).toEqual([sidOf('app', app)]);
    // Both of its accounts, and nothing of the other.
    expect(await alive('app', app)).toBe(false);
    expect(await alive('app', second)).toBe(false);
    expect(await alive('other', other)).toBe(true);

    // The session goes on, so the way back is without a page; and so is the account.
    const back = await inSilence(person, 'app');
    expect(claimsOf(back.access_token)).toMatchObject({ account: 'acc_acme' });

    const all = await toldWhile(async () => {
      await person.submit(await person.get(asking), { button: 'logout=yes' });
    }, 'usr_ada');
    expect(all).toEqual([sidOf('app', back), sidOf('other', other)]);
    expect([await alive('app', back), await alive('other', other)]).toEqual([false, false]);
    expect(await errorInSilence(person, 'other')).toBe('login_required');
  });

  test('of one app, which has no address for it: a page that says so, and that nobody can forge', async () => {
    const person = browser();
    await signIn(world.issuer, person, grace);
    await inSilence(person, 'other');
    const question = await person.get(logout({ client_id: 'app' }));
    const page = await person.submit(question, { button: 'Sign out of The app only' });
    expect(page.title).toMatch(/^You are signed out of The app/);
    const forged = await person.get(`${world.issuer}/oauth2/logout/success?client_id=other`);
    expect(forged.title).toMatch(/^You are still signed in/);
  });

  test('of the links alone, while the other apps go on', async () => {
    const person = browser();
    await goThrough(person, await person.get(`${world.issuer}/signin`), grace);
    const app = await inSilence(person, 'app');
    const heard = await toldWhile(async () => {
      const page = await person.get(`${world.issuer}/signout?scope=app`);
      expect(page.url).toBe(`${linksApp}/bye`);
    });
    expect(heard).toEqual([]);
    expect(await tokenOfLinks(person)).toBe(401);
    expect(await alive('app', app)).toBe(true);
    // Nothing is asked on the way back.
    expect((await person.get(`${world.issuer}/signin`)).url).toBe(`${linksApp}/`);
    expect(await tokenOfLinks(person)).toBe(200);
  });

  test('of all by a link: every app is told', async () => {
    const person = browser();
    await goThrough(person, await person.get(`${world.issuer}/signin`), grace);
    const app = await inSilence(person, 'app');
    const heard = await toldWhile(() => person.get(`${world.issuer}/signout`));
    expect(heard).toEqual([sidOf('app', app)]);
    expect(await alive('app', app)).toBe(false);
    expect(await errorInSilence(person, 'app')).toBe('login_required');
  });

  test('T56 of everything everywhere, which is asked about though the link is our own', async () => {
    const [here, there] = [browser(), browser()];
    const elsewhere = await signIn(world.issuer, there, grace);
    await goThrough(here, await here.get(`${world.issuer}/signin`), grace);
    const question = await here.get(`${world.issuer}/signout?scope=everywhere`);
    expect(question.visible).toContain('on all of your devices');
    expect(await alive('app', elsewhere)).toBe(true);
    const heard = await toldWhile(() => here.submit(question));
    expect(heard).toContain(sidOf('app', elsewhere));
    expect(await alive('app', elsewhere)).toBe(false);
    expect(await errorInSilence(there, 'app')).toBe('login_required');
    expect(await errorInSilence(here, 'app')).toBe('login_required');
  });
});

async function tokenOfLinks(person: Browser): Promise<number> {
  const options = { origin: linksApp, method: 'POST' };
  return (await person.fetch(`${world.issuer}/refresh`, options)).status;
}
