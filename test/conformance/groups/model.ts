import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PendingEvent, Store, WriteOptions } from '../../../src/storage/store.ts';
import { ModelStore } from '../model_store.ts';
import { event, identityOf, session, user } from '../samples.ts';
import { startOfTime } from '../suite.ts';
import type { Suite } from '../suite.ts';

/** Versions and write ids are chosen so that they are sometimes right and sometimes wrong. */
const write = fc.record({
  action: fc.constantFrom('user' as const, 'user' as const, 'session' as const),
  deletes: fc.nat(3).map((number) => number === 0),
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  values: fc.array(fc.constantFrom('x', 'xy', 'y', 'z'), { maxLength: 3 }),
  expectation: fc.constantFrom(
    ...(['absent', 'any', 'current', 'current', 'current', 'stale'] as const),
  ),
  writeId: fc.option(fc.constantFrom('w1', 'w2'), { nil: undefined }),
  events: fc.nat(2),
  minutes: fc.nat(10),
});
const bump = fc.record({
  action: fc.constant('bump' as const),
  id: fc.constantFrom('a', 'b'),
  minutes: fc.nat(10),
});
/** What takes several steps of its own stands alone. */
const settle = fc.record({ action: fc.constant('settle' as const), minutes: fc.nat(10) });
const sweep = fc.record({ action: fc.constant('sweep' as const), minutes: fc.nat(10) });

type Drawn<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Step = Drawn<typeof write | typeof bump | typeof settle | typeof sweep>;
type Ask = (store: Store) => Promise<unknown>;

const together = fc.array(
  fc.oneof({ weight: 8, arbitrary: write }, { weight: 1, arbitrary: bump }),
  {
    minLength: 1,
    maxLength: 6,
  },
);
const story = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: together },
    { weight: 1, arbitrary: fc.oneof(settle, sweep).map((step): Step[] => [step]) },
  ),
  { maxLength: 15 },
);

export function model(suite: Suite): void {
  test('any story comes out as it does over plain maps', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (drawn) => {
        const store = await suite.open();
        const plain = new ModelStore();
        const groups = suite.ordered ? drawn : drawn.flat().map((step) => [step]);
        const counter = { events: 0, writes: 0 };
        for (const group of groups) {
          const asks = group.map((step) => askFor(step, plain, counter));
          const got = await Promise.all(asks.map((ask) => outcomeOf(ask(store))));
          const wanted: unknown[] = [];
          for (const ask of asks) wanted.push(await outcomeOf(ask(plain)));
          expect(got).toEqual(wanted);
          expect(await everythingIn(store)).toEqual(await everythingIn(plain));
        }
        await store.close();
      }),
      // Where each step goes over a wire, fewer tell as much: the stores' own work is what takes long.
      { numRuns: suite.ordered ? 60 : 20 },
    );
  });
}

/** Decided by the state before the group, for both stores alike. */
function askFor(step: Step, plain: ModelStore, counter: { events: number; writes: number }): Ask {
  if (step.action === 'sweep') {
    return (store) => store.sweep(startOfTime + step.minutes * 60_000);
  }
  if (step.action === 'settle') {
    return async (store) => {
      const waiting = await store.pending(1000);
      // By what is the same in both: announcements have ids of their own.
      const chosen = waiting.filter(({ version }) => version % 3 <= step.minutes % 3);
      await store.settle(chosen);
    };
  }
  if (step.action === 'bump') return (store) => store.bump(step.id, step.minutes, 3600);

  const { action, id, values, minutes } = step;
  const current = plain.version(action, id) ?? 'absent';
  const expectation = { absent: 'absent', any: 'any', current, stale: 99 } as const;
  counter.writes += 1;
  const options: WriteOptions = {
    expect: expectation[step.expectation],
    writeId: step.writeId ?? `own-${counter.writes}`,
    events: Array.from({ length: step.events }, () => event(`${(counter.events += 1)}`)),
  };
  if (step.deletes) return (store) => store.write(action, id, null, options);
  if (action === 'user') {
    const document = user(values.slice(0, 1), values);
    return (store) => store.write('user', id, document, options);
  }
  const [signedIn] = values;
  const document = session({
    ...(signedIn === undefined ? {} : { user: signedIn }),
    expiresAt: startOfTime + minutes * 60_000,
  });
  return (store) => store.write('session', id, document, options);
}

async function outcomeOf(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : error;
  }
}

const placeName = ({ kind, document }: PendingEvent) => `${kind} ${document}`;

/** All that can be asked. Times are compared apart from the order of those that are equal. */
async function everythingIn(store: Store): Promise<unknown> {
  const values = ['x', 'xy', 'y', 'z'];
  const due = await store.due('session', startOfTime + 5 * 60_000, 10);
  const waiting = await store.pending(1000);
  return {
    documents: await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (id) => [
        await store.get('user', id),
        await store.get('session', id),
      ]),
    ),
    found: await Promise.all(
      values.map(async (value) => [
        await store.find('user', 'account', value),
        await store.find('user', 'account', value, { prefix: true, descending: true, limit: 2 }),
        await store.find('user', 'account', value, { prefix: true, after: 'b' }),
        await store.find('user', 'identity', identityOf(value)),
        await store.find('session', 'user', value, { descending: true, after: 'c' }),
        await store.find('session', 'user', value, { limit: 1 }),
      ]),
    ),
    times: due.map(({ document }) => document.expiresAt),
    due: due.toSorted((one, two) => (one.id < two.id ? -1 : 1)),
    // Announcements of sweeps get ids of their own, in an order of their own.
    // In order for each document, and nowhere else.
    events: waiting
      .filter(({ type }) => type !== 'session.ended')
      .toSorted((one, two) =>
        placeName(one) < placeName(two) ? -1 : placeName(one) > placeName(two) ? 1 : 0,
      ),
    ended: waiting
      .filter(({ type }) => type === 'session.ended')
      .map((ended) => JSON.stringify({ ...ended, id: undefined }))
      .toSorted(),
  };
}
