/**
 * Stories of clients, each small, for tests in which something goes wrong on the way: what a client does,
 * again and again until it is done, and what must be true then.
 */

import { expect } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import { consentId } from '../../src/oidc/consents.ts';
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
import type { Redemption } from '../kit/world.ts';

type Tokens = Record<string, string>;

export interface Story<S> {
  name: string;
  prepare(): Promise<S>;
  /** What the client does, again and again until it is done. @throws when it did not come to its end */
  act(state: S): Promise<void>;
  /** True as soon as `act` has returned. @param lost whether the write that failed happened */
  told(state: S, lost: boolean): Promise<void>;
  /** True when also the events were handled. */
  settled?(state: S): Promise<void>;
  /** Before the client tries again, the workers of the process have done what they do. */
  afterWorkers?: boolean;
}

/** It failed as things may fail: the client tries again. */
export class NotYet extends Error {}

export function ok<A extends { status: number }>(answer: A, ...also: number[]): A {
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

/** @param play runs one of them */
export function faultStories(place: () => MortalWorld, play: <S>(story: Story<S>) => void): void {
  /** From the app to its tokens. @throws NotYet */
  async function authorize(
    browser: Browser,
    client: string,
    buttons: string[],
    parameters: Record<string, string> = {},
    fields = {},
  ): Promise<Tokens> {
    const request = authorizationRequest(place().issuer, client, parameters);
    const url = await walk(browser, await browser.get(request.url), buttons, fields);
    expect(url.searchParams.get('state')).toBe(request.state);
    const redemption = { ...request, code: codeIn(url) };
    const { status, body } = ok(await redeem(place().issuer, redemption), 400);
    if (status !== 200) throw new NotYet('the code is used up');
    return body;
  }

  const silently = (browser: Browser, client: string) =>
    authorize(browser, client, [], { prompt: 'none' });

  async function expectLives(client: string, tokens: Tokens): Promise<Tokens> {
    const { status, body } = await refresh(place().issuer, client, tokens.refresh_token);
    expect({ status, body }).toMatchObject({ status: 200 });
    return body;
  }

  async function expectDead(client: string, tokens: Tokens): Promise<void> {
    expect(await refresh(place().issuer, client, tokens.refresh_token)).toMatchObject({
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
    const browser = place().browser();
    return { browser, tokens: await signIn(place().issuer, browser, { client, account }) };
  }

  const exchange: Story<Person & { redemption: Redemption; anew: boolean }> = {
    name: 'a code is redeemed',
    async prepare() {
      const browser = place().browser();
      const redemption = await signInForCode(place().issuer, browser);
      return { browser, redemption, tokens: {}, anew: false };
    },
    async act(state) {
      const { status, body } = ok(await redeem(place().issuer, state.redemption), 400);
      state.anew = status !== 200;
      // The answer was lost with the tokens in it: the app begins anew, and nobody is asked anything.
      state.tokens = state.anew ? await silently(state.browser, 'app') : body;
    },
    async told({ browser, tokens, anew }, lost) {
      // A code whose redemption failed is not used up.
      if (!lost) expect(anew).toBe(false);
      await expectLives('app', tokens);
      await silently(browser, 'app');
    },
  };

  const refreshing: Story<Person & { next: Tokens }> = {
    name: 'a token is refreshed',
    prepare: async () => ({ ...(await person('spa')), next: {} }),
    async act(state) {
      state.next = ok(await refresh(place().issuer, 'spa', state.tokens.refresh_token)).body;
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
        browser: place().browser(),
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
      const usable = await place().server().directory.usableAccounts(String(sub));
      expect(usable.map(({ id, roles }) => ({ id, roles }))).toEqual([
        { id: account, roles: ['owner'] },
      ]);
      await expectLives('app', tokens);
      expect(claimsOf((await silently(browser, 'app')).access_token)).toMatchObject({
        sub,
        account,
      });
    },
    async settled({ subject, tokens }) {
      const { sub } = claimsOf(tokens.access_token);
      const users = await place().store.find('user', 'identity', '', { prefix: true, limit: 1000 });
      const same = users.filter(({ document }) =>
        document.identities.some((identity) => identity.subject === subject),
      );
      expect(same.map(({ id }) => id)).toEqual([sub]);
      const records = await place().store.find('audit', 'user', String(sub), { limit: 1000 });
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
      const url = new URL(`${place().issuer}/oauth2/logout`);
      url.searchParams.set('id_token_hint', tokens.id_token ?? '');
      url.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
      const end = await walk(browser, await browser.get(url.href), ['logout=yes']);
      expect(end.href).toBe('https://app.example.com/bye');
    },
    async told({ browser, tokens, other }) {
      await expectDead('app', tokens);
      await expectDead('other', other);
      const silent = authorizationRequest(place().issuer, 'app', { prompt: 'none' });
      const { url } = await browser.get(silent.url);
      expect(new URL(url).searchParams.get('error')).toBe('login_required');
    },
  };

  const consenting: Story<Person & { partner: Tokens }> = {
    name: 'somebody allows a partner',
    async prepare() {
      const id = consentId('usr_ada', 'partner', 'acc_acme');
      await place().store.write('consent', id, null, { expect: 'any' });
      return { ...(await person()), partner: {} };
    },
    async act(state) {
      const buttons = ['account=acc_acme', 'answer=allow'];
      state.partner = await authorize(state.browser, 'partner', buttons);
    },
    async told({ browser, tokens, partner }) {
      const id = consentId('usr_ada', 'partner', 'acc_acme');
      const scopes = (await place().store.get('consent', id))?.document.scopes;
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
      ok(await revoke(place().issuer, 'app', tokens.refresh_token));
    },
    told: ({ tokens }) => expectDead('app', tokens),
  };

  play(exchange);
  play(refreshing);
  play(newcomer);
  play(switching);
  play(signingOut);
  play(consenting);
  play(revoking);
}
