import { describe, expect, test } from 'vitest';
import { event, grant, session } from '../conformance/samples.ts';
import { startOfTime } from '../conformance/suite.ts';
import { redisIsThere } from '../kit/redis.ts';
import { parseDueMember } from '../../src/storage/redis/keys.ts';
import { day, hour, idsIn, minute, redisPlaces } from './redis_place.ts';
import type { Place } from './redis_place.ts';

const { place } = redisPlaces();

const enteredAt = async (here: Place) =>
  (await here.members('due:grant')).map((member) => parseDueMember(member).due);

/** Milliseconds until Redis removes the document by itself. */
const leftOf = (here: Place, kind: string, id: string) =>
  here.bare.pttl(`${here.prefix}:${kind}:${id}`);
const forEver = -1;

describe.runIf(redisIsThere())('when a document in Redis is due', () => {
  test('later: its entry stays, and is moved by who meets it', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g1', grant({ expiresAt: 1000 }), { expect: 'absent' });
    await store.write('grant', 'g1', grant({ expiresAt: 5000 }), { expect: 1 });
    expect(await enteredAt(here)).toEqual([1000]);
    expect(await store.due('grant', 900, 10)).toEqual([]);
    expect(await enteredAt(here)).toEqual([1000]);
    expect(await store.due('grant', 2000, 10)).toEqual([]);
    await store.ping();
    expect(await enteredAt(here)).toEqual([5000]);
    expect(await store.due('grant', 4999, 10)).toEqual([]);
    expect(await store.due('grant', 5000, 10)).toMatchObject([{ id: 'g1', version: 2 }]);
    await store.write('grant', 'g1', null, { expect: 2 });
    await store.close();
    expect(await here.members('due:grant')).toEqual([]);
  });

  test('earlier: it is entered anew at once', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g1', grant({ expiresAt: 5000 }), { expect: 'absent' });
    await store.write('grant', 'g1', grant({ expiresAt: 1000 }), { expect: 1 });
    expect(await store.due('grant', 1000, 10)).toHaveLength(1);
    await store.close();
    expect(await enteredAt(here)).toEqual([1000]);
    expect(idsIn(await here.members('index:grant:user:usr_1'))).toEqual(['g1']);
  });

  test('the earliest come first, whatever they are entered by', async () => {
    const here = await place();
    const store = await here.open();
    const times: Record<string, [first: number, now: number]> = {
      g1: [100, 300],
      g2: [200, 200],
      g3: [250, 400],
      g4: [260, 260],
    };
    for (const [id, [first, now]] of Object.entries(times)) {
      await store.write('grant', id, grant({ expiresAt: first }), { expect: 'absent' });
      await store.write('grant', id, grant({ expiresAt: now }), { expect: 'any' });
    }
    const due = async (limit: number) =>
      (await store.due('grant', 1000, limit)).map(({ id }) => id).join();
    expect(await due(1)).toBe('g2');
    expect(await due(3)).toBe('g2,g4,g1');
    expect(await due(10)).toBe('g2,g4,g1,g3');
  });

  test('two that move an entry at once leave one', async () => {
    const here = await place();
    const [one, two] = [await here.open(), await here.open()];
    const ids = Array.from({ length: 300 }, (_, number) => `g${number}`);
    for (const id of ids) {
      await one.write('grant', id, grant({ expiresAt: 1 }), { expect: 'absent' });
      await one.write('grant', id, grant({ expiresAt: startOfTime }), { expect: 1 });
    }
    const renewing = ids.map((id) =>
      two.write('grant', id, grant({ expiresAt: startOfTime + 1 }), { expect: 2 }),
    );
    await Promise.all([one.sweep(1000), two.sweep(1000), ...renewing]);
    expect(await one.sweep(startOfTime)).toBe(0);
    expect(await one.sweep(startOfTime + 1)).toBe(300);
    expect(await one.due('grant', Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });
});

describe.runIf(redisIsThere())("Redis' own expiry", () => {
  test('is a net for what carries no events: a day after its time', async () => {
    const here = await place();
    const store = await here.open();
    const due = startOfTime + hour;
    await store.write('replay', 'r', { expiresAt: due }, { expect: 'absent' });
    const left = await leftOf(here, 'replay', 'r');
    expect(left).toBeGreaterThan(day + hour - minute);
    expect(left).toBeLessThanOrEqual(day + hour);
    await store.write('replay', 'r', { expiresAt: due + hour }, { expect: 1 });
    expect(await leftOf(here, 'replay', 'r')).toBeGreaterThan(day + hour);
  });

  test('never takes a session or a grant: they end with an event, or with what one does', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('session', 's', session({ expiresAt: 1 }), { expect: 'absent' });
    await store.write('grant', 'g', grant({ expiresAt: 1 }), { expect: 'absent' });
    await store.write('lease', 'l', { owner: 'x', until: 1 }, { expect: 'absent' });
    for (const [kind, id] of [
      ['session', 's'],
      ['grant', 'g'],
      ['lease', 'l'],
    ] as const) {
      expect(await leftOf(here, kind, id)).toBe(forEver);
    }
  });

  test('ends the memory of a deletion after an hour', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g', grant(), { expect: 'absent' });
    await store.write('grant', 'g', null, { expect: 1, writeId: 'w' });
    expect(Object.keys(await here.hash('grant', 'g')).toSorted()).toEqual(
      ['format', 'last', 'version', 'write'].toSorted(),
    );
    const left = await leftOf(here, 'grant', 'g');
    expect(left).toBeGreaterThan(hour - minute);
    expect(left).toBeLessThanOrEqual(hour);
  });

  test('waits for the events of a deleted document', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g', grant(), { expect: 'absent', events: [event('1')] });
    await store.write('grant', 'g', null, { expect: 1, events: [event('2')] });
    expect(await leftOf(here, 'grant', 'g')).toBe(forEver);
    await store.settle([{ kind: 'grant', document: 'g', id: 'evt_1' }]);
    expect(await leftOf(here, 'grant', 'g')).toBe(forEver);
    await store.settle([{ kind: 'grant', document: 'g', id: 'evt_2' }]);
    expect(await leftOf(here, 'grant', 'g')).toBeGreaterThan(hour - minute);
    await store.close();
    expect(await here.members('pending')).toEqual([]);
  });

  test('is lifted from what is made again', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g', grant(), { expect: 'absent' });
    await store.write('grant', 'g', null, { expect: 1 });
    await store.write('grant', 'g', grant(), { expect: 'absent' });
    expect(await leftOf(here, 'grant', 'g')).toBe(forEver);
    await store.write('grant', 'g', null, { expect: 3 });
    await store.write('grant', 'g', null, { expect: 'any', events: [event('1')] });
    expect(await leftOf(here, 'grant', 'g')).toBe(forEver);
  });

  test('what it took leaves an entry that the sweep removes when it is old', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('replay', 'r', { expiresAt: 5 }, { expect: 'absent' });
    await here.bare.del(`${here.prefix}:replay:r`);
    expect(await store.sweep(10)).toBe(0);
    expect(await here.members('due:replay')).toHaveLength(1);
    const [member = ''] = await here.members('due:replay');
    const { id, due, entry } = parseDueMember(member);
    expect([id, due, entry.length]).toEqual(['r', 5, 16 + 16 + 12]);
  });
});
