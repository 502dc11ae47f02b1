/**
 * Every story, with each of its writes failing in turn: the write did not happen, or it happened and its
 * answer was lost; the process died there, or it lives on. Then the client tries again, as clients do.
 * It must come to the right end, nothing may be half-written or lost, and nothing that was answered with
 * success may be untrue.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import { consentId } from '../../src/oidc/consents.ts';
import { startMortalWorld } from '../kit/mortal_world.ts';
import type { MortalWorld } from '../kit/mortal_world.ts';
import {
  authorizationRequest,
  claimsOf,
  redeem,
  refresh,
  revoke,
  signIn,
  signInForCode,
} from '../kit/world.ts';
import type { Redemption, TokenAnswer } from '../kit/world.ts';

let world: MortalWorld;

beforeAll(async () => {
  world = await startMortalWorld({ registration: 'open' });
});

afterAll(() => world?.close());

type Tokens = Record<string, string>;

interface Story<S> {
  name: string;
  prepare(): Promise<S>;
  /** What the client does, again and again until it is done. @throws when it did not come to its end */
  act(state: S): Promise<void>;
  /** True as soon as `act` has returned. */
  told(state: S): Promise<void>;
  /** True when also the events were handled. */
  settled?(state: S): Promise<void>;
  /** Before the client tries again, the workers of the process have done what they do. */
  afterWorkers?: boolean;
}

class NotYet extends Error {}

const attemptsMax = 3;
const longestStory = 60;

function ok(answer: TokenAnswer, ...also: number[]): TokenAnswer {
  if (answer.status >= 500) throw new NotYet(`status ${answer.status}`);
  expect([200, ...also]).toContain(answer.status);
  return answer;
}

/** The button without a name on pages that go on by script where there is one. */
const continuing = 'undefined=';

/** Walks until the way leaves; a failure is tried again by loading the page again, once. */
async function walk(browser: Browser, first: Page, buttons: string[], fields = {}): Promise<URL> {
  let page = first;
  let reloaded = false;
  for (let step = 0; step < 10; step += 1) {
    if (page.stopped) return new URL(page.url);
    const offered = page.forms.flatMap((form) =>
      form.buttons.map(({ name, value }) => `${name}=${value}`),
    );
    const button = [...buttons, continuing].find((one) => offered.includes(one));
    if (button !== undefined && page.status < 400) {
      const typed = button === 'person=someone' ? { fields } : {};
      page = await browser.submit(page, { button, ...typed });
    } else if (!reloaded) {
      reloaded = true;
      page = await browser.get(page.url);
    } else break;
  }
  throw new NotYet(`stuck at ${page.url}: ${page.status} ${page.visible.slice(0, 200)}`);
}

const codeIn = (url: URL): string => {
  const code = url.searchParams.get('code');
  if (code === null) throw new NotYet(url.search);
  return code;
};

/** From the app to its tokens. @throws NotYet */
async function authorize(
  browser: Browser,
  client: string,
  buttons: string[],
  parameters: Record<string, string> = {},
  fields = {},
): Promise<Tokens> {
  const request = authorizationRequest(world.issuer, client, parameters);
  const url = await walk(browser, await browser.get(request.url), buttons, fields);
  expect(url.searchParams.get('state')).toBe(request.state);
  const redemption = { ...request, code: codeIn(url) };
  const { status, body } = ok(await redeem(world.issuer, redemption), 400);
  if (status !== 200) throw new NotYet('the code is used up');
  return body;
}

const silently = (browser: Browser, client: string) =>
  authorize(browser, client, [], { prompt: 'none' });

async function expectLives(client: string, tokens: Tokens): Promise<Tokens> {
  const { status, body } = await refresh(world.issuer, client, tokens.refresh_token);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body;
}

async function expectDead(client: string, tokens: Tokens): Promise<void> {
  expect(await refresh(world.issuer, client, tokens.refresh_token)).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  });
}

const generationOf = (tokens: Tokens) => Number(tokens.refresh_token?.split('.')[4]);

