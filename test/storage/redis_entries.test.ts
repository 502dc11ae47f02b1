import { describe, expect, test, vi } from 'vitest';
import { ServerClock } from '../../src/storage/redis/clock.ts';
import type { Commands } from '../../src/storage/redis/connection.ts';
import { createKeys, dueMember, indexMember, sortable } from '../../src/storage/redis/keys.ts';
import { createWriter, prepareWrite } from '../../src/storage/redis/writing.ts';
import type { Store } from '../../src/storage/store.ts';
import { event, grant, session } from '../conformance/samples.ts';
import { redisIsThere } from '../kit/redis.ts';
import { idsIn, redisPlaces } from './redis_place.ts';
import type { Place } from './redis_place.ts';

const { place } = redisPlaces();

/** As Redis' clock has it, so many minutes ago. */
async function madeAgo({ bare }: Place, minutes: number, random = 'by-hand'): Promise<string> {
  const [seconds] = await bare.time();
  return `${sortable((Number(seconds) - minutes * 60) * 1_000_000)}${random}`;
}

const found = async (store: Store, user: string) =>
  (await store.find('grant', 'user', user)).map(({ id }) => id);

/** A clock of which the first marks are as old as if the process had hung after making them. */
class HangingClock extends ServerClock {
  readonly #hangs: number[];
  made: string[] = [];

  constructor(...hangsSeconds: number[]) {
    super();
    this.#hangs = hangsSeconds;
  }

  override mark(behindUs?: number): string {
    const hang = this.#hangs.shift() ?? 0;
    const mark = hang === 0 ? super.mark(behindUs) : `${sortable(this.now() - hang * 1e6)}hung`;
    this.made.push(mark);
    return mark;
  }
}

