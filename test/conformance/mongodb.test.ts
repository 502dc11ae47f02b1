import { describe } from 'vitest';
import { mongodbUrl, testDatabase } from '../kit/mongodb/start.ts';
import { openAt } from './places.ts';
import { storeSuite } from './store.ts';

const url = await mongodbUrl();

describe.skipIf(url === undefined)('with a server', () => {
  storeSuite(
    'MongoDB',
    async () => {
      const { address, drop } = testDatabase(url ?? '');
      return { location: address, open: (clock) => openAt(address, clock), discard: drop };
    },
    { persistent: true, ordered: false, clocked: true },
  );
});
