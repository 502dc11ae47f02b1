/**
 * The part of the story about people and their accounts: a second account and the way between two, another role, a
 * removal, the end of an account, and what somebody may do with what is kept about them.
 */

import { decodeJwt } from 'jose';
import { setTimeout as delay } from 'node:timers/promises';
import { findReasons } from '../src/admin/reasons.ts';
import { callService, expect, press } from './story_app.ts';
import type { Steps } from './story_app.ts';
import { cards } from './stripe/cards.ts';
import { createBrowser } from './walk.ts';
import type { Browser, Page } from './walk.ts';
import type { World } from './world.ts';

/** Nothing in the story takes so long, on any machine. */
const longestWaitMs = 15_000;
const betweenCallsMs = 10;

interface Person {
  world: World;
  browser: Browser;
}

interface Token {
  text: string;
  claims: Record<string, unknown>;
}

export async function peopleAndAccounts(world: World, steps: Steps): Promise<void> {
  const linus = { world, browser: createBrowser() };
  await switches(linus, steps);
  await isRemoved(linus, steps);
  await closes(world, steps);
  await ownData(linus, steps);
}

async function switches(linus: Person, { step }: Steps): Promise<void> {
  const { world, browser } = linus;
  const { issuer, linksApp } = world;

  const link = await step('Grace makes an invitation to hand on, on the members page', async () => {
    const grace = { world, browser: createBrowser() };
    const address = '/account/members?account=acc_piedpiper';
    const members = await open(grace, address, ['person=grace']);
    const form = await grace.browser.follow(members, 'Invite somebody');
    const fields = { email: '', role: 'member' };
    const page = await grace.browser.submit(form, { button: 'Invite', fields });
    const [found = ''] = page.visible.match(/http\S+\/invitation\/\S+/) ?? [];
    expect(found !== '', `there is a link (${page.title}: ${page.visible})`);
    return { value: found, shows: { title: page.title, link: `${found.slice(0, 50)}…` } };
  });

  const before = await step('Linus takes it: he has a second account', async () => {
    await press(browser, await browser.get(link), ['do=accept', 'person=linus', 'do=accept']);
    const page = await open(linus, '/account/accounts');
    const token = await tokenOf(linus);
    expect(token.claims.account === 'acc_piedpiper', 'the token is for the account he joined');
    return { value: token, shows: { says: page.visible, token: shownOf(token) } };
  });

  await step('He goes to the other one by a link, without a sign-in', async () => {
    const query = new URLSearchParams({ account: 'acc_acme', return_to: `${linksApp}/` });
    const page = await browser.get(`${issuer}/account/select?${query}`);
    expect(page.url === `${linksApp}/`, `he is back at the app (${page.url}: ${page.title})`);
    const token = await tokenOf(linus);
    expect(token.claims.account === 'acc_acme', 'the next token is for the other account');
    const { status, body } = await callService(world, before.text);
    const keeps = status === 200 && body.account === 'acc_piedpiper';
    expect(keeps, `the token of before keeps its account (${status})`);
    return { value: undefined, shows: { before: shownOf(before), now: shownOf(token) } };
  });
}

async function isRemoved(linus: Person, { step }: Steps): Promise<void> {
  const { world } = linus;
  const ada = { world, browser: createBrowser() };
  const about = (what: string) => `/account/members/${what}?account=acc_acme&user=usr_linus`;

  const token = await step('Ada gives him another role: his next token says it', async () => {
    const page = await open(ada, about('role'), ['person=ada']);
    await submit(ada, page, { button: 'Change role', fields: { role: 'admin' } });
    const next = await tokenOf(linus);
    expect(JSON.stringify(next.claims.roles) === '["admin"]', String(next.claims.roles));
    return { value: next, shows: shownOf(next) };
  });

  await step('She removes him; services refuse the token that he has', async () => {
    const taken = await callService(world, token.text);
    expect(taken.status === 200, `it is good until then (${taken.status})`);
    const page = await open(ada, about('remove'));
    const done = await submit(ada, page, {});
    return { value: undefined, shows: { ...(await refusedBy(world, token)), at: done.title } };
  });
}

async function closes(world: World, { step }: Steps): Promise<void> {
  const { issuer, linksApp, product, stripe, store } = world;
  const browser = createBrowser();
  const nora = { world, browser };
  const why = { feedback: 'missing_features', reason: 'We need a French version.' };

  const { account, name } = await step('Nora buys again, since she needs it', async () => {
    const query = new URLSearchParams({ product, plan: 'team', period: 'month' });
    query.set('return_to', `${linksApp}/`);
    const page = await press(browser, await browser.get(`${issuer}/signup?${query}`), [
      'person=nora',
    ]);
    expect(page.url.startsWith(stripe.url), `she is at Checkout (${page.url}: ${page.title})`);
    const form = page.url.slice(stripe.url.length);
    await browser.submit(page, { button: `card=${cards.pays}`, form });
    const token = await tokenWhich(nora, ({ plan }) => plan === 'team');
    const id = String(token.claims.account);
    const known = (await world.server.directory.account(id))?.name ?? '';
    return { value: { account: id, name: known }, shows: shownOf(token) };
  });
  const address = `/account/close?account=${account}`;

  await step('She closes the account with the end of what is paid, and says why', async () => {
    const question = await open(nora, address);
    const fields = { when: 'end', ...why };
    const page = await submit(nora, question, { button: 'Close the account', fields });
    const token = await tokenWhich(nora, ({ cancel_at: at }) => at !== undefined);
    return { value: undefined, shows: { says: page.visible, token: shownOf(token) } };
  });

  const last = await step('She takes it back', async () => {
    const page = await submit(nora, await open(nora, address), { button: 'Keep the account' });
    const token = await tokenWhich(nora, ({ cancel_at: at }) => at === undefined);
    return { value: token, shows: { title: page.title, token: shownOf(token) } };
  });

  await step('She closes it now: nothing is good any more, and Stripe knows why', async () => {
    const fields = { when: 'now', name, ...why };
    const how = { button: 'Close the account', fields };
    const page = await submit(nora, await open(nora, address), how);
    const refused = await refusedBy(world, last);
    const { status } = await browser.fetch(`${issuer}/refresh`, {
      origin: linksApp,
      method: 'POST',
    });
    expect(status === 401, `there are no tokens any more (${status})`);
    const atStripe = await cancelled(world, account);
    const { feedback, comment } = atStripe.cancellation_details;
    expect(feedback === why.feedback && comment === why.reason, `${feedback}, ${comment}`);
    const shows = { title: page.title, ...refused, refresh: status, stripe: atStripe };
    return { value: undefined, shows };
  });

  await step('`tollgate accounts reasons` shows it', async () => {
    const found = await findReasons(store);
    const hers = found.texts.find((one) => one.account === account);
    expect(hers?.text === why.reason, 'her reason is there');
    return { value: undefined, shows: found };
  });
}

