/**
 * What people do, played over HTTP by a browser without script: each step says what came back and how
 * long it took, and looks whether that is as it should be.
 */

import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { accessEnds } from './story_access.ts';
import { somebodyPays } from './story_billing.ts';
import { somebodyIsInvited } from './story_invitation.ts';
import { peopleAndAccounts } from './story_people.ts';
import { begin, callService, claims, expect, press, refusal, signIn } from './story_app.ts';
import type { Steps } from './story_app.ts';
import { createBrowser } from './walk.ts';
import type { World } from './world.ts';

export type Say = (text: string) => void;

/** @returns whether everything was as it should be; what was not is said */
export async function playStory(world: World, say: Say): Promise<boolean> {
  const startedAt = performance.now();
  let count = 0;
  const steps: Steps = {
    async step(name, work) {
      const began = performance.now();
      count += 1;
      try {
        const { value, shows } = await work();
        say(`\n${count}. ${name} (${Math.round(performance.now() - began)} ms)`);
        say(indented(shows));
        return value;
      } catch (error) {
        throw new StepFailed(`step ${count}, “${name}”`, error);
      }
    },
  };
  try {
    say('An app with OpenID Connect');
    await withOpenIdConnect(world, steps);
    say('\nAn app with links only');
    await withLinks(world, steps);
    say('\nAccess ends before a token does');
    await accessEnds(world, steps);
    say('\nAn app from outside');
    await fromOutside(world, steps);
    say('\nSomebody signs up, and pays');
    await somebodyPays(world, steps);
    say('\nSomebody is invited');
    await somebodyIsInvited(world, steps);
    say('\nPeople and their accounts');
    await peopleAndAccounts(world, steps);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    say(`\nFailed at ${error.message}`);
    return false;
  }
  say(`\nAll ${count} steps came out right, in ${Math.round(performance.now() - startedAt)} ms.`);
  return true;
}

