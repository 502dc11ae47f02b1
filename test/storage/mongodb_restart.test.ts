import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, test } from 'vitest';
import { openMongodb } from '../../src/storage/mongodb.ts';
import { account, event } from '../conformance/samples.ts';
import { startOfTime } from '../conformance/suite.ts';
import { mongodbUrl, startMongodb, testDatabase } from '../kit/mongodb/start.ts';

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const leave of leftovers.splice(0).toReversed()) await leave();
});

const given = process.env.TEST_MONGODB_URL;
// Whether one can be started here at all.
const startable = given !== undefined || (await mongodbUrl()) !== undefined;

describe.skipIf(!startable)('a server that is killed and started again', () => {
  test(
    'has all that was acknowledged, once; who writes meanwhile waits for it',
    { timeout: 120_000 },
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'tollgate-mongodb-'));
      leftovers.push(() => rm(directory, { recursive: true, force: true }));
      const file = join(directory, 'documents');
      let server = await startMongodb({ file });
      leftovers.push(() => server.close());
      const address = `${server.url}/shop?minHeartbeatFrequencyMS=50`;
      const store = await openMongodb({ address, clock: () => startOfTime, longestWait: 30_000 });
      leftovers.push(() => store.close());

      let going = true;
      const lane = async (name: string): Promise<number> => {
        let version = 0;
        while (going) {
          const events = [event(`${name}-${version + 1}`)];
          const expectation = version === 0 ? ('absent' as const) : version;
          const written = await store.write('account', name, account({ name: `${version + 1}` }), {
            expect: expectation,
            events,
          });
          expect(written).toBe(version + 1);
          version = written;
        }
        return version;
      };
      const lanes = ['a', 'b', 'c', 'd'].map((name) => lane(name));
      for (let round = 0; round < 3; round += 1) {
        await new Promise((resolve) => void setTimeout(resolve, 300));
        await server.kill();
        server = await startMongodb({ file, port: server.port });
      }
      going = false;
      const reached = await Promise.all(lanes);

      for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
        const version = reached[index] ?? 0;
        expect(version).toBeGreaterThan(3);
        const stored = await store.get('account', name);
        expect(stored).toMatchObject({ version, document: { name: `${version}` } });
        const waiting = await store.pending(1000, { of: { kind: 'account', id: name } });
        const wanted = Array.from({ length: version }, (_, number) => number + 1).slice(0, 1000);
        expect(waiting.map((one) => one.version)).toEqual(wanted);
      }
    },
  );
});

async function isReplicaSet(address: string): Promise<boolean> {
  const client = new MongoClient(address);
  try {
    return (await client.db('admin').command({ hello: 1 })).setName !== undefined;
  } finally {
    await client.close();
  }
}

// What only a real server can show.
if (given !== undefined && (await isReplicaSet(given))) {
  describe('a primary that steps down', () => {
    test('while it is written to: nothing is lost, and nothing done twice', async () => {
      const { address, drop } = testDatabase(given);
      const client = new MongoClient(address);
      const store = await openMongodb({ address, clock: () => startOfTime, longestWait: 30_000 });
      leftovers.push(
        drop,
        () => client.close(),
        () => store.close(),
      );
      const lane = async (name: string) => {
        for (let version = 0; version < 300; version += 1) {
          const expectation = version === 0 ? ('absent' as const) : version;
          const events = [event(`${name}-${version + 1}`)];
          const options = { expect: expectation, events };
          expect(await store.write('account', name, account(), options)).toBe(version + 1);
        }
      };
      const lanes = ['a', 'b', 'c', 'd'].map((name) => lane(name));
      // The connection may be closed before there is an answer.
      await client
        .db('admin')
        .command({ replSetStepDown: 5, secondaryCatchUpPeriodSecs: 4 })
        .catch(() => {});
      await Promise.all(lanes);
      for (const name of ['a', 'b', 'c', 'd']) {
        const waiting = await store.pending(1000, { of: { kind: 'account', id: name } });
        expect(waiting.map(({ version }) => version)).toEqual(
          Array.from({ length: 300 }, (_, index) => index + 1),
        );
      }
    }, 60_000);
  });
}
