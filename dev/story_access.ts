/** The part of the story in which access ends before a token does, and what three services make of it. */

import { setTimeout as delay } from 'node:timers/promises';
import * as oidc from 'openid-client';
import { serviceKinds } from './services/all.ts';
import type { ServiceKind } from './services/all.ts';
import { callService, claims, expect, refusal, signIn } from './story_app.ts';
import type { App, Steps, Tokens } from './story_app.ts';
import { createBrowser } from './walk.ts';
import type { World } from './world.ts';

/** Nothing in the story takes so long, on any machine. */
const longestWaitMs = 15_000;
const betweenCallsMs = 10;

type Shown = Partial<Record<ServiceKind, string>>;

export async function accessEnds(world: World, { step }: Steps): Promise<void> {
  const { issuer, client, oidcApp, server } = world;
  const browser = createBrowser({ stopAt: (url) => url.origin === oidcApp });
  const tollgate = await oidc.discovery(new URL(issuer), client.id, client.secret, undefined, {
    execute: [oidc.allowInsecureRequests],
  });
  const app: App = { world, browser, tollgate };
  const { directory } = server;
  const user = 'usr_ada';
  const first = await step('Ada signs in; three services take her token', async () => {
    const tokens = await signIn(app, { buttons: ['person=ada', 'account=acc_acme'] });
    return { value: tokens, shows: await takenByAll(world, tokens) };
  });

  const fresh = await step('Acme’s plan changes: what the token says is stale', async () => {
    await changePlan(world, 'business_month');
    const refused = await refusedBy(world, first, ['webhooks', 'stream'], 'token_stale');
    return { value: first, shows: { ...refused, logout: 'is not told of plans' } };
  });

  const second = await step('The app refreshes, and goes on with the new plan', async () => {
    const tokens = await oidc.refreshTokenGrant(tollgate, fresh.refresh_token ?? '');
    expect(claims(tokens).plan === 'business', 'the new token has the new plan');
    return { value: tokens, shows: await takenByAll(world, tokens) };
  });

  await step('Ada signs out everywhere: all of it is over, at every browser', async () => {
    await directory.revokeUser(user, 'signed_out');
    const refused = await refusedBy(world, second, serviceKinds, 'token_revoked');
    const refresh = await refusal(tollgate, second);
    expect(refresh === 'invalid_grant', `refresh: ${refresh}`);
    return { value: undefined, shows: { ...refused, refresh } };
  });

  const third = await step('She signs in again, and is let in everywhere', async () => {
    await nextSecond();
    const tokens = await signIn(app, { buttons: ['person=ada', 'account=acc_acme'] });
    return { value: tokens, shows: await takenByAll(world, tokens) };
  });

  await step('An operator revokes all access to Acme; she stays signed in', async () => {
    await directory.revokeAccount('acc_acme');
    return { value: undefined, shows: await refusedBy(world, third, serviceKinds) };
  });

  const fourth = await step('So she goes on with Initech, without a sign-in', async () => {
    await nextSecond();
    const parameters = { prompt: 'select_account' };
    const tokens = await signIn(app, { parameters, buttons: ['account=acc_initech'] });
    expect(claims(tokens).account === 'acc_initech', 'the token is for Initech');
    return { value: tokens, shows: await takenBy(world, tokens, ['webhooks', 'stream']) };
  });

  await step('Initech removes her', async () => {
    await directory.removeMember('acc_initech', user);
    return { value: undefined, shows: await refusedBy(world, fourth, serviceKinds) };
  });

  // As it was, for whoever goes on in this world.
  await directory.addMember('acc_initech', user, ['member']);
  await changePlan(world, 'team_month');
  await nextSecond();
}

/** Of Acme, at Stripe: Tollgate hears of it as of any other change. */
async function changePlan({ server, product }: World, key: string): Promise<void> {
  const subscription = (await server.directory.account('acc_acme'))?.subscriptions?.[product];
  const api = server.billing?.stripe.api;
  const [price] = (await api?.prices.list({ lookup_keys: [key] }))?.data ?? [];
  if (api === undefined || subscription?.item === undefined || price === undefined) {
    throw new Error('Acme has a subscription');
  }
  await api.subscriptions.update(subscription.subscription, {
    items: [{ id: subscription.item, price: price.id }],
    proration_behavior: 'none',
  });
}

const takenByAll = (world: World, tokens: Tokens) => takenBy(world, tokens, serviceKinds);

async function takenBy(
  world: World,
  tokens: Tokens,
  kinds: readonly ServiceKind[],
): Promise<Shown> {
  const shown: Shown = {};
  for (const kind of kinds) {
    const { status } = await callService(world, tokens.access_token, kind);
    expect(status === 200, `the service with ${kind} takes it (${status})`);
    shown[kind] = 'takes it';
  }
  return shown;
}

/** Calls them on and on with the token that was good before. */
async function refusedBy(
  world: World,
  tokens: Tokens,
  kinds: readonly ServiceKind[],
  wanted: 'token_revoked' | 'token_stale' = 'token_revoked',
): Promise<Shown> {
  const began = performance.now();
  const refused = await Promise.all(
    kinds.map(async (kind): Promise<[ServiceKind, string]> => {
      while (performance.now() - began < longestWaitMs) {
        const { status, body } = await callService(world, tokens.access_token, kind);
        if (status === 200) {
          await delay(betweenCallsMs);
          continue;
        }
        const { code } = body.error as { code: string };
        expect(code === wanted, `the service with ${kind} says ${wanted}, not ${code}`);
        return [kind, `${code} after ${Math.round(performance.now() - began)} ms`];
      }
      throw new Error(`the service with ${kind} takes the token still`);
    }),
  );
  return Object.fromEntries(refused);
}

/** Times in tokens are in seconds: one of the very second in which access ended is refused as well. */
async function nextSecond(): Promise<void> {
  await delay(1000 - (Date.now() % 1000) + 20);
}
