import { afterEach, beforeEach, expect, test } from 'vitest';
import { repeat } from '../../src/base/repeat.ts';
import type { Repeated } from '../../src/base/repeat.ts';
import { recordingLog } from '../kit/server.ts';
import type { TestLog } from '../kit/server.ts';

let log: TestLog;
let repeated: Repeated | undefined;

beforeEach(() => {
  log = recordingLog();
});
afterEach(() => repeated?.stop());

function start(round: () => Promise<void>): Repeated {
  repeated = repeat(round, { name: 'looking', everyMs: 2, log });
  repeated.start();
  // Twice is once.
  repeated.start();
  return repeated;
}

const messages = () => log.lines.map(({ message }) => message);

/** Long enough for many rounds. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 100));

test('rounds come one after the other, never two at once', async () => {
  let rounds = 0;
  let under = 0;
  let most = 0;
  start(async () => {
    rounds += 1;
    under += 1;
    most = Math.max(most, under);
    await new Promise((resolve) => setTimeout(resolve, 10));
    under -= 1;
  });
  await expect.poll(() => rounds).toBeGreaterThan(4);
  expect(most).toBe(1);
  expect(log.lines).toEqual([]);
});

test('what fails is told of once and goes on, and what is well again is told of, too', async () => {
  let failing = true;
  let rounds = 0;
  start(() => {
    rounds += 1;
    return failing ? Promise.reject(new Error('planted')) : Promise.resolve();
  });
  await expect.poll(() => rounds).toBeGreaterThan(4);
  expect(messages()).toEqual(['looking failed']);
  failing = false;
  await expect.poll(messages).toEqual(['looking failed', 'looking succeeds again']);
  const before = rounds;
  await expect.poll(() => rounds).toBeGreaterThan(before + 4);
  expect(log.lines).toHaveLength(2);
});

test('a stop waits for the round under way, and none comes after', async () => {
  let rounds = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const one = start(() => {
    rounds += 1;
    return promise;
  });
  await expect.poll(() => rounds).toBe(1);
  let stopped = false;
  const stopping = one.stop().then(() => (stopped = true));
  await aWhile();
  expect(stopped).toBe(false);
  resolve();
  await stopping;
  one.start();
  await aWhile();
  expect(rounds).toBe(1);
});

test('the first round may come sooner than the others, and only that one', async () => {
  let rounds = 0;
  const hour = 3_600_000;
  const round = async () => void (rounds += 1);
  repeated = repeat(round, { name: 'looking', everyMs: hour, firstMs: 2, log });
  repeated.start();
  await expect.poll(() => rounds).toBe(1);
  await aWhile();
  expect(rounds).toBe(1);
});
