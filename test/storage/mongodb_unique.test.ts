import { afterEach, describe, expect, test } from 'vitest';
import { openMongodb } from '../../src/storage/mongodb.ts';
import type { Store } from '../../src/storage/store.ts';
import { user } from '../conformance/samples.ts';
import { startOfTime } from '../conformance/suite.ts';
import { mongodbUrl, testDatabase } from '../kit/mongodb/start.ts';

const url = await mongodbUrl();
const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const leave of leftovers.splice(0).toReversed()) await leave();
});

describe.skipIf(url === undefined)('races for a unique value', () => {
  test("that is given up and taken by several at once: it is always one document's", async () => {
    const { address, drop } = testDatabase(url ?? '');
    const open = () => openMongodb({ address, clock: () => startOfTime });
    const [store, other] = [await open(), await open()];
    leftovers.push(
      drop,
      () => other.close(),
      () => store.close(),
    );
    await store.write('user', 'u0', user(['shared']), { expect: 'absent' });
    let holder = 'u0';
    for (let round = 1; round <= 20; round += 1) {
      const names = Array.from({ length: 6 }, (_, number) => `u${round}-${number}`);
      const outcomes = await Promise.allSettled([
        store.write('user', holder, user([]), { expect: 'any' }),
        ...names.map((name, index) =>
          (index % 2 === 0 ? store : other).write('user', name, user(['shared']), {
            expect: 'absent',
          }),
        ),
      ]);
      const taken = names.filter((_, index) => outcomes[index + 1]?.status === 'fulfilled');
      expect(taken.length).toBeLessThanOrEqual(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') {
          expect(outcome.reason).toMatchObject({ name: 'Duplicate', field: 'identity' });
        }
      }
      holder = taken[0] ?? (await retake(store, `u${round}`));
    }
  });
});

async function retake(store: Store, name: string): Promise<string> {
  await store.write('user', name, user(['shared']), { expect: 'absent' });
  return name;
}
