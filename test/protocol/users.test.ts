/** People come, change and go: what a token says of them, and that nothing outlives them. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { Browser } from '../../dev/walk.ts';
import { startServer } from '../kit/server.ts';
import {
  authorizationRequest,
  claimsOf,
  signInForCode,
  upstreamClient,
  worldConfig,
} from '../kit/world.ts';
import type { Redemption, SignIn, World } from '../kit/world.ts';
import { redeem, refresh, signIn, silently, startProtocolWorld, userinfo } from './kit.ts';
import type { Tokens } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld({ registration: 'open' });
});

afterAll(() => world.close());

describe('T40 the subject', () => {
  test('T40 outlives a change of the e-mail address, of name and of account', async () => {
    const first = await signIn(world.issuer, world.browser());
    // The upstream says another address and name from now on than we knew before.
    const stored = await world.store.get('user', 'usr_ada');
    const before = { ...stored!.document, email: 'before@example.com', name: 'Before' };
    await world.store.write('user', 'usr_ada', before, { expect: stored!.version });
    const second = await signIn(world.issuer, world.browser(), { account: 'acc_globex' });
    expect(claimsOf(second.id_token)).toMatchObject({
      sub: claimsOf(first.id_token).sub,
      email: 'ada@example.com',
      name: 'Ada Lovelace',
    });
    expect(claimsOf(second.access_token).sub).toBe(claimsOf(first.access_token).sub);
  });

  test('T40 of somebody new it is short, plain, and no address', async () => {
    const person = { person: 'nora', account: 'none' } as const;
    const tokens = await signIn(world.issuer, world.browser(), person);
    const { sub, email } = claimsOf(tokens.id_token);
    expect(sub).toMatch(/^[A-Za-z0-9_-]{8,255}$/);
    expect(email).toBe('nora@example.com');
    expect(claimsOf(tokens.access_token)).toMatchObject({ sub, roles: ['owner'] });
    expect((await userinfo(world.issuer, tokens.access_token)).body.sub).toBe(sub);
    const again = await signIn(world.issuer, world.browser(), person);
    expect(claimsOf(again.id_token).sub).toBe(sub);
  });

  test('T40 it is the same for every app, in every token', async () => {
    const browser = world.browser();
    for (const client of ['app', 'other', 'spa', 'plain', 'partner']) {
      const tokens = await signIn(world.issuer, browser, { client });
      expect(claimsOf(tokens.id_token).sub).toBe('usr_ada');
      expect((await userinfo(world.issuer, tokens.access_token)).body.sub).toBe('usr_ada');
    }
  });
});

describe('T41 email_verified', () => {
  test('T41 a trusted upstream that says so is believed', async () => {
    const tokens = await signIn(world.issuer, world.browser());
    expect(claimsOf(tokens.id_token).email_verified).toBe(true);
  });

  test('T41 one that is not trusted is not', async () => {
    const redirectUris: string[] = [];
    const upstream = await startUpstreamOidc({
      port: 0,
      clients: [{ ...upstreamClient, redirectUris }],
    });
    const other = await startServer({
      config: (issuer) => {
        redirectUris.push(`${issuer}/integrations/oauth2/callback`);
        const config = worldConfig(upstream, { registration: 'open' });
        const providers = config.providers?.map((one) => ({ ...one, trustEmail: false }));
        return { ...config, providers: providers ?? [] };
      },
    });
    try {
      const person = { person: 'nora', account: 'none' } as const;
      const tokens = await signIn(other.issuer, world.browser(), person);
      expect(claimsOf(tokens.id_token)).toMatchObject({
        email: 'nora@example.com',
        email_verified: false,
      });
    } finally {
      await other.close();
      await upstream.close();
    }
  });

  test('T41 who was brought along has not proved the address', async () => {
    const user = await world.server.directory.user('usr_linus');
    expect(user?.document.emailVerified).toBeUndefined();
  });
});

describe('T54 who may not any more', () => {
  interface Life {
    browser: Browser;
    tokens: Tokens;
    opaque: Tokens;
    redemption: Redemption;
    how: SignIn;
  }

  /** Somebody of their own, with an account of their own, with all that one can hold. */
  async function live(name: string): Promise<Life> {
    const { directory, dispatcher } = world.server;
    const subject = { ada: 'person-ada-1815', grace: 'person-grace-1906' }[name] ?? '';
    expect(subject).not.toBe('');
    const person = name as 'ada';
    const how = { person, account: `acc_${name === 'ada' ? 'acme' : 'initech'}` };
    await directory.setUserStatus(`usr_${name}`, 'active');
    await dispatcher.drain();
    const browser = world.browser();
    const tokens = await signIn(world.issuer, browser, how);
    const opaque = await signIn(world.issuer, browser, { ...how, client: 'plain' });
    const redemption = await signInForCode(world.issuer, browser, how);
    return { browser, tokens, opaque, redemption, how };
  }

  const dead = { status: 400, body: { error: 'invalid_grant' } };

  async function refused({ tokens, redemption }: Life) {
    expect(await refresh(world.issuer, 'app', tokens.refresh_token)).toMatchObject(dead);
    expect(await redeem(world.issuer, redemption)).toMatchObject(dead);
    expect((await userinfo(world.issuer, tokens.access_token)).status).toBe(401);
  }

  async function signedOut({ browser, opaque, how }: Life) {
    expect(await refresh(world.issuer, 'plain', opaque.refresh_token)).toMatchObject(dead);
    expect((await userinfo(world.issuer, opaque.access_token)).status).toBe(401);
    const { parameters } = await silently(world.issuer, browser, 'app');
    expect(parameters.get('error')).toBe('login_required');
    // A new sign-in at the upstream leads to a page that says no, never to the app.
    await expect(signInForCode(world.issuer, browser, how)).rejects.toThrow(
      /may not sign in|stuck/,
    );
    await expect(signInForCode(world.issuer, world.browser(), how)).rejects.toThrow(
      /may not sign in|stuck/,
    );
  }

  test('T54 disabled: at once, and when all is handled; enabled again, what was dead stays dead', async () => {
    const life = await live('grace');
    await world.server.directory.setUserStatus('usr_grace', 'disabled');
    await refused(life);
    await signedOut(life);
    await world.server.dispatcher.drain();
    await refused(life);
    await signedOut(life);

    await world.server.directory.setUserStatus('usr_grace', 'active');
    await world.server.dispatcher.drain();
    await refused(life);
    const { parameters } = await silently(world.issuer, life.browser, 'app');
    expect(parameters.get('error')).toBe('login_required');
    const again = await signIn(world.issuer, world.browser(), life.how);
    expect((await refresh(world.issuer, 'app', again.refresh_token)).status).toBe(200);
  });

  test('T54 removed from an account: that account alone', async () => {
    const { directory, dispatcher } = world.server;
    const browser = world.browser();
    const how = { account: 'acc_initech' };
    const member = await signIn(world.issuer, browser, how);
    const redemption = await signInForCode(world.issuer, browser, how);
    const elsewhere = await signIn(world.issuer, browser, {
      account: 'acc_acme',
      parameters: { prompt: 'select_account' },
    });
    const plain = await signIn(world.issuer, browser, { client: 'plain' });
    await directory.removeMember('acc_initech', 'usr_ada');
    for (const _ of ['at once', 'when all is handled']) {
      expect(await refresh(world.issuer, 'app', member.refresh_token)).toMatchObject(dead);
      expect(await redeem(world.issuer, redemption)).toMatchObject(dead);
      expect((await userinfo(world.issuer, member.access_token)).status).toBe(401);
      const { parameters } = await silently(world.issuer, browser, 'app', {
        account: 'acc_initech',
      });
      expect(parameters.get('error')).toBe('account_selection_required');
      await dispatcher.drain();
    }
    const kept = await refresh(world.issuer, 'app', elsewhere.refresh_token);
    expect(kept.status).toBe(200);
    expect((await refresh(world.issuer, 'plain', plain.refresh_token)).status).toBe(200);

    // Who is taken in again does not get back what is dead.
    await directory.addMember('acc_initech', 'usr_ada', ['member']);
    await dispatcher.drain();
    expect(await refresh(world.issuer, 'app', member.refresh_token)).toMatchObject(dead);
    const again = await signIn(world.issuer, world.browser(), how);
    expect(claimsOf(again.access_token)).toMatchObject({ account: 'acc_initech' });
  });

  test('T54 an account that is closed: for all its members, at once', async () => {
    const { directory, dispatcher } = world.server;
    const browser = world.browser();
    const how = { account: 'acc_globex' };
    const tokens = await signIn(world.issuer, browser, how);
    const redemption = await signInForCode(world.issuer, browser, how);
    await directory.closeAccount('acc_globex', 'over');
    for (const _ of ['at once', 'when all is handled']) {
      expect(await refresh(world.issuer, 'app', tokens.refresh_token)).toMatchObject(dead);
      expect(await redeem(world.issuer, redemption)).toMatchObject(dead);
      expect((await userinfo(world.issuer, tokens.access_token)).status).toBe(401);
      const { parameters } = await silently(world.issuer, browser, 'app');
      expect(parameters.get('error')).toBe('account_selection_required');
      await dispatcher.drain();
    }
  });

  test('T54 roles that changed are in the next token', async () => {
    const { directory } = world.server;
    const tokens = await signIn(world.issuer, world.browser(), { account: 'acc_initech' });
    expect(claimsOf(tokens.access_token).roles).toEqual(['member']);
    await directory.setRoles('acc_initech', 'usr_ada', ['admin', 'member']);
    const { body } = await refresh(world.issuer, 'app', tokens.refresh_token);
    expect(claimsOf(body.access_token).roles).toEqual(expect.arrayContaining(['admin']));
    await directory.setRoles('acc_initech', 'usr_ada', ['member']);
  });

  test('T54 while somebody is on the way', async () => {
    const browser = world.browser();
    const request = authorizationRequest(world.issuer, 'app', { prompt: 'select_account' });
    let page = await browser.get(request.url);
    page = await browser.submit(page, { button: 'person=ada' });
    expect(page.stopped).toBe(false);
    // The chooser is open; meanwhile the account that is about to be chosen is taken away.
    await world.server.directory.removeMember('acc_initech', 'usr_ada');
    page = await browser.submit(page, { button: 'account=acc_initech' });
    expect(page.stopped).toBe(false);
    expect(page.status).toBe(403);
  });

  test('T54 deleted: the same, and for ever', async () => {
    const { directory, dispatcher } = world.server;
    // Nobody else may be without an owner because of it.
    await directory.addMember('acc_initech', 'usr_linus', ['owner']);
    const life = await live('grace');
    await directory.setUserStatus('usr_grace', 'deleted');
    await refused(life);
    await signedOut(life);
    await dispatcher.drain();
    await refused(life);
    await signedOut(life);
    await expect(directory.setUserStatus('usr_grace', 'active')).rejects.toThrow();
  });
});