interface Person {
  browser: Browser;
  tokens: Tokens;
}

async function person(client = 'app', account = 'acc_acme'): Promise<Person> {
  const browser = world.browser();
  return { browser, tokens: await signIn(world.issuer, browser, { client, account }) };
}

const exchange: Story<Person & { redemption: Redemption }> = {
  name: 'a code is redeemed',
  async prepare() {
    const browser = world.browser();
    return { browser, redemption: await signInForCode(world.issuer, browser), tokens: {} };
  },
  async act(state) {
    const { status, body } = ok(await redeem(world.issuer, state.redemption), 400);
    if (status === 200) state.tokens = body;
    // The answer was lost with the tokens in it: the app begins anew, and nobody is asked anything.
    else state.tokens = await silently(state.browser, 'app');
  },
  async told({ browser, tokens }) {
    await expectLives('app', tokens);
    await silently(browser, 'app');
  },
};

const refreshing: Story<Person & { next: Tokens }> = {
  name: 'a token is refreshed',
  prepare: async () => ({ ...(await person('spa')), next: {} }),
  async act(state) {
    state.next = ok(await refresh(world.issuer, 'spa', state.tokens.refresh_token)).body;
  },
  async told({ next, browser }) {
    expect(generationOf(next)).toBe(2);
    expect(generationOf(await expectLives('spa', next))).toBe(3);
    await silently(browser, 'spa');
  },
};

let newcomers = 0;

const newcomer: Story<Person & { subject: string }> = {
  name: 'somebody new signs in',
  afterWorkers: true,
  prepare: () => {
    newcomers += 1;
    return Promise.resolve({
      browser: world.browser(),
      subject: `newcomer-${newcomers}`,
      tokens: {},
    });
  },
  async act(state) {
    const { browser, subject } = state;
    const fields = { subject, name: 'Somebody New', email: `${subject}@example.com` };
    state.tokens = await authorize(browser, 'app', ['person=someone'], {}, fields);
  },
  async told({ browser, tokens }) {
    const { sub, account } = claimsOf(tokens.access_token);
    const usable = await world.server().directory.usableAccounts(String(sub));
    expect(usable.map(({ id, roles }) => ({ id, roles }))).toEqual([
      { id: account, roles: ['owner'] },
    ]);
    await expectLives('app', tokens);
    expect(claimsOf((await silently(browser, 'app')).access_token)).toMatchObject({ sub, account });
  },
  async settled({ subject, tokens }) {
    const { sub } = claimsOf(tokens.access_token);
    const users = await world.store.find('user', 'identity', '', { prefix: true, limit: 1000 });
    const same = users.filter(({ document }) =>
      document.identities.some((identity) => identity.subject === subject),
    );
    expect(same.map(({ id }) => id)).toEqual([sub]);
    const records = await world.store.find('audit', 'user', String(sub), { limit: 1000 });
    const types = records.map(({ document }) => document.type);
    for (const once of ['user.registered', 'account.created']) {
      expect(types.filter((type) => type === once)).toEqual([once]);
    }
  },
};

const switching: Story<Person & { globex: Tokens }> = {
  name: 'somebody switches to another account',
  prepare: async () => ({ ...(await person()), globex: {} }),
  async act(state) {
    const parameters = { prompt: 'select_account' };
    state.globex = await authorize(state.browser, 'app', ['account=acc_globex'], parameters);
  },
  async told({ browser, tokens, globex }) {
    const accountOf = ({ access_token: jwt }: Tokens) => claimsOf(jwt).account;
    expect(accountOf(globex)).toBe('acc_globex');
    expect(accountOf(await expectLives('app', tokens))).toBe('acc_acme');
    expect(accountOf(await expectLives('app', globex))).toBe('acc_globex');
    expect(accountOf(await silently(browser, 'app'))).toBe('acc_globex');
  },
};

