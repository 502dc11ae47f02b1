import { inspect } from 'node:util';
import type { Document } from 'mongodb';
import { afterEach, describe, expect, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { createLog } from '../../src/base/log.ts';
import { openMongodb } from '../../src/storage/mongodb.ts';
import type { Store } from '../../src/storage/store.ts';
import { account, event } from '../conformance/samples.ts';
import { startScripted } from '../kit/mongodb/scripted.ts';
import type { Script, ScriptedMongodb } from '../kit/mongodb/scripted.ts';

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const leave of leftovers.splice(0).toReversed()) await leave();
});

const clock = () => 1_900_000_000_000;
const quick = 'minHeartbeatFrequencyMS=20&serverSelectionTimeoutMS=300';

/** The database is in use already. */
const facts: Document = { firstBatch: [{ _id: 'schema', version: 1 }], id: 0n, ns: 'db.tollgate' };

async function scripted(script: Script, greeting?: Document): Promise<ScriptedMongodb> {
  const server = await startScripted(
    (name, command) => (command.find === 'tollgate' ? { cursor: facts } : script(name, command)),
    greeting,
  );
  leftovers.push(() => server.close());
  return server;
}

async function open(server: ScriptedMongodb, longestWait = 300): Promise<Store> {
  const store = await openMongodb({ address: `${server.url}/db?${quick}`, clock, longestWait });
  leftovers.push(() => store.close());
  return store;
}

