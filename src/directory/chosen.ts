/**
 * The account that somebody chose last in an app, kept beyond the browser: so the next one need not ask. It decides
 * nothing: whether they may act for it is looked at whenever it is used.
 */

import type { UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { change } from './change.ts';
import { membershipOf } from './roles.ts';

/** More apps than one person uses; of more, those chosen for longest ago are forgotten. */
const mostApps = 50;

/** Only where it is another one than before: who chooses the same each day writes once. */
export async function rememberAccount(
  store: Store,
  { user, client, account }: { user: string; client: string; account: string },
): Promise<void> {
  await change(store, 'user', user, (present) => {
    if (present.status !== 'active' || membershipOf(present, account) === undefined) {
      return undefined;
    }
    if (rememberedAccount(present, client) === account) return undefined;
    return { document: { ...present, chosen: withChoice(present, client, account) } };
  });
}

export function rememberedAccount({ chosen }: UserDocument, client: string): string | undefined {
  return chosen !== undefined && Object.hasOwn(chosen, client) ? chosen[client] : undefined;
}

/** In the order in which they were chosen, without those that they have left. */
function withChoice(user: UserDocument, client: string, account: string): Record<string, string> {
  const others = Object.entries(user.chosen ?? {}).filter(
    ([of, other]) => of !== client && membershipOf(user, other) !== undefined,
  );
  const kept: [string, string][] = [...others, [client, account]];
  return Object.fromEntries<string>(kept.slice(-mostApps));
}
