/**
 * A machine that starts with its clock years ahead, before NTP has set it, takes a shared job and dies. The job
 * must not be nobody's for years, and one that lives on must notice that it lost it.
 */

import { expect, test } from 'vitest';
import { createLeases } from '../../src/events/leases.ts';
import { openWorld } from '../events/world.ts';

const year = 365 * 24 * 60 * 60 * 1000;
const minute = 60_000;

test('a lease of a clock that was years ahead is free soon', async () => {
  const { store, clock } = await openWorld();
  const ahead = createLeases({ store, clock: () => clock() + year, owner: 'ahead' });
  expect(await ahead.take('dispatcher', 15_000)).toBeDefined();
  const right = createLeases({ store, clock, owner: 'right' });
  expect(await right.take('dispatcher', 15_000)).toBeDefined();
});

test('one of a clock that is a little ahead is respected', async () => {
  const { store, clock } = await openWorld();
  const ahead = createLeases({ store, clock: () => clock() + minute / 2, owner: 'ahead' });
  expect(await ahead.take('dispatcher', 15_000)).toBeDefined();
  const right = createLeases({ store, clock, owner: 'right' });
  expect(await right.take('dispatcher', 15_000)).toBeUndefined();
});

test('whose clock is set back does not take itself for the holder for years', async () => {
  const { store, clock } = await openWorld();
  let aheadBy = year;
  const moved = createLeases({ store, clock: () => clock() + aheadBy, owner: 'moved' });
  const lease = await moved.take('dispatcher', 15_000);
  aheadBy = 0;
  expect(lease?.held()).toBe(false);
});
