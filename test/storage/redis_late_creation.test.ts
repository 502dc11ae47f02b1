/** A creation that lost against another one was refused: a copy of its command that comes late revives nothing. */

import { afterEach, describe, expect, test } from 'vitest';
import { ServerClock } from '../../src/storage/redis/clock.ts';
import { parseRedisAddress } from '../../src/storage/redis/address.ts';
import { Connection } from '../../src/storage/redis/connection.ts';
import type { Commands } from '../../src/storage/redis/connection.ts';
import { createKeys } from '../../src/storage/redis/keys.ts';
import { createWriter, prepareWrite } from '../../src/storage/redis/writing.ts';
import { Conflict } from '../../src/storage/store.ts';
import { session } from '../conformance/samples.ts';
import { startOfTime } from '../conformance/suite.ts';
import { redisIsThere } from '../kit/redis.ts';
import { redisPlaces } from './redis_place.ts';

const { place } = redisPlaces();
const connections: Connection[] = [];
afterEach(() => connections.splice(0).forEach((connection) => connection.close()));

describe.runIf(redisIsThere())('a deleted document in Redis', () => {
  test('stays deleted when a creation that was refused before comes again', async () => {
    const here = await place();
    const store = await here.open();
    const connection = new Connection(parseRedisAddress(here.address));
    connections.push(connection);
    const sent: Parameters<Commands['run']>[] = [];
    const recording: Commands = {
      send: (name, ...parameters) => connection.send(name, ...parameters),
      sendDurably: (name, ...parameters) => connection.send(name, ...parameters),
      run(...parameters) {
        sent.push(parameters);
        return connection.run(...parameters);
      },
      runDurably: (...parameters) => recording.run(...parameters),
    };
    const clock = new ServerClock();
    const [seconds, microseconds] = await here.bare.time();

    clock.set(Number(seconds) * 1e6 + Number(microseconds));
    const write = createWriter({
      connection: recording,
      keys: createKeys(here.prefix),
      clock,
      later: () => undefined,
    });

    await store.write('session', 's1', session(), { expect: 'absent' });
    const loser = prepareWrite('session', 's1', session({ user: 'usr_2' }), {
      expect: 'absent',
      writeId: 'loser',
      now: startOfTime,
    });
    await expect(write(loser)).rejects.toThrow(Conflict);
    await store.write('session', 's1', null, { expect: 1 });

    for (const command of sent) await connection.run(...command);
    expect(await store.get('session', 's1')).toBeUndefined();
    // Who means it may, at the first attempt to be told of.
    expect(await store.write('session', 's1', session(), { expect: 'absent' })).toBe(3);
  });
});
