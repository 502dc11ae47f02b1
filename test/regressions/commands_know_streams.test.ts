/** Commands are about all receivers, also about the streams that services make for themselves. */

import { expect, test } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import { deliveriesOf } from '../../src/command_deliveries.ts';
import type { CommandDeps } from '../../src/command_store.ts';
import { openWorld } from '../events/world.ts';

test('what was given up for a stream is shown, and sent again', async () => {
  const { store, clock, log, now } = await openWorld();
  const clients = [{ id: 'crm', ssf: true }];
  const config = { issuer: 'https://id.example.com', clients, receivers: [] } as never;
  const secrets = createSecrets(['a secret of tests that is long enough']);
  const deps: CommandDeps = { config, store, secrets, clock, log };
  const url = 'https://crm.example.com/events';
  const stream = {
    client: 'crm',
    audience: 'crm',
    method: 'push',
    url,
    status: 'enabled',
  } as const;
  await store.write('stream', 'str_1', { ...stream, createdAt: now }, { expect: 'absent' });
  const cause = { kind: 'user', id: 'usr_1', version: 1 };
  const told = { type: 'user.disabled', at: now, data: { user: 'usr_1' }, cause };
  await store.write('notice', 'evt_1', { ...told, expiresAt: now + 1e6 }, { expect: 'absent' });
  const receiver = 'stream:str_1';
  const lane = `${receiver}/user/usr_1`;
  const given = { notice: 'evt_1', receiver, lane, type: told.type, state: 'dead' } as const;
  const delivery = { ...given, attempts: 1, dueAt: now + 1e6, createdAt: now };
  await store.write('delivery', `${lane}/1/evt_1/0`, delivery, { expect: 'absent' });

  const deliveries = deliveriesOf(deps);
  expect(await deliveries.status()).toMatchObject([{ receiver, state: 'ok', dead: '1' }]);
  expect(await deliveries.replay({ state: 'dead' })).toMatchObject({ deliveries: 1 });
});
