/** Owners as people: an account names them by id, and only their own documents say whether they can still act. */

import type { UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';

/** @returns those of whom `is` holds; it is asked with `undefined` where nothing is known of one any more */
export async function ownersWho(
  store: Store,
  { owners }: { owners: readonly string[] },
  is: (status: UserDocument['status'] | undefined) => boolean,
): Promise<string[]> {
  const found = await Promise.all(owners.map((id) => store.get('user', id)));
  return owners.filter((_id, index) => is(found[index]?.document.status));
}
