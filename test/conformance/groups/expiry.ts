import { describe, expect, test, vi } from 'vitest';
import { Conflict } from '../../../src/storage/store.ts';
import { account, grant, session } from '../samples.ts';
import { startOfTime } from '../suite.ts';
import type { Suite } from '../suite.ts';

const everything = Number.MAX_SAFE_INTEGER;

export function expiry(suite: Suite): void {
  describe('due', () => {
    test('gives what has come due, earliest first, as many as asked for', async () => {
      const store = await suite.open();
      const times: Record<string, number> = { g1: 300, g2: 100, g3: 200, g4: 400 };
      for (const [id, expiresAt] of Object.entries(times)) {
        await store.write('grant', id, grant({ expiresAt }), { expect: 'absent' });
      }
      const due = async (before: number, limit = 10) =>
        (await store.due('grant', before, limit)).map(({ id }) => id).join();
      expect(await due(99)).toBe('');
      expect(await due(300)).toBe('g2,g3,g1');
      expect(await due(everything)).toBe('g2,g3,g1,g4');
      expect(await due(everything, 2)).toBe('g2,g3');
      expect((await store.due('grant', 100, 1))[0]).toEqual({
        id: 'g2',
        version: 1,
        document: grant({ expiresAt: 100 }),
      });
    });

    test('follows the document', async () => {
      const store = await suite.open();
      await store.write('grant', 'g1', grant({ expiresAt: 100 }), { expect: 'absent' });
      await store.write('grant', 'g1', grant({ expiresAt: 900 }), { expect: 1 });
      await store.write('account', 'a1', account(), { expect: 'absent' });
      expect(await store.due('grant', 500, 10)).toEqual([]);
      expect(await store.due('grant', 900, 10)).toHaveLength(1);
      expect(await store.due('account', everything, 10)).toEqual([]);
      await store.write('grant', 'g1', null, { expect: 2 });
      expect(await store.due('grant', everything, 10)).toEqual([]);
    });
  });

  sweeping(suite);
  announcing(suite);
  counters(suite);
}

function sweeping(suite: Suite): void {
  describe('sweep', () => {
    test('deletes what has expired and nothing else', async () => {
      const store = await suite.open();
      await store.write('grant', 'old', grant({ expiresAt: 100 }), { expect: 'absent' });
      await store.write('grant', 'young', grant({ expiresAt: 200 }), { expect: 'absent' });
      await store.write('replay', 'old', { expiresAt: 50 }, { expect: 'absent' });
      await store.write('account', 'kept', account(), { expect: 'absent' });
      await store.write('lease', 'kept', { owner: 'x', until: 1 }, { expect: 'absent' });
      expect(await store.sweep(100)).toBe(2);
      expect(await store.get('grant', 'old')).toBeUndefined();
      expect(await store.get('replay', 'old')).toBeUndefined();
      expect(await store.get('grant', 'young')).toBeDefined();
      expect(await store.get('account', 'kept')).toBeDefined();
      expect(await store.get('lease', 'kept')).toBeDefined();
      expect(await store.find('grant', 'user', 'usr_1')).toHaveLength(1);
      expect(await store.pending(10)).toEqual([]);
      expect(await store.sweep(100)).toBe(0);
    });

    test('until then what has expired is still there: a replay record keeps guarding', async () => {
      const store = await suite.open();
      await store.write('replay', 'jti', { expiresAt: 100 }, { expect: 'absent' });
      expect(await store.get('replay', 'jti')).toBeDefined();
      await expect(
        store.write('replay', 'jti', { expiresAt: 999 }, { expect: 'absent' }),
      ).rejects.toBeInstanceOf(Conflict);
    });

    test('takes at most the limit of a kind, earliest first, and goes on when called again', async () => {
      const store = await suite.open();
      const numbers = Array.from({ length: 250 }, (_, number) => number);
      await Promise.all(
        numbers.map((number) =>
          store.write('replay', `r${number}`, { expiresAt: number }, { expect: 'absent' }),
        ),
      );
      expect(await store.sweep(everything, 10)).toBe(10);
      expect((await store.due('replay', everything, 1))[0]?.id).toBe('r10');
      expect(await store.sweep(everything)).toBe(240);
      expect(await store.sweep(everything)).toBe(0);
    });

    test('forgets deleted documents and goes on working, much later', async () => {
      const store = await suite.open();
      await store.write('meta', 'm', { value: 1 }, { expect: 'absent' });
      await store.write('meta', 'm', null, { expect: 1 });
      suite.time.now += 30 * 24 * 60 * 60 * 1000;
      await store.sweep(suite.time.now);
      await store.sweep(suite.time.now);
      expect(await store.get('meta', 'm')).toBeUndefined();
      await store.write('meta', 'm', { value: 2 }, { expect: 'absent' });
      expect((await store.get('meta', 'm'))?.document).toEqual({ value: 2 });
    });
  });
}

