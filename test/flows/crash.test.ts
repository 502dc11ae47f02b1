/**
 * `kill -9` at random moments, hundreds of requests long. What was acknowledged is true after every
 * restart, what was not can be asked for again, and what was ended stays dead.
 */

import { afterEach, describe, expect, test } from 'vitest';
import { createKiller, examine, newSeed, seededRandom } from '../kit/crashes.ts';
import { rounds } from '../kit/places.ts';
import { startCluster } from '../kit/spawn.ts';
import type { Killer } from '../kit/crashes.ts';
import type { Cluster } from '../kit/spawn.ts';
import {
  addressOf,
  authorizationRequest,
  claimsOf,
  redeem,
  refresh,
  revoke,
  signIn,
} from '../kit/world.ts';
import type { Browser } from '../../dev/walk.ts';

const longestMs = 600_000;
const refreshesWanted = rounds(500);
const signInsWanted = rounds(200);
const endsWanted = rounds(16);
const killsWanted = rounds(25);

let cluster: Cluster | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

const generationOf = (refreshToken = '') => Number(refreshToken.split('.')[4]);
const report = (line: string) => process.stderr.write(`\n${line}\n`);

/** A session that will be ended, and then watched for coming back. */
interface Mortal {
  browser: Browser;
  tokens: Record<string, string>;
}

/** A client's chain of refresh tokens. */
interface Family {
  client: string;
  latest: string | undefined;
  acknowledged: number;
  asked: number;
}

async function endBy(how: number, issuer: string, { browser, tokens }: Mortal): Promise<boolean> {
  if (how % 2 === 0) return (await revoke(issuer, 'spa', tokens.refresh_token)).status === 200;
  const out = new URL(`${issuer}/oauth2/logout`);
  out.searchParams.set('id_token_hint', tokens.id_token ?? '');
  out.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
  const page = await browser.get(out.href);
  return page.status < 500 && (page.stopped || page.text !== '');
}

