/**
 * The suite that every driver passes. It knows the port and nothing of any database; what a store
 * cannot do by its nature is said in its capabilities.
 */

import { describe } from 'vitest';
import { documents } from './groups/documents.ts';
import { events } from './groups/events.ts';
import { expiry } from './groups/expiry.ts';
import { finding } from './groups/finding.ts';
import { model } from './groups/model.ts';
import { persistence } from './groups/persistence.ts';
import { createSuite } from './suite.ts';
import type { Capabilities, StorePlace } from './suite.ts';

/** @param place makes an empty place for documents, for each test its own */
export function storeSuite(
  name: string,
  place: () => Promise<StorePlace>,
  capabilities: Capabilities,
): void {
  describe(name, () => {
    const suite = createSuite(place, capabilities);
    documents(suite);
    finding(suite);
    events(suite);
    expiry(suite);
    persistence(suite);
    model(suite);
  });
}
