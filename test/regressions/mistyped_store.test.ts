/** An address of a store that was mistyped is refused in plain words that repeat no password. */

import { expect, test } from 'vitest';
import { withoutSecrets } from '../../src/config/store_address.ts';
import { configSchema } from '../../src/config.ts';
import { openMongodb } from '../../src/storage/mongodb.ts';
import { testConfigInput } from '../kit/server.ts';

const password = 'hunter2';

test.each([
  `mongodb:/tollgate:${password}@db.example/tollgate`,
  `mongodb//tollgate:${password}@db.example/tollgate`,
  `tollgate:${password}@db.example:27017`,
  `redis:/:${password}@cache.example:6379`,
])('%s is refused without its password', (address) => {
  const input = testConfigInput('http://127.0.0.1:4400');
  for (const key of ['store', 'hot']) {
    const { success, error } = configSchema.safeParse({ ...input, [key]: address });
    expect(success).toBe(false);
    expect(JSON.stringify(error?.issues)).not.toContain(password);
  }
});

test('a file may have the sign in its name', () => {
  expect(withoutSecrets('sqlite:./data/a@b.db')).toBe('sqlite:./data/a@b.db');
});

test('a database that nothing can be called is told of in a sentence', async () => {
  const address = `mongodb://tollgate:${password}@127.0.0.1:1/toll.gate`;
  await expect(openMongodb({ address, clock: Date.now })).rejects.toMatchObject({
    name: 'Problem',
    code: 'store_address',
    message: expect.stringContaining('"toll.gate"') as string,
  });
});
