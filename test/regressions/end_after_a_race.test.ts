/**
 * Services refuse what was issued up to the second of an event. What was issued by a request that was written before
 * the end must therefore not be later than the end says that it was.
 */

import { expect, test } from 'vitest';
import { createEndings } from '../../src/oidc/endings.ts';
import type { GrantDocument } from '../../src/storage/documents.ts';
import { createUnitOfWork } from '../../src/storage/work.ts';
import type { Store } from '../../src/storage/store.ts';
import { openWorld } from '../events/world.ts';

test('a grant that was used while it was being ended ended after that', async () => {
  const world = await openWorld();
  world.now += 990;
  const grant: GrantDocument = {
    payload: { iat: 1 },
    user: 'usr_ada',
    client: 'web',
    session: 's1',
    sid: 'sid_1',
    salt: 'x',
    expiresAt: world.now + 1e6,
  };
  await world.store.write('grant', 'g1', grant, { expect: 'absent' });
  let issuedAt = 0;
  const store = Object.create(world.store) as Store;
  store.get = world.store.get.bind(world.store);
  store.write = async (kind, id, document, options) => {
    if (issuedAt === 0) {
      // A refresh at another process is faster by a moment, and in the next second.
      world.now += 20;
      issuedAt = Math.floor(world.now / 1000);
      await world.store.write('grant', 'g1', { ...grant, salt: 'y' }, { expect: 1 });
    }
    return world.store.write(kind, id, document, options);
  };
  const work = createUnitOfWork(store, world.clock);
  await createEndings({ store, work, clock: world.clock }).grant('g1', 'refresh_token_reuse');
  const [event] = await world.store.pending(10);
  expect(event?.type).toBe('grant.revoked');
  expect(Math.floor((event?.at ?? 0) / 1000)).toBeGreaterThanOrEqual(issuedAt);
});
