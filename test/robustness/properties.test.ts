/**
 * Every address, asked in every way that nobody should ask: a refusal, or a harmless answer, at once.
 * Never a failure of ours, never a word of the inside, never a change.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizationRequest } from '../kit/world.ts';
import { anyRequest, nearlyRight, pairs } from './nasty.ts';
import { asBrowser, form, send } from './raw.ts';
import type { RawRequest } from './raw.ts';
import { expectSane } from './sane.ts';
import { startWatchedWorld } from './watched.ts';
import type { WatchedWorld } from './watched.ts';

let world: WatchedWorld;

beforeAll(async () => {
  world = await startWatchedWorld({ registration: 'open' });
});

afterAll(() => world?.close());

const runs = { numRuns: 400 };
/** With these the person goes back, or leaves. */
const answers = ['other', 'leave'];

describe('T77 nothing that is sent makes it fail', () => {
  test('any parameters, headers and bodies at any address', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        expectSane(world, request, await send(world.port, request));
      }),
      runs,
    );
  });

  test('requests that are right but for one thing', async () => {
    await fc.assert(
      fc.asyncProperty(nearlyRight, async (request) => {
        expectSane(world, request, await send(world.port, request));
      }),
      runs,
    );
  });

  test('forms of a sign-in that is under way, from its own browser', async () => {
    const browser = world.browser();
    const first = await browser.get(authorizationRequest(world.issuer, 'app').url);
    const page = await browser.submit(first, { button: 'person=ada' });
    const url = new URL(page.url);
    const fields = page.forms[0]?.fields.map(({ name, value }) => [name, value] as const) ?? [];
    const cookie = browser.cookies.header({ url, sameSite: true, topLevelGet: true });
    expect([url.pathname.split('/')[1], fields.length]).toEqual(['interaction', 3]);
    world.store.taken();
    await fc.assert(
      fc.asyncProperty(pairs, fc.boolean(), async (more, twice) => {
        const added = more
          .filter(([name]) => !answers.includes(name))
          .map(([name, value]) => [name.toWellFormed(), value.toWellFormed()] as const);
        const posted = form([...fields, ...(twice ? fields : []), ...added]);
        const request: RawRequest = {
          method: 'POST',
          path: url.pathname,
          ...posted,
          headers: [...posted.headers, asBrowser, ['Cookie', cookie]],
        };
        expectSane(world, request, await send(world.port, request));
      }),
      { numRuns: 150 },
    );
    // And nothing of it was in the way of the right one.
    const end = await browser.submit(page, { button: 'account=acc_acme' });
    expect(new URL(end.url).searchParams.has('code')).toBe(true);
  });

  test('it is still well', async () => {
    expect((await send(world.port, { path: '/health/ready' })).status).toBe(200);
  });
});
