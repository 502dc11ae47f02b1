import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startChild } from '../../kit/child.ts';
import type { Child } from '../../kit/child.ts';
import { Conflict } from '../../../src/storage/store.ts';
import type { PendingEvent, Store, Stored } from '../../../src/storage/store.ts';
import { account, event, grant, hotTasks, keptTasks, placeOf, user } from '../samples.ts';
import type { Tasks } from '../samples.ts';
import type { StorePlace, Suite } from '../suite.ts';

const entry = join(import.meta.dirname, '..', 'child.ts');

/** In the store of kept kinds, or in that of hot ones, which may be another. */
const wheres = ['kept', 'hot'] as const;
const tasksOf = (where: (typeof wheres)[number]) => (where === 'hot' ? hotTasks : keptTasks);

function start(
  place: StorePlace,
  task: string,
  name: string,
  count: number,
  where: 'kept' | 'hot' = 'kept',
  environment = {},
): Child {
  if (place.location === undefined) throw new Error('a persistent store needs a location');
  return startChild(entry, [place.location, task, name, String(count), where], environment);
}

async function linesOf(child: Child): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of child.lines) lines.push(line);
  return lines;
}

export function persistence(suite: Suite): void {
  if (suite.persistent)
    describe('persistence', () => {
      test('all is there when the store is closed and opened again', async () => {
        const place = await suite.place();
        const first = await suite.connect(place);
        await first.write('user', 'u1', user(['alice'], ['acc_1']), {
          expect: 'absent',
          writeId: 'w1',
          events: [event('1'), event('2')],
        });
        await first.write('grant', 'g1', grant(), { expect: 'absent' });
        await first.write('grant', 'g1', null, { expect: 1, writeId: 'w2' });
        await first.settle([placeOf('user', 'u1', '1')]);
        await first.close();

        const second = await suite.connect(place);
        expect(await second.get('user', 'u1')).toMatchObject({ version: 1 });
        expect(await second.find('user', 'account', 'acc_1')).toHaveLength(1);
        expect((await second.pending(10)).map(({ id }) => id)).toEqual(['evt_2']);
        await expect(
          second.write('user', 'u2', user(['alice']), { expect: 'absent' }),
        ).rejects.toMatchObject({ name: 'Duplicate' });
        const repeated = { expect: 'absent', writeId: 'w1' } as const;
        expect(await second.write('user', 'u1', user(['alice']), repeated)).toBe(1);
        expect(await second.write('grant', 'g1', null, { expect: 1, writeId: 'w2' })).toBe(2);
        await second.write('user', 'u1', user(['alice']), { expect: 1, events: [event('3')] });
        expect((await second.pending(10)).map(({ id }) => id)).toEqual(['evt_2', 'evt_3']);
      });

      test('closing waits for the writes that were asked for', async () => {
        const place = await suite.place();
        const first = await suite.connect(place);
        const writes = Array.from({ length: 40 }, (_, number) =>
          first.write('account', `a${number}`, account(), { expect: 'absent' }),
        );
        const closing = first.close();
        expect(await Promise.all(writes)).toHaveLength(40);
        await closing;
        const second = await suite.connect(place);
        expect(await second.get('account', 'a39')).toBeDefined();
      });

      test('connections see what the others wrote, at once', async () => {
        const place = await suite.place();
        const one = await suite.connect(place);
        const two = await suite.connect(place);
        await one.write('account', 'a1', account(), { expect: 'absent', events: [event('1')] });
        expect((await two.get('account', 'a1'))?.version).toBe(1);
        await two.write('account', 'a1', account(), { expect: 1 });
        await expect(one.write('account', 'a1', account(), { expect: 1 })).rejects.toBeInstanceOf(
          Conflict,
        );
        await two.settle([placeOf('account', 'a1', '1')]);
        expect(await one.pending(10)).toEqual([]);
        expect([await one.bump('k', 1, 60), await two.bump('k', 1, 60)]).toEqual([1, 2]);
      });
    });

  parallel(suite);
  killing(suite);
}

