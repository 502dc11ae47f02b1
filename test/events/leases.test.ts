import { describe, expect, test } from 'vitest';
import { createLeases } from '../../src/events/leases.ts';
import { openWorld } from './world.ts';

async function twoProcesses() {
  const world = await openWorld();
  const { store, clock } = world;
  const one = createLeases({ store, clock, owner: 'one' });
  const two = createLeases({ store, clock, owner: 'two' });
  return { world, one, two };
}

describe('a shared job', () => {
  test('is taken by one of many processes at the same moment', async () => {
    const { world } = await twoProcesses();
    const { store, clock } = world;
    const attempts = Array.from({ length: 20 }, (_, index) =>
      createLeases({ store, clock, owner: `process ${index}` }).take('sweep', 1000),
    );
    const taken = (await Promise.all(attempts)).filter((lease) => lease !== undefined);
    expect(taken).toHaveLength(1);
  });

  test('goes to another process when its time is over, and not before', async () => {
    const { world, one, two } = await twoProcesses();
    const lease = await one.take('sweep', 1000);
    world.now += 999;
    expect(lease?.held()).toBe(true);
    expect(await two.take('sweep', 1000)).toBeUndefined();
    world.now += 1;
    expect(lease?.held()).toBe(false);
    expect(await two.take('sweep', 1000)).toBeDefined();
  });

  test('stays with a process that renews it', async () => {
    const { world, one, two } = await twoProcesses();
    const lease = await one.take('sweep', 1000);
    for (let step = 0; step < 5; step += 1) {
      world.now += 800;
      expect(await lease?.renew()).toBe(true);
    }
    expect(await two.take('sweep', 1000)).toBeUndefined();
  });

  test('is free at once when it is given back', async () => {
    const { one, two } = await twoProcesses();
    const lease = await one.take('sweep', 60_000);
    await lease?.release();
    expect(lease?.held()).toBe(false);
    expect(await two.take('sweep', 1000)).toBeDefined();
  });

  test('other jobs are other leases', async () => {
    const { one, two } = await twoProcesses();
    expect(await one.take('sweep', 1000)).toBeDefined();
    expect(await two.take('keys', 1000)).toBeDefined();
  });

  test('O-2 a holder that slept past its end neither renews nor frees what is another one’s', async () => {
    const { world, one, two } = await twoProcesses();
    const asleep = await one.take('sweep', 1000);
    world.now += 5000;
    const present = await two.take('sweep', 60_000);
    expect(present?.fence).toBeGreaterThan(asleep?.fence ?? Infinity);

    expect(asleep?.held()).toBe(false);
    expect(await asleep?.renew()).toBe(false);
    await asleep?.release();
    expect(await one.take('sweep', 1000)).toBeUndefined();
    expect(present?.held()).toBe(true);
    expect(await present?.renew()).toBe(true);
  });

  test('a process that asks again goes on with its own', async () => {
    const { one } = await twoProcesses();
    const first = await one.take('sweep', 1000);
    const second = await one.take('sweep', 1000);
    expect(second?.fence).toBeGreaterThan(first?.fence ?? Infinity);
    expect(await first?.renew()).toBe(false);
  });
});
