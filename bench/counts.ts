/** How often each kind of request reads and writes the store: counted, so the same on every machine. */

import { faulty } from '../test/kit/faults.ts';
import { makePlace } from '../test/kit/places.ts';
import type { StoreName } from '../test/kit/store_names.ts';
import {
  authorizationRequest,
  redeem,
  refresh,
  signInForCode,
  startWorld,
} from '../test/kit/world.ts';
import type { World } from '../test/kit/world.ts';

type Counting = ReturnType<typeof faulty>;

function totals(store: Counting): { reads: number; writes: number } {
  const counts = store.counts();
  const sum = (values: Record<string, number>) =>
    Object.entries(values)
      // The workers' own reading and settling of events goes on beside requests.
      .filter(([kind]) => !['pending', 'settle', 'audit', 'lease', 'sweep'].includes(kind))
      .reduce((total, [, count]) => total + count, 0);
  return { reads: sum(counts.reads), writes: sum(counts.writes) };
}

async function count(
  name: string,
  world: World,
  store: Counting,
  action: () => Promise<unknown>,
): Promise<void> {
  await world.server.dispatcher.drain();
  const before = totals(store);
  await action();
  const after = totals(store);
  const reads = String(after.reads - before.reads).padStart(5);
  const writes = String(after.writes - before.writes).padStart(7);
  console.log(`  ${name.padEnd(44)} ${reads} ${writes}`);
}

export async function countRequests(storeName: StoreName): Promise<void> {
  const place = await makePlace(storeName);
  const store = faulty(await place.open(Date.now));
  const world = await startWorld({ store });
  const { issuer } = world;
  console.log(`\n  ${'store calls'.padEnd(44)} reads  writes`);
  const browser = world.browser();
  const first = await signInForCode(issuer, browser, { person: 'grace' });
  const { body } = await redeem(issuer, first);
  await count('sign-in through the upstream, first time', world, store, () =>
    signInForCode(issuer, world.browser(), { person: 'grace' }),
  );
  let redemption = first;
  await count('authorization request of who is signed in', world, store, async () => {
    const request = authorizationRequest(issuer, 'app', { prompt: 'none' });
    const page = await browser.get(request.url);
    redemption = { ...request, code: new URL(page.url).searchParams.get('code') ?? '' };
  });
  await count('code exchange', world, store, () => redeem(issuer, redemption));
  await count('refresh', world, store, () => refresh(issuer, 'app', body.refresh_token));
  const authorization = `Bearer ${body.access_token}`;
  await count('userinfo with a JWT', world, store, () =>
    fetch(`${issuer}/oauth2/userinfo`, { headers: { authorization } }),
  );
  await count('sign-out', world, store, () =>
    browser.get(`${issuer}/oauth2/logout?id_token_hint=${body.id_token}`),
  );
  await world.close();
  await store.close();
  await place.discard();
}
