/** Somebody of their own for each story of `services.test.ts`: signed in at the sample app, with one account. */

import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { serviceKinds } from '../../dev/services/all.ts';
import type { ServiceKind } from '../../dev/services/all.ts';
import { callService } from '../../dev/story_app.ts';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser } from '../../dev/walk.ts';
import type { World } from '../../dev/world.ts';
import { postForm } from '../kit/post.ts';
import { authorizationRequest } from '../kit/world.ts';

export interface Somebody {
  user: string;
  account: string;
  browser: Browser;
  /** As it was redeemed. */
  code: Record<string, string>;
  access: string;
  refresh: string;
  id: string;
}

let count = 0;

export async function somebody(world: World): Promise<Somebody> {
  const { directory } = world.server;
  count += 1;
  const [user, account, subject] = [`usr_some_${count}`, `acc_some_${count}`, `some-${count}`];
  const ada = await world.store.get('user', 'usr_ada');
  const known = ada?.document.identities.find(({ provider }) => provider === 'example');
  const issuer = known?.issuer ?? '';
  const identities = [{ provider: 'example', issuer, subject }];
  await directory.createUser({ id: user, name: 'Some Body', identities });
  await directory.createUser({ id: `usr_owner_${count}` });
  await directory.createAccount({ id: account, name: 'Some', owner: `usr_owner_${count}` });
  await directory.addMember(account, user, ['member']);
  return { user, account, ...(await signIn(world, subject)) };
}

async function signIn(world: World, subject: string) {
  const { issuer, oidcApp } = world;
  const browser = createBrowser({ stopAt: (url) => url.origin === oidcApp });
  const redirectUri = `${oidcApp}/callback`;
  const { url, verifier } = authorizationRequest(issuer, 'app', { redirect_uri: redirectUri });
  const chooser = await browser.submit(await browser.get(url), { button: 'provider=example' });
  const fields = { subject, name: 'Some Body', email: `${subject}@example.com` };
  const page = await browser.submit(chooser, { button: 'person=someone', fields });
  const code = {
    grant_type: 'authorization_code',
    code: new URL(page.url).searchParams.get('code') ?? '',
    code_verifier: verifier,
    redirect_uri: redirectUri,
  };
  return { browser, code, ...(await tokens(world, code)) };
}

/** The app at the token endpoint, or at another one. */
export function asApp(
  { issuer, client }: World,
  fields: Record<string, string>,
  path = '/oauth2/token',
) {
  const form = { client_id: client.id, client_secret: client.secret, ...fields };
  return postForm(`${issuer}${path}`, new URLSearchParams(form));
}

/** @throws where there are none */
export async function tokens(world: World, fields: Record<string, string>) {
  const { status, text } = await asApp(world, fields);
  expect([status, text]).toEqual([200, expect.stringContaining('access_token')]);
  const said = JSON.parse(text) as Record<string, string>;
  const { access_token: access = '', refresh_token: refresh = '', id_token: id = '' } = said;
  return { access, refresh, id };
}

export const refreshing = (refreshToken: string) => ({
  grant_type: 'refresh_token',
  refresh_token: refreshToken,
});

/** What each service says: nothing where it takes the token. */
export type Said = Partial<Record<ServiceKind, string>>;

export async function askAll(world: World, token: string): Promise<Said> {
  const said: Said = {};
  for (const kind of serviceKinds) {
    const { status, body } = await callService(world, token, kind);
    if (status !== 200) said[kind] = (body.error as { code: string }).code;
  }
  return said;
}

const longestWaitMs = 15_000;

/** @returns what they say in the end: as expected, or after so long */
export async function untilSaid(world: World, token: string, expected: Said): Promise<Said> {
  const giveUpAt = performance.now() + longestWaitMs;
  for (;;) {
    const said = await askAll(world, token);
    const isThere = serviceKinds.every((kind) => said[kind] === expected[kind]);
    if (isThere || performance.now() > giveUpAt) return said;
    await delay(20);
  }
}
