/**
 * A process hangs in the middle of a request, and wakes when others have long done what it was about to do: at each
 * of its steps in turn. Its late writes lose, nothing that died comes back, and what lives is not ended by it.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { createSweeper } from '../../src/events/sweeper.ts';
import type { Store } from '../../src/storage/store.ts';
import { freezing, startPair } from '../kit/freezing.ts';
import type { Pair } from '../kit/freezing.ts';
import { recordingLog } from '../kit/server.ts';
import { redeem, refresh, signIn, signInForCode } from '../kit/world.ts';
import type { TokenAnswer } from '../kit/world.ts';

const longestMs = 60_000;
/** Longer than any lease, and than any doubt about what is a race and what a theft. */
const nightMs = 5 * 60_000;
/** The code of a redemption is still good then. */
const napMs = 30_000;
/** No session is remembered for so long. */
const monthMs = 400 * 24 * 60 * 60_000;
const mostSteps = 40;

let pair: Pair;

beforeAll(async () => {
  pair = await startPair();
}, longestMs);

afterAll(() => pair?.close());

type Tokens = Record<string, string>;

const generationOf = (tokens: Tokens) => Number(tokens.refresh_token?.split('.')[4]);

async function signOut(browser: Browser, tokens: Tokens): Promise<void> {
  const out = new URL(`${pair.issuer}/oauth2/logout`);
  out.searchParams.set('id_token_hint', tokens.id_token ?? '');
  out.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
  expect((await browser.get(out.href)).url).toBe('https://app.example.com/bye');
}