describe('kill -9', () => {
  test(
    'R-3 hundreds of refreshes: none is lost, none comes back',
    { timeout: longestMs },
    async () => {
      const seed = newSeed();
      const random = seededRandom(seed);
      const here = (cluster = await startCluster({ processes: 1 }));
      const { issuer } = here;
      const killer = createKiller(here, random);
      const families: Family[] = [];
      for (const client of ['app', 'spa', 'app', 'spa', 'app', 'spa']) {
        const tokens = await signIn(issuer, here.browser(), { client });
        families.push({ client, latest: tokens.refresh_token, acknowledged: 0, asked: 0 });
      }
      const mortals: Mortal[] = [];
      for (let index = 0; index < endsWanted; index += 1) {
        const browser = here.browser();
        const client = index % 2 === 0 ? 'spa' : 'app';
        mortals.push({ browser, tokens: await signIn(issuer, browser, { client }) });
      }
      const dead: { client: string; token: string | undefined }[] = [];
      let acknowledged = 0;
      let nextKill = 1;
      let round: Promise<void> | undefined;
      const wrong: unknown[] = [];

      async function kill(): Promise<void> {
        const how = mortals.length;
        const mortal = mortals.pop();
        const ended =
          mortal === undefined
            ? undefined
            : killer.persist(async () => (await endBy(how + 1, issuer, mortal)) || undefined);
        // Every other time the moment after it was acknowledged, else at any moment.
        if (how % 4 < 2) await ended;
        await killer.strike();
        await ended;
        if (mortal !== undefined) {
          const client = how % 2 === 1 ? 'spa' : 'app';
          dead.push({ client, token: mortal.tokens.refresh_token });
        }
        await seeDead(dead.slice(-3));
        nextKill = acknowledged + 1 + Math.floor(random() * 6);
        round = undefined;
      }

      async function seeDead(these: typeof dead): Promise<void> {
        for (const one of these) {
          const answer = await killer.persist(() => refresh(issuer, one.client, one.token));
          if (answer.status !== 400) wrong.push(['revived', one, answer.status]);
        }
      }

      async function use(family: Family): Promise<void> {
        while (acknowledged < refreshesWanted || killer.kills < killsWanted) {
          const shown = family.latest;
          const answer = await killer.persist(async () => {
            family.asked += 1;
            const one = await refresh(issuer, family.client, shown);
            return one.status < 500 ? one : undefined;
          });
          const next = answer.body.refresh_token;
          if (answer.status !== 200 || generationOf(next) !== generationOf(shown) + 1) {
            wrong.push(['lost', family.client, shown, answer.status, answer.body]);
            return;
          }
          family.latest = next;
          family.acknowledged += 1;
          acknowledged += 1;
          if (acknowledged >= nextKill) round ??= kill();
        }
      }

      await Promise.all(families.map(use));
      await round;
      await seeDead(dead);
      const asked = families.reduce((sum, family) => sum + family.asked, 0);
      report(
        `seed ${seed}: ${killer.kills} kills, ${acknowledged} refreshes in ${asked} attempts, ` +
          `${dead.length} ended`,
      );
      expect(wrong).toEqual([]);
      expect(killer.kills).toBeGreaterThanOrEqual(killsWanted);
      expect(mortals).toEqual([]);
      await examine(here, async (store) => {
        for (const { latest, acknowledged: steps } of families) {
          const [, , grant = '', family = ''] = (latest ?? '').split('.');
          const stored = await store.get('grant', grant);
          expect(stored?.document.families?.[family]?.generation).toBe(steps + 1);
        }
        for (const one of dead) {
          const [, , grant = ''] = (one.token ?? '').split('.');
          expect((await store.get('grant', grant))?.document.ended).toBeDefined();
        }
        expect(await store.pending(10)).toEqual([]);
      });
    },
  );

  test(
    'hundreds of first sign-ins: no half-made account, nobody twice',
    { timeout: longestMs },
    async () => {
      const seed = newSeed();
      const random = seededRandom(seed);
      const here = (cluster = await startCluster({
        processes: 1,
        config: { registration: 'open' },
      }));
      const killer = createKiller(here, random);
      const done: { browser: Browser; tokens: Record<string, string>; subject: string }[] = [];
      const wrong: unknown[] = [];
      let begun = 0;
      let attempts = 0;
      let nextKill = 1;
      let round: Promise<void> | undefined;

      async function kill(): Promise<void> {
        await killer.strike();
        nextKill = done.length + 1 + Math.floor(random() * 6);
        round = undefined;
      }

      async function come(number: number): Promise<void> {
        const subject = `newcomer-${number}`;
        const browser = here.browser();
        const tokens = await killer.persist(async () => {
          attempts += 1;
          const disturbed = killer.watch();
          try {
            return await firstSignIn(here.issuer, browser, subject, killer);
          } catch (error) {
            // Nobody was killed meanwhile: then it has to work.
            if (!disturbed()) wrong.push([subject, String(error)]);
            return undefined;
          }
        });
        done.push({ browser, tokens, subject });
        if (done.length >= nextKill) round ??= kill();
      }

      const visitor = async () => {
        while (begun < signInsWanted && wrong.length < 5) await come((begun += 1));
      };
      await Promise.all([visitor(), visitor(), visitor(), visitor()]);
      await round;
      report(
        `seed ${seed}: ${killer.kills} kills, ${done.length} sign-ins in ${attempts} attempts`,
      );
      expect(wrong).toEqual([]);
      expect(killer.kills).toBeGreaterThanOrEqual(killsWanted);

      // Whoever was told that they are signed in, is.
      for (const { browser, tokens } of done.filter((_one, index) => index % 10 === 0)) {
        const silent = authorizationRequest(here.issuer, 'app', { prompt: 'none' });
        expect(new URL((await browser.get(silent.url)).url).searchParams.get('error')).toBe(null);
        expect((await refresh(here.issuer, 'app', tokens.refresh_token)).status).toBe(200);
      }
      await examine(here, async (store, { directory }) => {
        const everybody = await store.find('user', 'identity', '', { prefix: true, limit: 1000 });
        const ours = everybody.filter(({ document }) =>
          document.identities.some((one) => one.subject.startsWith('newcomer-')),
        );
        expect(ours).toHaveLength(signInsWanted);
        expect(new Set(ours.map(({ document }) => document.identities[0]?.subject)).size).toBe(
          signInsWanted,
        );
        const idOf = new Map(ours.map(({ id, document }) => [document.identities[0]?.subject, id]));
        for (const { tokens, subject } of done) {
          const { sub, account } = claimsOf(tokens.access_token);
          expect(sub).toBe(idOf.get(subject));
          const usable = await directory.usableAccounts(String(sub));
          expect(usable.map(({ id, roles }) => ({ id, roles }))).toEqual([
            { id: account, roles: ['owner'] },
          ]);
          const records = await store.find('audit', 'user', String(sub), { limit: 1000 });
          const types = records.map(({ document }) => document.type);
          expect(types.filter((type) => type === 'user.registered')).toHaveLength(1);
        }
        expect(await store.pending(10)).toEqual([]);
      });
    },
  );
});

/** As a person and their app do it: from the app to the tokens. @throws when it does not come so far */
async function firstSignIn(
  issuer: string,
  browser: Browser,
  subject: string,
  killer: Killer,
): Promise<Record<string, string>> {
  const request = authorizationRequest(issuer, 'app');
  let page = await browser.get(request.url);
  for (let step = 0; step < 4 && !page.stopped; step += 1) {
    const fields = { subject, name: `Somebody ${subject}`, email: `${subject}@example.com` };
    page = await browser.submit(page, { button: 'person=someone', fields });
  }
  const code = new URL(page.url).searchParams.get('code');
  if (code === null || !page.url.startsWith(addressOf('app'))) throw new Error(page.url);
  const answer = await killer.persist(async () => {
    const one = await redeem(issuer, { ...request, code });
    return one.status < 500 ? one : undefined;
  });
  // A refusal: the answer of the first attempt was lost with the process, and the code is used up.
  if (answer.status !== 200) throw new Error(`no tokens: ${answer.status}`);
  return answer.body;
}