function parallel(suite: Suite): void {
  if (suite.persistent)
    describe('several processes', () => {
      test.for(wheres)('no update is lost when two increment one document: %s', async (where) => {
        const { number } = tasksOf(where);
        const place = await suite.place();
        const here = await suite.connect(place);
        const children = ['x', 'y'].map((name) => start(place, 'increment', name, 150, where));
        await Promise.all(children.map((child) => linesOf(child)));
        expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0]);
        const sum = await here.get(number.kind, 'sum');
        expect(sum?.version).toBe(300);
        expect(number.valueOf(sum?.document)).toBe(300);
        const waiting = await here.pending(1000);
        expect(waiting.map(({ version }) => version)).toEqual(waiting.map((_, index) => index + 1));
        expect(waiting.every(({ version, data }) => data.value === version)).toBe(true);
        expect(new Set(waiting.map(({ id }) => id)).size).toBe(300);
      });

      test('a unique value goes to one of them', async () => {
        const place = await suite.place();
        const here = await suite.connect(place);
        const children = ['x', 'y'].map((name) => start(place, 'claim', name, 100));
        const claimed = (await Promise.all(children.map((child) => linesOf(child))))
          .flat()
          .filter((line) => line !== 'open' && line !== 'done');
        expect(claimed.toSorted((a, b) => Number(a) - Number(b))).toEqual(
          Array.from({ length: 100 }, (_, number) => String(number)),
        );
        expect(await here.find('user', 'identity', '', { prefix: true, limit: 1000 })).toHaveLength(
          100,
        );
      });
    });
}

function killing(suite: Suite): void {
  if (suite.persistent)
    describe.for(wheres)('a process that is killed while it writes: %s', (where) => {
      const tasks = tasksOf(where);

      test.for([1, 60, 400])(
        'O-11 after %i acknowledgements: none of them is lost',
        async (most) => {
          const place = await suite.place();
          const child = start(place, 'writeOn', 'lane', 0, where);
          const acknowledged = new Map<string, number>();
          let lines = 0;
          for await (const line of child.lines) {
            const [lane = '', number] = line.split(' ');
            if (number !== undefined) acknowledged.set(lane, Number(number));
            lines += number === undefined ? 0 : 1;
            if (lines === most) child.kill();
          }
          expect(await child.ended).toBe('SIGKILL');

          const store = await suite.connect(place);
          for (const [lane, last] of acknowledged) await expectLane(store, tasks, lane, last);
          await expectDocumentsAndEventsTogether(store, tasks);
          await store.write('account', 'next', account(), { expect: 'absent' });
        },
      );

      test.for(['before', 'after'])('at a write, %s it is on disk', async (mode) => {
        const place = await suite.place();
        const child = start(place, 'increment', 'x', 100, where, {
          TOLLGATE_TEST_KILL_AFTER_WRITES: '7',
          TOLLGATE_TEST_KILL_MODE: mode,
        });
        expect(await linesOf(child)).toEqual(['open']);
        expect(await child.ended).toBe('SIGKILL');
        const store = await suite.connect(place);
        const written = mode === 'before' ? 6 : 7;
        const sum = await store.get(tasks.number.kind, 'sum');
        expect(tasks.number.valueOf(sum?.document)).toBe(written);
        expect(await store.pending(100)).toHaveLength(written);
      });
    });
}

/** Everything that was acknowledged is there; at most one write of the lane is there beyond it. */
async function expectLane(store: Store, tasks: Tasks, lane: string, last: number): Promise<void> {
  const reached = await store.get(tasks.number.kind, lane);
  expect(tasks.number.valueOf(reached?.document)).toBeGreaterThanOrEqual(last);
  for (let number = 1; number <= last; number += 1) {
    expect((await store.get(tasks.lane.kind, `${lane}-${number}`))?.version).toBe(1);
  }
}

async function expectDocumentsAndEventsTogether(store: Store, tasks: Tasks): Promise<void> {
  const documents = await allPages<Stored<unknown>>((last) => tasks.lane.page(store, last?.id));
  const waiting = await allPages<PendingEvent>((after) => store.pending(1000, { after }));
  expect(waiting.map(({ document }) => document).toSorted()).toEqual(documents.map(({ id }) => id));
}

/** However many there are: on a busy machine it writes on for a while before the signal comes. */
async function allPages<T>(pageBehind: (last: T | undefined) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const page = await pageBehind(found.at(-1));
    if (page.length === 0) return found;
    found.push(...page);
  }
}
