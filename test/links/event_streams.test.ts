/** How many streams there are, for how long, and how they end. */

import { expect, test } from 'vitest';
import { createEventStreams } from '../../src/links/event_streams.ts';
import type { EventStream, EventStreamsOptions } from '../../src/links/event_streams.ts';

const streamsOf = (options: Partial<EventStreamsOptions> = {}) =>
  createEventStreams({ clock: Date.now, most: 10, random: () => 0.5, ...options });

function heard(stream: EventStream | undefined): { text: string; ended: boolean } {
  const said = { text: '', ended: false };
  stream?.onEnd(() => (said.ended = true));
  stream?.body.on('data', (chunk: Buffer) => (said.text += chunk.toString()));
  return said;
}

test('says when to come again, and events as the standard has them', async () => {
  const stream = streamsOf().open('s');
  const said = heard(stream);
  stream?.send({ id: 'a.b' });
  stream?.send({ name: 'changed', id: 'c', data: { what: ['plan'] } });
  await expect
    .poll(() => said.text)
    .toBe('retry: 2500\n\nid: a.b\n\nevent: changed\nid: c\ndata: {"what":["plan"]}\n\n');
});

test('a comment every 25 seconds, and the end after half an hour', async () => {
  let now = 1_000_000;
  let ticks = 0;
  const clock = () => {
    ticks += 1;
    return now;
  };
  /** So much later, and it has been looked at. */
  const later = async (seconds: number) => {
    now += seconds * 1000;
    const seen = ticks;
    await expect.poll(() => ticks).toBeGreaterThan(seen + 2);
  };
  const streams = streamsOf({ clock, tickMs: 2 });
  const said = heard(streams.open('s'));
  streams.start();
  await later(24);
  expect(said.text).toBe('retry: 2500\n\n');
  await later(1);
  await later(24);
  await later(1);
  await expect.poll(() => said.text).toBe(`retry: 2500\n\n${':\n\n'.repeat(2)}`);
  await later(27 * 60 - 50);
  expect([streams.size, said.ended]).toEqual([1, false]);
  await later(3 * 60);
  expect([streams.size, said.ended]).toEqual([0, true]);
  streams.hangUp();
});

test('of one session five: the oldest goes, and does not come back soon', async () => {
  const streams = streamsOf();
  const [first, second] = [heard(streams.open('s')), heard(streams.open('s'))];
  for (const session of ['s', 's', 's', 'other']) streams.open(session);
  expect([first.ended, streams.size]).toEqual([false, 6]);
  streams.open('s');
  expect([first.ended, second.ended, streams.size]).toEqual([true, false, 6]);
  await expect.poll(() => first.text).toContain('retry: 60000');
});

test('of all sessions as many as were allowed', () => {
  const streams = streamsOf({ most: 2 });
  const first = streams.open('a');
  expect(streams.open('b')).toBeDefined();
  expect(streams.open('c')).toBeUndefined();
  first?.end();
  expect(streams.open('c')).toBeDefined();
});

test('who never reads is cut off, and who went away is forgotten', async () => {
  const streams = streamsOf();
  const [silent, gone] = [streams.open('a'), streams.open('b')];
  gone?.body.destroy();
  for (let count = 0; count < 1000; count += 1) {
    silent?.send({ name: 'changed', id: 'an-id', data: { what: ['account', 'roles', 'plan'] } });
  }
  await expect.poll(() => streams.size).toBe(0);
});

test('when it hangs up, all end, and who comes is told to come again', async () => {
  const streams = streamsOf({ most: 1 });
  const said = heard(streams.open('a'));
  streams.start();
  streams.hangUp();
  expect([said.ended, streams.size]).toEqual([true, 0]);
  const late = heard(streams.open('b'));
  await expect.poll(() => late.text).toBe('retry: 2500\n\n');
  expect([late.ended, streams.size]).toEqual([true, 0]);
});