function announcing(suite: Suite): void {
  describe('an expiry that is announced', () => {
    test('is an event, then the document is gone', async () => {
      const store = await suite.open();
      const expiresAt = startOfTime + 10;
      await store.write('session', 's1', session({ user: 'u1', expiresAt }), { expect: 'absent' });
      await store.write('session', 'anonymous', session({ expiresAt }), { expect: 'absent' });
      const ended = { at: 1, reason: 'signed_out' };
      const tombstone = session({ user: 'u2', expiresAt, ended });
      await store.write('session', 'ended', tombstone, { expect: 'absent' });
      await store.sweep(expiresAt - 1);
      expect(await store.pending(10)).toEqual([]);
      expect(await store.sweep(expiresAt)).toBe(3);
      const waiting = await store.pending(10);
      expect(waiting).toMatchObject([
        {
          type: 'session.ended',
          at: expiresAt,
          data: { session: 's1', user: 'u1', reason: 'expired' },
          kind: 'session',
          document: 's1',
          version: 2,
        },
      ]);
      for (const id of ['s1', 'anonymous', 'ended']) {
        expect(await store.get('session', id)).toBeUndefined();
      }
      expect(await store.find('session', 'user', 'u1')).toEqual([]);
      expect(await store.sweep(expiresAt)).toBe(0);
      expect(await store.pending(10)).toHaveLength(1);
      await store.settle(waiting);
      await store.sweep(expiresAt);
      expect(await store.pending(10)).toEqual([]);
      expect(await store.get('session', 's1')).toBeUndefined();
    });

    test('a document that is renewed meanwhile is either kept or announced, never both', async () => {
      const store = await suite.open();
      const expiresAt = startOfTime + 10;
      for (let round = 0; round < 20; round += 1) {
        const id = `s${round}`;
        await store.write('session', id, session({ user: 'u', expiresAt }), { expect: 'absent' });
        const renewed = session({ user: 'u', expiresAt: expiresAt + 1000, generation: 2 });
        const renew = () => store.write('session', id, renewed, { expect: 1 });
        const sweep = () => store.sweep(expiresAt);
        const first = round % 2 === 0 ? renew() : sweep();
        // Some steps into what the first one does.
        for (let step = 0; step < round; step += 1) await Promise.resolve();
        const second = round % 2 === 0 ? sweep() : renew();
        const [one, two] = await Promise.allSettled([first, second]);
        const renewal = round % 2 === 0 ? one : two;
        const sweeping = round % 2 === 0 ? two : one;
        expect(sweeping.status).toBe('fulfilled');
        const kept = await store.get('session', id);
        const waiting = (await store.pending(100)).filter(({ document }) => document === id);
        expect(kept !== undefined).toBe(renewal.status === 'fulfilled');
        expect(waiting).toHaveLength(kept === undefined ? 1 : 0);
      }
    });

    test('two that sweep at once announce once', async () => {
      const store = await suite.open();
      const expiresAt = startOfTime;
      const names = Array.from({ length: 30 }, (_, number) => `s${number}`);
      await Promise.all(
        names.map((id) =>
          store.write('session', id, session({ user: 'u', expiresAt }), { expect: 'absent' }),
        ),
      );
      const gone = await Promise.all([store.sweep(expiresAt), store.sweep(expiresAt)]);
      expect((gone[0] ?? 0) + (gone[1] ?? 0)).toBe(30);
      expect(await store.pending(100)).toHaveLength(30);
    });
  });
}

function counters(suite: Suite): void {
  describe('counters', () => {
    test('count, each for itself, and answer the new value', async () => {
      const store = await suite.open();
      expect(await store.bump('a', 1, 60)).toBe(1);
      expect(await store.bump('a', 2, 60)).toBe(3);
      expect(await store.bump('b', 5, 60)).toBe(5);
      expect(await store.bump('a', 0, 60)).toBe(3);
      expect(await store.bump('a', -1, 60)).toBe(2);
    });

    test('lose nothing to parallel use', async () => {
      const store = await suite.open();
      const values = await Promise.all(Array.from({ length: 50 }, () => store.bump('a', 1, 60)));
      expect(values.toSorted((x, y) => x - y)).toEqual(values.map((_, index) => index + 1));
    });

    if (suite.clocked)
      test('vanish some time after their first use, by the clock', async () => {
        const store = await suite.open();
        await store.bump('a', 1, 60);
        suite.time.now += 59_000;
        expect(await store.bump('a', 1, 60)).toBe(2);
        suite.time.now += 1000;
        expect(await store.bump('a', 1, 60)).toBe(1);
        suite.time.now += 30_000;
        await store.sweep(suite.time.now);
        expect(await store.bump('a', 1, 60)).toBe(2);
        suite.time.now += 30_000;
        await store.sweep(suite.time.now);
        expect(await store.bump('a', 1, 60)).toBe(1);
      });

    if (!suite.clocked)
      test('vanish some time after their first use', async () => {
        const store = await suite.open();
        await store.bump('a', 1, 1);
        await vi.waitFor(async () => expect(await store.bump('a', 1, 1)).toBe(1), 5000);
      });
  });
}
