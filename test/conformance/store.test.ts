/** The suite on the store that this run is about (`TOLLGATE_TEST_STORE`), and on SQLite in memory. */

import { makePlace, openEmpty, presentStore } from '../kit/places.ts';
import { storeSuite } from './store.ts';

const store = presentStore();

storeSuite(
  'store',
  async () => {
    const { address, open, discard } = await makePlace(store);
    return { location: JSON.stringify(address), open, discard };
  },
  {
    persistent: true,
    ordered: store === 'sqlite',
    // Redis counts by its own clock.
    clocked: !store.startsWith('redis'),
  },
);

if (store === 'sqlite') {
  storeSuite(
    'store in memory',
    async () => ({ open: (clock) => openEmpty(clock), discard: async () => {} }),
    { persistent: false, ordered: true, clocked: true },
  );
}
