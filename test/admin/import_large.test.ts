/** A file that does not fit into one reading. On one store: it is about our own code, and none of the store's. */

import { expect, test } from 'vitest';
import { openImport } from './world.ts';

test('files larger than what is read at once', async () => {
  const { take, store } = await openImport();
  const people = Array.from({ length: 3000 }, (_, number) => ({
    type: 'user',
    id: `user_${number}`,
    name: `Person ${'x'.repeat(90)}`,
    picture: `https://example.com/${'p'.repeat(150)}/${number}`,
    memberships: [{ account: 'large', roles: ['member'] }],
  }));
  const large = { type: 'account', id: 'large', name: 'Large', owners: ['user_7'] };
  // Without a newline at its end, and with other ends of lines within.
  const text = [...people, large].map((one) => JSON.stringify(one)).join('\r\n');
  expect(await take(text)).toMatchObject({ user: { new: 3000 }, account: { new: 1 }, problems: 0 });
  expect(await store.find('user', 'account', 'large', { limit: 1000 })).toHaveLength(1000);
  expect((await store.get('user', 'user_2999'))?.document.name).toHaveLength(97);
});