const signingOut: Story<Person & { other: Tokens }> = {
  name: 'somebody signs out',
  async prepare() {
    const one = await person();
    return { ...one, other: await authorize(one.browser, 'other', ['account=acc_globex']) };
  },
  async act({ browser, tokens }) {
    const url = new URL(`${world.issuer}/oauth2/logout`);
    url.searchParams.set('id_token_hint', tokens.id_token ?? '');
    url.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
    const end = await walk(browser, await browser.get(url.href), ['logout=yes']);
    expect(end.href).toBe('https://app.example.com/bye');
  },
  async told({ browser, tokens, other }) {
    await expectDead('app', tokens);
    await expectDead('other', other);
    const silent = authorizationRequest(world.issuer, 'app', { prompt: 'none' });
    const { url } = await browser.get(silent.url);
    expect(new URL(url).searchParams.get('error')).toBe('login_required');
  },
};

const consenting: Story<Person & { partner: Tokens }> = {
  name: 'somebody allows a partner',
  async prepare() {
    const id = consentId('usr_ada', 'partner', 'acc_acme');
    await world.store.write('consent', id, null, { expect: 'any' });
    return { ...(await person()), partner: {} };
  },
  async act(state) {
    const buttons = ['account=acc_acme', 'answer=allow'];
    state.partner = await authorize(state.browser, 'partner', buttons);
  },
  async told({ browser, tokens, partner }) {
    const id = consentId('usr_ada', 'partner', 'acc_acme');
    const scopes = (await world.store.get('consent', id))?.document.scopes;
    expect(scopes).toEqual(expect.arrayContaining(['openid', 'profile', 'email']));
    await expectLives('partner', partner);
    await expectLives('app', tokens);
    await silently(browser, 'partner');
  },
};

const revoking: Story<Person> = {
  name: 'an app revokes its token',
  prepare: () => person(),
  async act({ tokens }) {
    ok(await revoke(world.issuer, 'app', tokens.refresh_token));
  },
  told: ({ tokens }) => expectDead('app', tokens),
};

const faults = (['before', 'after'] as const).flatMap((mode) =>
  [true, false].map((dies) => ({ mode, dies })),
);

/** @returns whether the story was long enough for its k-th write to fail */
async function tell<S>(story: Story<S>, k: number, mode: 'before' | 'after', dies: boolean) {
  const { store } = world;
  const state = await story.prepare();
  let met = false;
  const onStop = () => {
    met = true;
    if (!dies) store.revive();
  };
  store.revive({ stopAfterWrites: k, mode, onStop });
  let done = await attempt(story, state);
  store.revive();
  if (met && dies) await world.restart();
  for (let again = 1; done !== undefined && again < attemptsMax; again += 1) {
    if (story.afterWorkers === true) await world.server().dispatcher.drain();
    done = await attempt(story, state);
  }
  expect(done, `the ${k}th write`).toBe(undefined);
  await story.told(state);
  await world.server().dispatcher.drain();
  await story.settled?.(state);
  expect(await store.pending(10)).toEqual([]);
  return met;
}

/** @returns why the client has to try again */
async function attempt<S>(story: Story<S>, state: S): Promise<string | undefined> {
  try {
    await story.act(state);
    return undefined;
  } catch (error) {
    if (error instanceof NotYet) return error.message;
    throw error;
  }
}

function play<S>(story: Story<S>): void {
  describe(story.name, () => {
    for (const { mode, dies } of faults) {
      const how = mode === 'before' ? 'does not happen' : 'happens and its answer is lost';
      test(`each write in turn ${how}, and the process ${dies ? 'dies' : 'lives on'}`, async () => {
        let k = 1;
        while (await tell(story, k, mode, dies)) {
          k += 1;
          expect(k).toBeLessThan(longestStory);
        }
        // The story was cut at every one of its writes, and at one at least.
        expect(k).toBeGreaterThan(1);
      });
    }
  });
}

play(exchange);
play(refreshing);
play(newcomer);
play(switching);
play(signingOut);
play(consenting);
play(revoking);