describe.runIf(redisIsThere())('entries of a document in Redis', () => {
  test('a refresh changes none and is one script', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g1', grant(), { expect: 'absent' });
    const before = await here.members('index:grant:user:usr_1');
    await store.write('grant', 'g1', grant({ client: 'other', expiresAt: 2e12 }), { expect: 1 });
    expect(await here.members('index:grant:user:usr_1')).toEqual(before);
    expect(idsIn(before)).toEqual(['g1']);
  });

  test('those that a change leaves behind are removed', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g1', grant({ user: 'a' }), { expect: 'absent' });
    await store.write('grant', 'g1', grant({ user: 'b' }), { expect: 1 });
    await store.write('grant', 'g2', grant({ user: 'b' }), { expect: 'absent' });
    await store.write('grant', 'g2', null, { expect: 1 });
    await store.close();
    expect(await here.members('index:grant:user:a')).toEqual([]);
    expect(idsIn(await here.members('index:grant:user:b'))).toEqual(['g1']);
    expect(await here.members('due:grant')).toHaveLength(1);
  });

  test('a process that dies between entries and document leaves nothing to be found', async () => {
    const here = await place();
    const store = await here.open();
    const mark = await madeAgo(here, 0);
    await here.bare.zadd(`${here.prefix}:index:grant:user:u`, 0, indexMember('ghost', mark));
    await here.bare.zadd(`${here.prefix}:due:grant`, 0, dueMember('ghost', sortable(5) + mark));
    await here.bare.zadd(`${here.prefix}:pending`, 0, `${mark}\0grant\0ghost`);
    expect(await found(store, 'u')).toEqual([]);
    expect(await store.due('grant', 10, 10)).toEqual([]);
    expect(await store.pending(10)).toEqual([]);
    expect(await store.sweep(10)).toBe(0);
    // Whoever added them may be about to write.
    expect(await here.members('index:grant:user:u')).toHaveLength(1);
    expect(await here.members('due:grant')).toHaveLength(1);
    expect(await here.members('pending')).toHaveLength(1);
  });

  test('what is left behind is removed by readers when it is old', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g1', grant({ user: 'u', expiresAt: 7 }), { expect: 'absent' });
    const mark = await madeAgo(here, 11);
    const { bare, prefix } = here;
    for (const id of ['g1', 'ghost']) {
      await bare.zadd(`${prefix}:index:grant:user:u`, 0, indexMember(id, mark));
      await bare.zadd(`${prefix}:due:grant`, 0, dueMember(id, sortable(5) + mark));
      await bare.zadd(`${prefix}:pending`, 0, `${mark}\0grant\0${id}`);
    }
    expect(await found(store, 'u')).toEqual(['g1']);
    expect((await store.due('grant', 10, 10)).map(({ id }) => id)).toEqual(['g1']);
    expect(await store.pending(10)).toEqual([]);
    await store.close();
    expect(idsIn(await here.members('index:grant:user:u'))).toEqual(['g1']);
    expect(await here.members('due:grant')).toHaveLength(1);
    expect(await here.members('pending')).toEqual([]);
  });

  test('the sweep comes around to what nobody reads', async () => {
    const here = await place();
    const store = await here.open();
    const [old, young] = [await madeAgo(here, 11), await madeAgo(here, 1)];
    await store.write('grant', 'g1', grant({ user: 'u' }), { expect: 'absent' });
    await here.bare.zadd(`${here.prefix}:index:grant:user:u`, 0, indexMember('ghost', old));
    await here.bare.zadd(`${here.prefix}:index:grant:user:u`, 0, indexMember('coming', young));
    await vi.waitFor(async () => {
      await store.sweep(0);
      const left = idsIn(await here.members('index:grant:user:u'));
      expect(left).toEqual(['coming', 'g1']);
    }, 10_000);
  });

  test('a write that hung for longer than half a minute starts over', async () => {
    const here = await place();
    const serverClock = new HangingClock(31, 0);
    const store = await here.open({ serverClock });
    await store.write('grant', 'g1', grant({ user: 'u' }), {
      expect: 'absent',
      events: [event('1')],
    });
    expect(serverClock.made).toHaveLength(2);
    const [, second = ''] = serverClock.made;
    expect((await here.hash('grant', 'g1')).mark).toBe(second);
    expect(await found(store, 'u')).toEqual(['g1']);
    expect(await store.pending(10)).toHaveLength(1);
    await store.close();
    expect(await here.members('index:grant:user:u')).toEqual([indexMember('g1', second)]);
    expect(await here.members('pending')).toHaveLength(1);
  });

  test('a clock that is wrong is set right by the first write', async () => {
    const here = await place();
    const serverClock = new ServerClock();
    const store = await here.open({ serverClock });
    serverClock.set(serverClock.now() + 3600e6);
    await store.write('grant', 'g1', grant({ user: 'u' }), { expect: 'absent' });
    const [seconds] = await here.bare.time();
    expect(Math.abs(serverClock.now() / 1e6 - Number(seconds))).toBeLessThan(5);
    expect(await found(store, 'u')).toEqual(['g1']);
  });

  test('a copy of a write that arrives late names no entries that were removed since', async () => {
    const here = await place();
    const store = await here.open();
    const keys = createKeys(here.prefix);
    const serverClock = new ServerClock();
    const [seconds] = await here.bare.time();
    serverClock.set(Number(seconds) * 1e6);
    const runs: [key: string, parameters: (string | number)[], lua: string][] = [];
    const connection: Commands = {
      send: (name, ...parameters) => here.bare.call(name, parameters),
      async run({ lua }, key, ...parameters) {
        runs.push([key, parameters, lua]);
        return here.bare.eval(lua, 1, key, ...parameters);
      },
      runDurably: (script, key, ...parameters) => connection.run(script, key, ...parameters),
      sendDurably: (name, ...parameters) => connection.send(name, ...parameters),
    };
    const write = createWriter({ connection, keys, clock: serverClock, later: () => {} });
    const document = grant({ user: 'u' });
    const options = { expect: 'any', writeId: 'w1', now: here.time.now } as const;
    await write(prepareWrite('grant', 'g1', document, { ...options, events: [event('1')] }));
    const [[key, parameters, lua]] = runs.slice(-1) as [(typeof runs)[number]];
    // Meanwhile all that it names is gone.
    await store.settle([{ kind: 'grant', document: 'g1', id: 'evt_1' }]);
    await store.write('grant', 'g1', null, { expect: 'any' });
    const [answer] = (await here.bare.eval(lua, 1, key, ...parameters)) as string[];
    expect(answer).toBe('late');
    expect(await store.get('grant', 'g1')).toBeUndefined();
    expect(await store.pending(10)).toEqual([]);
  });

  test('of many that change what one document is found by, all entries come out right', async () => {
    const here = await place();
    const store = await here.open();
    const stores = [store, await here.open(), await here.open()];
    const users = ['a', 'b', 'c', 'd'];
    await store.write('session', 's', session(), { expect: 'absent' });
    for (let round = 0; round < 30; round += 1) {
      const writes = stores.flatMap((one, number) =>
        [0, 1].map((step) => {
          const user = users[(round + number + 2 * step) % 4] ?? '';
          const document = (round + step) % 7 === 0 ? null : session({ user });
          return one.write('session', 's', document, { expect: 'any' });
        }),
      );
      await Promise.all(writes);
      const present = (await store.get('session', 's'))?.document;
      for (const user of users) {
        const ids = (await store.find('session', 'user', user)).map(({ id }) => id);
        expect(ids).toEqual(present?.user === user ? ['s'] : []);
      }
    }
  });

  test('a reader never misses a document whose other entries change', async () => {
    const here = await place();
    const [writer, reader] = [await here.open(), await here.open()];
    await writer.write('grant', 'g', grant({ user: 'always', account: 'a0' }), {
      expect: 'absent',
    });
    let writing = true;
    const changes = (async () => {
      for (let number = 1; number <= 300; number += 1) {
        const changed = grant({ user: 'always', account: `a${number}` });
        await writer.write('grant', 'g', changed, { expect: number });
      }
      writing = false;
    })();
    while (writing) expect(await found(reader, 'always')).toEqual(['g']);
    await changes;
  });

  test('kinds with unique fields are refused', async () => {
    const store = await (await place()).open();
    const user = { status: 'active', identities: [], createdAt: 1 } as const;
    const writing = store.write('user', 'u', { ...user, identities: [] }, { expect: 'absent' });
    await expect(writing).rejects.toBeInstanceOf(TypeError);
  });
});