class StepFailed extends Error {
  constructor(step: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${step}: ${reason}`, { cause });
  }
}

async function withOpenIdConnect(world: World, { step }: Steps): Promise<void> {
  const { issuer, client, oidcApp } = world;
  const browser = createBrowser({ stopAt: (url) => url.origin === oidcApp });
  const tollgate = await oidc.discovery(new URL(issuer), client.id, client.secret, undefined, {
    execute: [oidc.allowInsecureRequests],
  });
  const app = { world, browser, tollgate };

  const acme = await step('Ada signs in with Example ID and chooses Acme', async () => {
    const tokens = await signIn(app, { buttons: ['person=ada', 'account=acc_acme'] });
    const { account, subscription_status, plan } = claims(tokens);
    expect(account === 'acc_acme', 'the token is for Acme');
    expect(plan === 'team' && subscription_status === 'trialing', 'it has the plan of Acme');
    return { value: tokens, shows: claims(tokens) };
  });

  await step('The service takes the access token', async () => {
    const { status, body } = await callService(world, acme.access_token);
    expect(status === 200 && body.sub === 'usr_ada', 'the service knows Ada');
    return { value: undefined, shows: { status, sub: body.sub, account: body.account } };
  });

  const fresh = await step('Refresh: a new token, for the same account', async () => {
    const tokens = await oidc.refreshTokenGrant(tollgate, acme.refresh_token ?? '');
    expect(tokens.refresh_token !== acme.refresh_token, 'the refresh token is rotated');
    expect(claims(tokens).account === 'acc_acme', 'the account stays');
    return { value: tokens, shows: { account: claims(tokens).account, exp: claims(tokens).exp } };
  });

  const globex = await step('Ada switches to Globex', async () => {
    const parameters = { prompt: 'select_account' };
    const tokens = await signIn(app, { parameters, buttons: ['account=acc_globex'] });
    expect(claims(tokens).account === 'acc_globex', 'the token is for Globex');
    expect(claims(tokens).subscription_status === 'past_due', 'Globex is past due');
    return { value: tokens, shows: claims(tokens) };
  });

  const last = await step('The refresh token of before still acts for Acme', async () => {
    const tokens = await oidc.refreshTokenGrant(tollgate, fresh.refresh_token ?? '');
    expect(claims(tokens).account === 'acc_acme', 'a refresh never changes the account');
    return { value: tokens, shows: { account: claims(tokens).account } };
  });

  await step('Ada signs out', async () => {
    const url = oidc.buildEndSessionUrl(tollgate, {
      post_logout_redirect_uri: `${oidcApp}/`,
      id_token_hint: globex.id_token ?? '',
    });
    const page = await browser.get(url.href);
    expect(
      page.stopped && page.url === `${oidcApp}/`,
      `the app has the browser back (${page.url})`,
    );
    return { value: undefined, shows: { back_at: page.url } };
  });

  await step('Both refresh tokens and the session are refused', async () => {
    const refused = [await refusal(tollgate, last), await refusal(tollgate, globex)];
    expect(
      refused.every((error) => error === 'invalid_grant'),
      `refresh: ${refused.join(', ')}`,
    );
    const { url } = await begin(app, { prompt: 'none' });
    const error = new URL((await browser.get(url)).url).searchParams.get('error');
    expect(error === 'login_required', `the session: ${error}`);
    return { value: undefined, shows: { refresh: refused, session: error } };
  });
}

async function withLinks(world: World, { step }: Steps): Promise<void> {
  const { issuer, linksApp } = world;
  const browser = createBrowser();
  const refresh = async () => {
    const answer = await browser.fetch(`${issuer}/refresh`, { origin: linksApp, method: 'POST' });
    expect(answer.readable, 'the app may read the answer');
    return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown> };
  };

  await step('Nobody is signed in', async () => {
    const { status, body } = await refresh();
    expect(status === 401, `${status}`);
    return { value: undefined, shows: { status, ...body } };
  });

  await step(
    'Grace follows the link to sign in; she has one account, so nothing is asked',
    async () => {
      const app = await browser.get(`${linksApp}/`);
      const page = await press(browser, await browser.follow(app, 'Sign in'), ['person=grace']);
      expect(page.url === `${linksApp}/`, `she is back at the app (${page.url})`);
      const readable = browser.cookies.all().filter((cookie) => !cookie.httpOnly);
      expect(readable.length === 0, 'no cookie can be read by scripts');
      return { value: undefined, shows: { back_at: page.url } };
    },
  );

  const token = await step('The app asks for a token', async () => {
    const { status, body } = await refresh();
    expect(status === 200, `${status}`);
    const { access_token: value, ...rest } = body as { access_token: string };
    return { value, shows: { status, ...rest, access_token: decodeJwt(value) } };
  });

  await step('The service takes it', async () => {
    const { status, body } = await callService(world, token);
    expect(status === 200 && body.account === 'acc_piedpiper', `${status} ${String(body.account)}`);
    return { value: undefined, shows: { status, sub: body.sub, account: body.account } };
  });

  await step('Grace signs out, and there are no tokens any more', async () => {
    const app = await browser.get(`${linksApp}/`);
    const page = await browser.follow(app, 'Sign out');
    expect(page.url === `${linksApp}/`, `she is back at the app (${page.url})`);
    const { status, body } = await refresh();
    expect(status === 401, `${status}`);
    return { value: undefined, shows: { status, ...body } };
  });
}

async function fromOutside({ partnerApp }: World, { step }: Steps): Promise<void> {
  const browser = createBrowser();
  await step('A partner’s app may know Grace once she allows it', async () => {
    const app = await browser.submit(await browser.get(`${partnerApp}/`), { button: 'Sign in' });
    const asked = await press(browser, app, ['person=grace']);
    expect(asked.title.startsWith('Connect Partner app?'), `she is asked (${asked.title})`);
    const page = await browser.submit(asked, { button: 'Allow' });
    expect(page.visible.includes('Hello, Grace Hopper'), `the app knows her (${page.visible})`);
    return { value: undefined, shows: { asked: asked.title, back_at: page.url } };
  });

  await step('It asks no second time', async () => {
    const later = await browser.submit(await browser.get(`${partnerApp}/`), { button: 'Sign out' });
    const app = await browser.submit(later, { button: 'Sign in' });
    const page = await press(browser, app, ['person=grace']);
    expect(page.url === `${partnerApp}/`, `she is back at the app (${page.url})`);
    return { value: undefined, shows: { back_at: page.url } };
  });
}

function indented(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replaceAll(/^/gm, '     ');
}