/** What the operator is told, all of it. */
async function refusal(address: string): Promise<Problem> {
  const opening = openMongodb({ address, clock, longestWait: 0 });
  const error = await opening.then(
    (store) => store.close(),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw new Error('it is a Problem', { cause: error });
  return error;
}

const failed = (code: number, errmsg = 'no'): Document => ({ ok: 0, code, errmsg });

describe('at the start', () => {
  test('a server that is not there is named, without user and password', async () => {
    const address = `mongodb://somebody:tr0ub4dor@127.0.0.1:1/shop?${quick}`;
    const problem = await refusal(address);
    expect(problem.code).toBe('store_unavailable');
    expect(problem.message).toContain('shop at 127.0.0.1:1');
    expect(problem.message).toContain('ECONNREFUSED');
    const lines: string[] = [];
    const log = createLog({ level: 'debug', clock, write: (line) => void lines.push(line) });
    log.error('failed', { problem, message: problem.message, details: problem.details });
    for (const text of [inspect(problem, { depth: 20 }), lines.join('')]) {
      expect(text).not.toContain('tr0ub4dor');
      expect(text).not.toContain('somebody');
    }
  });

  test.for([
    'mongodb://somebody:tr0ub/4dor@127.0.0.1/shop',
    'mongodb://somebody:tr0ub?4dor@127.0.0.1/shop',
    'mongodb://somebody:tr0ub@4dor@127.0.0.1/shop',
    'mongodb://somebody:tr0ub%zz4dor@127.0.0.1/shop',
    'mongodb://somebody:tr0ub:4dor@127.0.0.1:x/shop',
    'mongodb://somebody:tr0ub4dor@127.0.0.1/shop?authMechanism=nothing',
    'mongodb://somebody:tr0ub4dor@127.0.0.1/shop?tls=tr0ub4dor',
    'mongodb+srv://somebody:tr0ub4dor@127.0.0.1:99/shop',
    'http://somebody:tr0ub4dor@127.0.0.1/shop',
    '',
  ])('a connection string that nobody can read is not repeated: %s', async (address) => {
    const problem = await refusal(address);
    expect(problem.code).toBe('store_address');
    expect(inspect(problem, { depth: 20 })).not.toMatch(/tr0ub|4dor|somebody/);
  });

  test('an option that does not exist is named', async () => {
    const { message } = await refusal('mongodb://127.0.0.1/shop?retrieWrites=true');
    expect(message).toContain('retriewrites');
  });

  test('a wrong password is told from a server that is not there', async () => {
    const server = await scripted((name) => (name.startsWith('sasl') ? failed(18) : undefined));
    const address = `${server.url.replace('//', '//somebody:tr0ub4dor@')}/shop?${quick}`;
    const problem = await refusal(address);
    expect(problem.code).toBe('store_unauthorized');
    expect(problem.message).toContain('password');
    expect(inspect(problem, { depth: 20 })).not.toContain('tr0ub4dor');
  });

  test('a name that does not resolve is told', async () => {
    const problem = await refusal('mongodb+srv://somebody:tr0ub4dor@nowhere.invalid/shop');
    expect(problem.code).toBe('store_unavailable');
    expect(problem.message).toContain('shop at nowhere.invalid');
    expect(inspect(problem, { depth: 20 })).not.toContain('tr0ub4dor');
  });

  test('a collection that cannot have its indexes is told by the name of the failure', async () => {
    const server = await scripted((name) =>
      name === 'createIndexes' ? { ...failed(67), codeName: 'CannotCreateIndex' } : undefined,
    );
    const problem = await refusal(`${server.url}/shop?${quick}`);
    expect(problem.message).toContain('(CannotCreateIndex)');
  });

  test('a user who may do nothing is told so', async () => {
    const server = await scripted((name) => (name === 'createIndexes' ? failed(13) : undefined));
    const problem = await refusal(`${server.url}/shop?${quick}`);
    expect(problem.code).toBe('store_unauthorized');
    expect(problem.message).toContain('does not allow');
  });

  test('a server that is too old is told from the one that is needed', async () => {
    const server = await scripted(() => undefined, { maxWireVersion: 8 });
    const problem = await refusal(`${server.url}/shop?${quick}`);
    expect(problem).toMatchObject({
      code: 'store_too_old',
      details: { found: '4.2', needed: '4.4' },
    });
    expect(problem.message).toContain('MongoDB 4.2');
  });

  test('a single server is used, with one warning', async () => {
    const server = await scripted(() => undefined);
    const warnings: string[] = [];
    const nothing = () => {};
    const warn = (message: string) => void warnings.push(message);
    const log = { debug: nothing, info: nothing, warn, error: nothing };
    const store = await openMongodb({ address: `${server.url}/db?${quick}`, clock, log });
    await store.close();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('single server');
  });
});

describe('a server in trouble', () => {
  test('writes wait for a majority and its disks, and reads go to the primary, whatever the connection string says', async () => {
    const server = await scripted(() => undefined);
    const weak = 'w=0&journal=false&wtimeoutMS=0&readPreference=secondaryPreferred';
    const store = await openMongodb({ address: `${server.url}/db?${weak}`, clock });
    await store.write('account', 'a', account(), { expect: 'absent' });
    await store.write('account', 'a', account(), { expect: 1 });
    await store.get('account', 'a');
    await store.close();
    const writes = server.commands.filter(({ insert, update }) => insert ?? update);
    expect(writes.length).toBeGreaterThan(1);
    for (const { writeConcern } of writes) {
      expect(writeConcern).toMatchObject({ w: 'majority', j: true });
      expect(writeConcern.wtimeout).toBeGreaterThan(0);
    }
    for (const command of server.commands) {
      expect(['primary', 'primaryPreferred', undefined]).toContain(command.$readPreference?.mode);
    }
  });

  test.for([202, 10_107, 11_600, 11_602, 189, 91, 13_436, 112])(
    'what passes by itself is waited out: code %i',
    async (code) => {
      let left = 2;
      const server = await scripted((name) =>
        name === 'update' && (left -= 1) >= 0 ? failed(code) : undefined,
      );
      const store = await open(server, 5000);
      expect(await store.write('account', 'a', account(), { expect: 1 })).toBe(2);
      const updates = server.commands.filter(({ update }) => update === 'account');
      expect(updates).toHaveLength(3);
      const ids = updates.map(({ updates: [{ u }] }) => u.$set.writeId);
      expect(new Set(ids).size).toBe(1);
    },
  );

  test.for([
    [10_107, 'store_read_only'],
    [371, 'store_read_only'],
    [14_031, 'store_full'],
    [13, 'store_unauthorized'],
    [50, 'store_unavailable'],
  ] as const)('what does not pass is told: code %i is %s', async ([code, name]) => {
    const server = await scripted((asked) => (asked === 'update' ? failed(code) : undefined));
    const store = await open(server);
    await expect(
      store.write('account', 'a', account(), { expect: 1, events: [event('1')] }),
    ).rejects.toMatchObject({ name: 'Problem', code: name, status: 503, retryAfterSeconds: 1 });
  });

  test('a failure while settling is told as well', async () => {
    const server = await scripted((asked) => (asked === 'update' ? failed(371) : undefined));
    const store = await open(server);
    await expect(store.settle([{ id: 'e', kind: 'account', document: 'a' }])).rejects.toMatchObject(
      { code: 'store_read_only' },
    );
  });

  test('a write that no majority has confirmed is acknowledged when one has', async () => {
    const unconfirmed = { code: 64, errmsg: 'waiting for replication timed out' };
    let writeId = '';
    let left = 1;
    const server = await scripted((name, command) => {
      if (name === 'update') {
        const [{ q, u }] = command.updates;
        const done = q.writeId === writeId;
        writeId = u.$set.writeId;
        if ((left -= 1) >= 0) return { n: 1, nModified: 1, writeConcernError: unconfirmed };
        return { n: done ? 1 : 0, nModified: 0 };
      }
      if (name !== 'find' || command.find !== 'account') return undefined;
      const row = { _id: 'a', version: 2, body: '{}', writeId, format: 1 };
      return { cursor: { firstBatch: [row], id: 0n, ns: 'db.account' } };
    });
    const store = await open(server, 5000);
    expect(await store.write('account', 'a', account(), { expect: 1 })).toBe(2);
    const names = server.commands.map((command) => Object.keys(command)[0]);
    // The write, the same again (which changes nothing), a look, and the wait for the majority.
    expect(names.slice(-4)).toEqual(['update', 'update', 'find', 'update']);
    expect(server.commands.at(-1)?.writeConcern.w).toBe('majority');
  });

  test('too few members for a majority: nothing is acknowledged', async () => {
    const never = { code: 100, errmsg: 'Not enough data-bearing nodes' };
    const server = await scripted((name) =>
      name === 'update' ? { n: 1, nModified: 1, writeConcernError: never } : undefined,
    );
    const store = await open(server);
    await expect(store.write('account', 'a', account(), { expect: 1 })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'Too few members of the database confirm writes.',
    });
  });
});
