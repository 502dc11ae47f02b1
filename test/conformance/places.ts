/** Opens a store by its location, so that a child process can be told which one. */

import type { Clock } from '../../src/base/clock.ts';
import type { Store } from '../../src/storage/store.ts';
import { openStores } from '../../src/stores.ts';
import { recordingLog } from '../kit/server.ts';
import type { Address } from '../kit/places.ts';

/** @param location an `Address` as JSON */
export function openAt(location: string, clock: Clock): Promise<Store> {
  return openStores(JSON.parse(location) as Address, { clock, log: recordingLog() });
}
