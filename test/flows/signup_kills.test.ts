/**
 * `kill -9` at random moments while people sign up. Whoever paid has exactly one account and one customer; nobody who was
 * welcomed is forgotten. `TOLLGATE_TEST_FULL=1` kills two hundred times.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { startStripe } from '../../dev/stripe/simulator.ts';
import type { StripeSimulator } from '../../dev/stripe/simulator.ts';
import { createKiller, examine, newSeed, seededRandom } from '../kit/crashes.ts';
import type { Cluster } from '../kit/spawn.ts';
import { startCluster } from '../kit/spawn.ts';
import {
  ends,
  follow,
  hookOf,
  isAway,
  newcomer,
  operatorOf,
  sellingConfig,
  sessionOf,
  stock,
} from '../kit/signup_world.ts';

const longestMs = 3_600_000;
const killsWanted = process.env.TOLLGATE_TEST_FULL === '1' ? 200 : 10;
const visitors = 4;
/** After somebody came through, so that all get on; the others are at any of their steps then. */
const windowMs = 300;

let stripe: StripeSimulator | undefined;
let cluster: Cluster | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
  await stripe?.close();
  stripe = undefined;
});

test(
  'kill -9 at every step of sign-up: one account and one customer for each who paid',
  { timeout: longestMs },
  async () => {
    const seed = newSeed();
    const random = seededRandom(seed);
    const desk = (stripe = await startStripe({ port: 0 }));
    const api = operatorOf(desk);
    await stock(api);
    const { secret, pointTo } = await hookOf(api);
    const here = (cluster = await startCluster({
      processes: 1,
      config: sellingConfig(desk, [secret]),
    }));
    await pointTo(here.issuer);
    const killer = createKiller(here, random);
    /** The session of who paid and closed the window; nothing of who came back. */
    const paid = new Map<string, string | undefined>();
    let begun = 0;
    let done = 0;
    let nextStrike = 1;
    let striking: Promise<void> | undefined;
    const wrong: string[] = [];

    /** @throws where it did not come to its end */
    async function signUp(
      someone: ReturnType<typeof newcomer>,
      closesWindow: boolean,
    ): Promise<true> {
      const browser = here.browser({ stopAt: (url) => isAway(url, desk) });
      const query = { product: 'api', plan: 'team', period: 'month' };
      let page = await follow(browser, here.issuer, query, { someone });
      if (page.url.startsWith(desk.url)) {
        const session = sessionOf(page.url);
        const { redirect } = await payOnce(session);
        paid.set(someone.subject, closesWindow ? session : undefined);
        if (closesWindow) return true;
        page = await browser.get(redirect);
      }
      // The account came by the event, while nobody answered the browser.
      if (page.title.startsWith('You have a plan already')) {
        page = await browser.follow(page, 'Back to Tollgate');
      }
      if (page.url !== ends.success) throw new Error(`at ${page.url}: ${page.title}`);
      return true;
    }

    async function payOnce(session: string): Promise<{ redirect: string }> {
      const outcome = await desk.checkout.pay(session, { card: cards.pays });
      if (outcome.kind !== 'completed') throw new Error(outcome.kind);
      return outcome;
    }

    async function visitor(): Promise<void> {
      while (killer.kills < killsWanted && wrong.length < 3) {
        begun += 1;
        const someone = newcomer(`k${begun}`);
        const closesWindow = begun % 3 === 0;
        await killer.persist(async () => {
          const disturbed = killer.watch();
          try {
            return await signUp(someone, closesWindow);
          } catch (error) {
            // Nobody was killed meanwhile: then it has to work.
            if (!disturbed()) wrong.push(`${someone.subject}: ${String(error)}`);
            return undefined;
          }
        });
        done += 1;
        if (done >= nextStrike) striking ??= strike();
      }
    }

    async function strike(): Promise<void> {
      await delay(random() * windowMs);
      await killer.strike();
      nextStrike = done + 1;
      striking = undefined;
    }

    await Promise.all(Array.from({ length: visitors }, visitor));
    await striking;
    process.stderr.write(
      `\nseed ${seed}: ${killer.kills} kills, ${begun} sign-ups, ${paid.size} paid\n`,
    );
    expect(wrong).toEqual([]);
    expect(killer.kills).toBeGreaterThanOrEqual(killsWanted);
    expect(paid.size).toBe(begun);
    await examine(here, async (store, { billing, directory, dispatcher }) => {
      // What an event that was lost with the process leaves to the worker.
      for (const session of paid.values()) {
        if (session !== undefined) await billing?.signups.fulfil(session);
      }
      await dispatcher.drain();
      const everybody = await store.find('user', 'identity', '', { prefix: true, limit: 1000 });
      const customers = desk.objects.customers();
      for (const subject of paid.keys()) {
        const users = everybody.filter(({ document }) =>
          document.identities.some((identity) => identity.subject === subject),
        );
        expect(users).toHaveLength(1);
        const accounts = await directory.usableAccounts(users[0]!.id);
        expect(accounts.map(({ roles }) => roles)).toEqual([['owner']]);
        const [account] = accounts;
        const theirs = customers.filter(
          ({ metadata }) => metadata.tollgate_account === account?.id,
        );
        expect(theirs.map(({ id }) => id)).toEqual([account?.document.customer]);
        const subscriptions = desk.objects
          .subscriptions()
          .filter(({ customer }) => customer === account?.document.customer);
        expect(subscriptions.map(({ status }) => status)).toEqual(['active']);
      }
      expect(customers).toHaveLength(paid.size);
    });
  },
);