async function expectDead(tokens: Tokens): Promise<void> {
  for (const which of ['sleeper', 'waker'] as const) {
    pair.goTo(which);
    expect(await refresh(pair.issuer, 'app', tokens.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  }
}

async function expectEndedOnce(tokens: Tokens): Promise<void> {
  await pair.waker.dispatcher.drain();
  expect(await pair.store.pending(10)).toEqual([]);
  const [, , grant = ''] = (tokens.refresh_token ?? '').split('.');
  const ended = (await pair.store.get('grant', grant))?.document.ended;
  expect(ended).toBeDefined();
  const records = await pair.store.find('audit', 'user', 'usr_ada', { limit: 1000 });
  const revoked = records.filter(
    ({ document }) => document.type === 'grant.revoked' && document.data.grant === grant,
  );
  expect(revoked).toHaveLength(1);
}

interface Night<T> {
  /** What the one that is frozen does. */
  asleep(): Promise<T>;
  /** What the other does meanwhile. */
  awake(): Promise<void>;
  /** @param wrote whether the sleeper had written anything when it was frozen */
  morning(answer: T, wrote: boolean): Promise<void>;
}

/** Tells it once for each step of the one that is frozen. */
async function atEachStep<T>(begin: () => Promise<Night<T>>, sleepMs = nightMs): Promise<void> {
  for (let step = 1; ; step += 1) {
    expect(step).toBeLessThan(mostSteps);
    pair.goTo('waker');
    const night = await begin();
    pair.goTo('sleeper');
    const frozen = pair.sleeping.freezeBefore(step);
    const answer = night.asleep();
    const isFrozen = await Promise.race([frozen.then(() => true), answer.then(() => false)]);
    if (!isFrozen) {
      pair.sleeping.thaw();
      // It was frozen at every step, and at one at least.
      expect(step).toBeGreaterThan(1);
      return;
    }
    pair.goTo('waker');
    await night.awake();
    pair.ahead += sleepMs;
    const { wrote } = pair.sleeping;
    pair.sleeping.thaw();
    await night.morning(await answer, wrote);
  }
}

describe('a process freezes at each of its steps', () => {
  test('of a refresh, and meanwhile the person signs out', { timeout: longestMs }, async () => {
    await atEachStep<TokenAnswer>(async () => {
      const browser = pair.browser();
      const tokens = await signIn(pair.issuer, browser);
      return {
        asleep: () => refresh(pair.issuer, 'app', tokens.refresh_token),
        awake: () => signOut(browser, tokens),
        async morning({ status, body }, wrote) {
          if (!wrote) expect(status).toBe(400);
          await expectDead(tokens);
          if (body.refresh_token !== undefined) await expectDead(body);
          await expectEndedOnce(tokens);
        },
      };
    });
  });

  test('of a redemption, and meanwhile the person signs out', { timeout: longestMs }, async () => {
    await atEachStep<TokenAnswer>(async () => {
      const browser = pair.browser();
      const before = await signIn(pair.issuer, browser);
      const redemption = await signInForCode(pair.issuer, browser);
      return {
        asleep: () => redeem(pair.issuer, redemption),
        awake: () => signOut(browser, before),
        async morning({ status, body }, wrote) {
          if (!wrote) expect(status).toBe(400);
          await expectDead(before);
          if (body.refresh_token !== undefined) await expectDead(body);
          await expectEndedOnce(before);
        },
      };
    });
  });

  test('of a sign-out, and meanwhile the app refreshes', { timeout: longestMs }, async () => {
    await atEachStep<void>(async () => {
      const browser = pair.browser();
      const tokens = await signIn(pair.issuer, browser);
      const latest: Tokens[] = [tokens];
      return {
        asleep: () => signOut(browser, tokens),
        async awake() {
          const { status, body } = await refresh(pair.issuer, 'app', tokens.refresh_token);
          // Alive until the sign-out is written, dead from then on: it is only not acknowledged.
          if (status === 200) latest.push(body);
          else expect(status).toBe(400);
        },
        async morning() {
          for (const one of latest) await expectDead(one);
          await expectEndedOnce(tokens);
        },
      };
    });
  });

  test(
    'of a refresh, and meanwhile the app asks another one and goes on',
    { timeout: longestMs },
    async () => {
      await atEachStep<TokenAnswer>(async () => {
        const tokens = await signIn(pair.issuer, pair.browser(), { client: 'spa' });
        let latest = tokens;
        const goOn = async () => {
          const { status, body } = await refresh(pair.issuer, 'spa', latest.refresh_token);
          expect(status).toBe(200);
          latest = body;
        };
        return {
          asleep: () => refresh(pair.issuer, 'spa', tokens.refresh_token),
          async awake() {
            await goOn();
            await goOn();
          },
          async morning({ status }) {
            expect([200, 400]).toContain(status);
            const before = generationOf(latest);
            await goOn();
            expect(generationOf(latest)).toBe(before + 1);
          },
        };
      });
    },
  );

  test(
    'of a redemption, and meanwhile the app asks another one and goes on',
    { timeout: longestMs },
    async () => {
      await atEachStep<TokenAnswer>(async () => {
        const redemption = await signInForCode(pair.issuer, pair.browser());
        let latest: Tokens = {};
        return {
          asleep: () => redeem(pair.issuer, redemption),
          async awake() {
            const { status, body } = await redeem(pair.issuer, redemption);
            if (status === 200) latest = body;
            else expect(body.error).toBe('invalid_grant');
          },
          async morning({ status, body }, wrote) {
            expect(status).toBe(wrote ? 200 : 400);
            const { refresh_token: token } = wrote ? body : latest;
            pair.goTo('waker');
            expect((await refresh(pair.issuer, 'app', token)).status).toBe(200);
          },
        };
      }, napMs);
    },
  );

  test('of cleaning up, and another does it', { timeout: longestMs }, async () => {
    await atEachStep<void>(async () => {
      const tokens = await signIn(pair.issuer, pair.browser(), {
        person: 'grace',
        account: 'none',
      });
      const [, , grant = ''] = (tokens.refresh_token ?? '').split('.');
      const session = (await pair.store.get('grant', grant))?.document.session ?? '';
      pair.ahead += monthMs;
      return {
        asleep: () => sweepOnce(pair.sleeping, 'sleeper'),
        async awake() {
          // Others held that job when it began to sleep, or it itself did.
          pair.ahead += nightMs;
          await sweepOnce(pair.store, 'waker');
          await pair.waker.dispatcher.drain();
        },
        async morning() {
          await pair.waker.dispatcher.drain();
          pair.ahead += nightMs;
          await sweepOnce(pair.store, 'waker');
          expect(await pair.store.pending(10)).toEqual([]);
          expect(await pair.store.get('session', session)).toBe(undefined);
          const records = await pair.store.find('audit', 'user', 'usr_grace', { limit: 1000 });
          const ended = records.filter(({ document }) => document.data.session === session);
          const types = ended.map(({ document }) => document.type);
          expect(types.filter((type) => type === 'session.ended')).toHaveLength(1);
        },
      };
    });
  });
});

/** Resolves when it has had its turn and cleaned up. */
async function sweepOnce(store: Store, owner: string): Promise<void> {
  const swept = Promise.withResolvers<void>();
  const watched: Store = {
    ...freezing(store),
    async sweep(now, limit) {
      const gone = await store.sweep(now, limit);
      swept.resolve();
      return gone;
    },
  };
  const options = { clock: Date.now, log: recordingLog(), owner, everyMs: 1 };
  const sweeper = createSweeper({ store: watched, ...options });
  sweeper.start();
  await swept.promise;
  await sweeper.stop();
}