async function ownData(linus: Person, { step }: Steps): Promise<void> {
  const address = '/account/data';

  await step('Linus takes along what is kept about him', async () => {
    const page = await submit(linus, await open(linus, address), { form: `${address}/file` });
    const file = JSON.parse(page.text) as Record<string, unknown>;
    expect(page.text.includes('usr_linus'), 'it is about him');
    const counted = Object.entries(file).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.length : typeof value,
    ]);
    return { value: undefined, shows: Object.fromEntries(counted) };
  });

  await step('He asks to be deleted, and thinks better of it', async () => {
    const { directory } = linus.world.server;
    const dueAt = async () => (await directory.user('usr_linus'))?.document.deletion?.dueAt;
    const question = await open(linus, `${address}/delete`);
    const asked = await submit(linus, question, { button: 'Delete me' });
    const due = await dueAt();
    expect(due !== undefined, 'it is noted for a day to come');
    const kept = await submit(linus, asked, { button: 'Keep me' });
    expect((await dueAt()) === undefined, 'it is taken back');
    const says = [asked.visible, kept.visible];
    return { value: undefined, shows: { due: new Date(due ?? 0).toISOString(), says } };
  });
}

/** A page of ours. @param buttons on the way to it, for who is not signed in yet */
async function open(
  { world, browser }: Person,
  path: string,
  buttons: string[] = [],
): Promise<Page> {
  const wanted = `${world.issuer}${path}`;
  const page = await press(browser, await browser.get(wanted), buttons);
  expect(page.url === wanted, `the page is there (${page.url}: ${page.title})`);
  return page;
}

/** The form, which does what it says. */
async function submit(
  { browser }: Person,
  page: Page,
  how: Parameters<Browser['submit']>[1],
): Promise<Page> {
  const next = await browser.submit(page, how);
  expect(next.status === 200, `it is done (${next.status}: ${next.title}: ${next.visible})`);
  return next;
}

const shown = ['account', 'roles', 'plan', 'subscription_status', 'cancel_at'];

const shownOf = ({ claims }: Token): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => shown.includes(name)));

/** What the app gets by `/refresh`. */
async function tokenOf({ world, browser }: Person): Promise<Token> {
  const { issuer, linksApp: origin } = world;
  const answer = await browser.fetch(`${issuer}/refresh`, { origin, method: 'POST' });
  expect(answer.status === 200, `there is a token (${answer.status} ${answer.text.slice(0, 200)})`);
  const { access_token: text } = JSON.parse(answer.text) as { access_token: string };
  return { text, claims: decodeJwt(text) };
}

async function tokenWhich(
  person: Person,
  holds: (claims: Token['claims']) => boolean,
): Promise<Token> {
  const giveUpAt = performance.now() + longestWaitMs;
  for (;;) {
    const token = await tokenOf(person);
    if (holds(token.claims)) return token;
    expect(performance.now() < giveUpAt, `the token says so: ${JSON.stringify(shownOf(token))}`);
    await delay(betweenCallsMs);
  }
}

/** Calls the services on and on with the token that was good before, and says when they refuse it. */
async function refusedBy(world: World, { text }: Token): Promise<Record<string, string>> {
  const began = performance.now();
  const kinds = ['webhooks', 'stream'] as const;
  const answers = kinds.map(async (kind) => {
    for (;;) {
      const { status, body } = await callService(world, text, kind);
      const ms = Math.round(performance.now() - began);
      if (status !== 200) {
        const { code } = body.error as { code: string };
        expect(
          code === 'token_revoked',
          `the service with ${kind} says token_revoked, not ${code}`,
        );
        return [kind, `${code} after ${ms} ms`];
      }
      expect(ms < longestWaitMs, `the service with ${kind} refuses the token`);
      await delay(betweenCallsMs);
    }
  });
  return Object.fromEntries(await Promise.all(answers)) as Record<string, string>;
}

/** The account's subscription at Stripe, once it is over. */
async function cancelled({ stripe }: World, account: string) {
  const giveUpAt = performance.now() + longestWaitMs;
  for (;;) {
    const all = stripe.objects.subscriptions();
    const mine = all.filter(({ metadata }) => metadata.tollgate_account === account);
    if (mine.length > 0 && mine.every(({ status }) => status === 'canceled')) {
      const { status, cancellation_details: details } = mine.at(-1) ?? {};
      return {
        status,
        cancellation_details: { feedback: details?.feedback, comment: details?.comment },
      };
    }
    expect(performance.now() < giveUpAt, 'Stripe has cancelled the subscription');
    await delay(betweenCallsMs);
  }
}
