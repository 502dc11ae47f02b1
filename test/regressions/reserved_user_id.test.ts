/** A token of a client has the client's id as `sub`: nobody else is called so. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimsOf, clients, token } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { startProtocolWorld } from '../protocol/kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

const ids = [...clients.map(({ id }) => id), 'tollgate-links'];

test.each(ids)('T24 no user is made with the id of the client "%s"', async (id) => {
  const made = world.server.directory.createUser({ id, name: 'Somebody' });
  await expect(made).rejects.toMatchObject({ code: 'user_id_reserved', status: 409 });
  expect(await world.server.directory.user(id)).toBeUndefined();
});

test('T24 the client has its own tokens, and a user with another id is made', async () => {
  const { body } = await token(world.issuer, 'machine', { grant_type: 'client_credentials' });
  expect(claimsOf(body.access_token)).toMatchObject({ sub: 'machine' });
  await world.server.directory.createUser({ id: 'usr_machine', name: 'Somebody' });
  expect(await world.server.directory.user('usr_machine')).toBeDefined();
});
