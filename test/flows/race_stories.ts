/** Races that every installation must stand, told once for one process and for several. */

import { expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import {
  authorizationRequest,
  claimsOf,
  redeem,
  refresh,
  signIn,
  signInForCode,
  token,
} from '../kit/world.ts';

export interface Place {
  issuer: string;
  browser(): Browser;
}

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

const statusesOf = (answers: { status: number }[]) =>
  answers.map(({ status }) => status).toSorted();

/** As far as the chooser, without answering it. */
async function toChooser(place: Place, browser: Browser, client: string) {
  const request = authorizationRequest(place.issuer, client, { prompt: 'select_account' });
  return { request, page: await browser.get(request.url) };
}

const codeOf = (page: Page) => new URL(page.url).searchParams.get('code') ?? '';

export interface RaceOptions {
  /** By more than the moment that tells a race from a theft: what rests on that alone is left out. */
  clocksDiffer?: boolean;
}

export function raceStories(place: () => Place, { clocksDiffer = false }: RaceOptions = {}): void {
  for (const count of [2, 5, 10, 50, 200]) {
    test(`R-1 ${count} parallel refreshes of one token: one successor, the session lives on`, async () => {
      const { issuer, browser } = place();
      const tokens = await signIn(issuer, browser());
      const answers = await times(count, () => refresh(issuer, 'app', tokens.refresh_token));
      expect(statusesOf(answers)).toEqual(Array(count).fill(200));
      const successors = new Set(answers.map(({ body }) => body.refresh_token));
      expect(successors.size).toBe(1);
      const next = await refresh(issuer, 'app', [...successors][0]);
      expect(next.status).toBe(200);
      expect(next.body.refresh_token).not.toBe([...successors][0]);
    });
  }

  if (!clocksDiffer)
    test('R-1 grace 0: of 50 parallel refreshes one succeeds, and nothing dies', async () => {
      const { issuer, browser } = place();
      const tokens = await signIn(issuer, browser(), { client: 'strict' });
      const answers = await times(50, () => refresh(issuer, 'strict', tokens.refresh_token));
      const winners = answers.filter(({ status }) => status === 200);
      expect(winners).toHaveLength(1);
      for (const { status, body } of answers) {
        if (status !== 200) expect(body).toMatchObject({ error: 'invalid_grant' });
      }
      expect((await refresh(issuer, 'strict', winners[0]?.body.refresh_token)).status).toBe(200);
    });

  if (!clocksDiffer)
    test('T08 of 20 parallel redemptions of a code one succeeds, and its tokens live', async () => {
      const { issuer, browser } = place();
      const redemption = await signInForCode(issuer, browser());
      const answers = await times(20, () => redeem(issuer, redemption));
      const winners = answers.filter(({ status }) => status === 200);
      expect(winners).toHaveLength(1);
      expect(statusesOf(answers).filter((status) => status === 400)).toHaveLength(19);
      expect((await refresh(issuer, 'app', winners[0]?.body.refresh_token)).status).toBe(200);
    });

  test('two families of one grant are refreshed at once', async () => {
    const { issuer, browser } = place();
    const person = browser();
    const first = await signIn(issuer, person);
    const second = await signIn(issuer, person);
    const grantOf = (refreshToken = '') => refreshToken.split('.')[2];
    expect(grantOf(first.refresh_token)).toBe(grantOf(second.refresh_token));
    for (let round = 0; round < 5; round += 1) {
      const families = [first, second];
      const answers = await Promise.all(
        families.map((family) => refresh(issuer, 'app', family.refresh_token)),
      );
      expect(statusesOf(answers)).toEqual([200, 200]);
      answers.forEach(({ body }, index) => Object.assign(families[index]!, body));
    }
  });

  for (const [first, second] of [
    ['app', 'app'],
    ['app', 'other'],
  ] as const) {
    const whom = first === second ? 'the same client' : 'two clients';
    test(`two authorization requests at once in one browser, for ${whom}: both work, both are remembered`, async () => {
      const { issuer, browser } = place();
      const person = browser();
      await signIn(issuer, person, { account: 'acc_globex' });
      const redemptions = await Promise.all(
        [first, second].map((client) =>
          signInForCode(issuer, person, { client, account: 'acc_globex' }),
        ),
      );
      const tokens = await Promise.all(redemptions.map((one) => redeem(issuer, one)));
      expect(statusesOf(tokens)).toEqual([200, 200]);
      for (const client of new Set([first, second])) {
        const again = authorizationRequest(issuer, client, { prompt: 'none' });
        const page = await person.get(again.url);
        const code = codeOf(page);
        expect(code, page.url).not.toBe('');
        const { body } = await redeem(issuer, { ...again, code });
        expect(claimsOf(body.access_token)).toMatchObject({ account: 'acc_globex' });
      }
    });
  }

  test('five tabs that resume at once come to one session cookie', async () => {
    const { issuer, browser } = place();
    const person = browser();
    await signIn(issuer, person);
    const tabs = await times(5, () => toChooser(place(), person, 'app'));
    const ends = await Promise.all(
      tabs.map(({ page }) => person.submit(page, { button: 'account=acc_acme' })),
    );
    const answers = await Promise.all(
      ends.map((page, index) => redeem(issuer, { ...tabs[index]!.request, code: codeOf(page) })),
    );
    expect(statusesOf(answers)).toEqual([200, 200, 200, 200, 200]);
    const sids = new Set(answers.map(({ body }) => claimsOf(body.id_token).sid));
    expect(sids.size).toBe(1);
    const silent = authorizationRequest(issuer, 'app', { prompt: 'none' });
    expect(codeOf(await person.get(silent.url))).not.toBe('');
  });

  test('a triple click on resume makes one session and one grant', async () => {
    const { issuer, browser } = place();
    const person = browser();
    // Up to the address at which the library resumes, which is then asked for three times at once.
    const request = authorizationRequest(issuer, 'app');
    const resume = /\/oauth2\/authorize\/[^/]+$/;
    let page = await person.get(request.url);
    for (const button of ['person=grace', 'person=grace']) {
      if (page.stopped) break;
      page = await person.submit(page, { button, stopAt: (url) => resume.test(url.pathname) });
    }
    expect(page.url).toMatch(resume);
    const ends = await times(3, () => person.get(page.url));
    const codes = ends.map(codeOf).filter((code) => code !== '');
    expect(codes).toHaveLength(1);
    for (const end of ends) expect(end.status).toBeLessThan(500);
    const tokens = await redeem(issuer, { ...request, code: codes[0] ?? '' });
    expect(tokens.status).toBe(200);
    const silent = authorizationRequest(issuer, 'app', { prompt: 'none' });
    const again = await redeem(issuer, { ...silent, code: codeOf(await person.get(silent.url)) });
    expect(claimsOf(again.body.id_token).sid).toBe(claimsOf(tokens.body.id_token).sid);
  });

  test('a 4xx after the library has rotated burns nothing', async () => {
    const { issuer, browser } = place();
    const tokens = await signIn(issuer, browser());
    const parameters = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    const refused = await token(issuer, 'app', {
      ...parameters,
      resource: 'https://elsewhere.example',
    });
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    const first = await refresh(issuer, 'app', tokens.refresh_token);
    expect(first.status).toBe(200);
    // It was the present one still: its successor is the second of the family.
    expect(first.body.refresh_token?.split('.')[4]).toBe('2');
  });

  test('switch account, then sign out: the tokens of both accounts are dead', async () => {
    const { issuer, browser } = place();
    const person = browser();
    const acme = await signIn(issuer, person, { account: 'acc_acme' });
    const globex = await signIn(issuer, person, {
      account: 'acc_globex',
      parameters: { prompt: 'select_account' },
    });
    expect(claimsOf(globex.access_token)).toMatchObject({ account: 'acc_globex' });
    const kept = await refresh(issuer, 'app', acme.refresh_token);
    expect(claimsOf(kept.body.access_token)).toMatchObject({ account: 'acc_acme' });
    const out = new URL(`${issuer}/oauth2/logout`);
    out.searchParams.set('id_token_hint', globex.id_token ?? '');
    out.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
    expect((await person.get(out.href)).url).toBe('https://app.example.com/bye');
    for (const refreshToken of [kept.body.refresh_token, globex.refresh_token]) {
      expect(await refresh(issuer, 'app', refreshToken)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    }
    const silent = authorizationRequest(issuer, 'app', { prompt: 'none' });
    expect(new URL((await person.get(silent.url)).url).searchParams.get('error')).toBe(
      'login_required',
    );
  });

  test('sign-outs and refreshes at once: when the sign-out has answered, nothing refreshes', async () => {
    const { issuer, browser } = place();
    const person = browser();
    const tokens = await signIn(issuer, person);
    const out = new URL(`${issuer}/oauth2/logout`);
    out.searchParams.set('id_token_hint', tokens.id_token ?? '');
    const answers = await Promise.all([
      person.get(out.href),
      ...Array.from({ length: 20 }, () => refresh(issuer, 'app', tokens.refresh_token)),
    ]);
    for (const answer of answers) expect(answer.status).toBeLessThan(500);
    expect((await refresh(issuer, 'app', tokens.refresh_token)).status).toBe(400);
  });

  test('R-2 an old generation ends the family, its descendant included', async () => {
    const { issuer, browser } = place();
    const tokens = await signIn(issuer, browser(), { client: 'spa' });
    let latest = tokens.refresh_token;
    for (let round = 0; round < 3; round += 1) {
      latest = (await refresh(issuer, 'spa', latest)).body.refresh_token;
    }
    // Within the grace a slow tab still gets the present one, and nothing is written.
    const slow = await refresh(issuer, 'spa', tokens.refresh_token);
    expect(slow.body.refresh_token).toBe(latest);
  });

  test('T50 a forged token has no effect at all', async () => {
    const { issuer, browser } = place();
    const tokens = await signIn(issuer, browser());
    const [prefix, key, grant, family, , mac] = (tokens.refresh_token ?? '').split('.');
    for (const generation of ['1', '2', '99', '0', '01']) {
      for (const end of [mac!.slice(0, -1), 'A'.repeat(43), `${mac}A`]) {
        const forged = [prefix, key, grant, family, generation, end].join('.');
        expect((await refresh(issuer, 'app', forged)).status).toBe(400);
      }
    }
    expect((await refresh(issuer, 'app', tokens.refresh_token)).status).toBe(200);
  });
}
