/** The store is away for a while: it says nothing, or nobody listens there. It is told, and all is well afterwards. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMortalWorld } from '../../kit/mortal_world.ts';
import type { MortalWorld } from '../../kit/mortal_world.ts';
import { presentStore } from '../../kit/places.ts';
import { freePort } from '../../kit/redis/process.ts';
import { makeWiredPlace, serversOf } from '../../kit/wires.ts';
import type { WiredPlace } from '../../kit/wires.ts';
import { authorizationRequest, refresh, signIn } from '../../kit/world.ts';
import { inConfigured, config, run } from '../../process/program.ts';

const longestMs = 120_000;
const password = 'a-password-that-nobody-may-see';

let place: WiredPlace;
let world: MortalWorld;

beforeAll(async () => {
  place = await makeWiredPlace();
  world = await startMortalWorld({}, Date.now, (clock) => place.open(clock));
}, longestMs);

afterAll(async () => {
  await world?.close();
  await place?.discard();
});

const servers = serversOf(presentStore());
// Redis is away in the run on Redis and SQLite.
const ends = servers.length === 1 ? servers : (['MongoDB'] as const);

async function health(probe: 'live' | 'ready') {
  const headers = { connection: 'close' };
  const answer = await fetch(`${world.issuer}/health/${probe}`, { headers });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
}

describe.each(ends)('%s', (to) => {
  test.each(['says nothing', 'is gone'] as const)(
    'when it %s, requests hear that they should come again',
    { timeout: longestMs },
    async (how) => {
      const proxy = place.wires.find((wire) => wire.to === to)?.proxy;
      if (proxy === undefined) throw new Error(`no wire to ${to}`);
      const person = world.browser();
      const tokens = await signIn(world.issuer, person);
      expect(await health('ready')).toMatchObject({ status: 200 });
      world.answers.length = 0;
      if (how === 'is gone') proxy.refuse();
      else proxy.hang();
      const began = performance.now();
      try {
        expect(await health('ready')).toEqual({
          status: 503,
          body: { status: 'not_ready', reason: 'store' },
        });
        expect(await health('live')).toMatchObject({ status: 200 });
        const readyMs = performance.now() - began;
        const request = authorizationRequest(world.issuer, 'app');
        const [answer, page] = await Promise.all([
          refresh(world.issuer, 'app', tokens.refresh_token),
          world.browser().get(request.url),
        ]);
        const ms = Math.round(performance.now() - began - readyMs);
        process.stderr.write(
          `\n${to} ${how}: not ready after ${Math.round(readyMs)} ms, refused in ${ms} ms\n`,
        );
        expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
        expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
        // Nothing of what is kept is needed for the first page.
        const needsIt = servers.length === 1;
        expect(page.status).toBe(needsIt ? 503 : 200);
        if (needsIt) expect(page.headers['retry-after']).toMatch(/^\d+$/);
      } finally {
        proxy.restore();
      }
      await expect.poll(async () => (await health('ready')).status, { timeout: 20_000 }).toBe(200);
      // Nothing that failed has changed anything.
      const { status, body } = await refresh(world.issuer, 'app', tokens.refresh_token);
      expect({ status, body }).toMatchObject({ status: 200 });
      await signIn(world.issuer, person, { parameters: { prompt: 'none' } });
      await signIn(world.issuer, world.browser(), { person: 'grace' });
      await world.server().dispatcher.drain();
      expect(await world.store.pending(10)).toEqual([]);
    },
  );

  test(
    'a start without it says so, and nothing of what is secret',
    { timeout: longestMs },
    async () => {
      const port = await freePort();
      const environment: Record<string, string> =
        to === 'Redis'
          ? { TOLLGATE_HOT: `redis://somebody:${password}@127.0.0.1:${port}` }
          : { TOLLGATE_STORE: `mongodb://somebody:${password}@127.0.0.1:${port}/tollgate` };
      await inConfigured(to === 'Redis' ? {} : { store: undefined }, async (folder) => {
        const { code, output, errors } = await run({
          folder,
          parameters: config,
          environment,
        });
        expect(code).toBe(1);
        expect(errors).toContain(`127.0.0.1:${port}`);
        expect(errors).not.toMatch(/^\s+at .+:\d+/m);
        for (const text of [output, errors]) expect(text).not.toContain(password);
      });
    },
  );
});
