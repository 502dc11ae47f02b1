/**
 * The account that somebody wants to use with an app from now on, kept beyond the browser: so the next one need not ask.
 * It decides nothing: whether they may act for it is looked at whenever it is used.
 */

import type { UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { change } from './change.ts';
import { membershipOf } from './roles.ts';

/** More apps than one person uses; of more, those chosen for longest ago are forgotten. */
const mostApps = 50;

export interface RememberedChoice {
  user: string;
  client: string;
  /** Absent: they want to be asked. */
  account: string | undefined;
}

/** Written only where it is different from before: who chooses the same each day writes once. */
export async function rememberAccount(
  store: Store,
  { user, client, account }: RememberedChoice,
): Promise<void> {
  await change(store, 'user', user, (present) => {
    if (present.status !== 'active') return undefined;
    if (rememberedAccount(present, client) === account) return undefined;
    if (account !== undefined && membershipOf(present, account) === undefined) return undefined;
    const { chosen: _chosen, ...rest } = present;
    const chosen = withChoice(present, client, account);
    const isEmpty = Object.keys(chosen).length === 0;
    return { document: isEmpty ? rest : { ...rest, chosen } };
  });
}

export function rememberedAccount({ chosen }: UserDocument, client: string): string | undefined {
  return chosen !== undefined && Object.hasOwn(chosen, client) ? chosen[client] : undefined;
}

/** In the order in which they were chosen, without those that they have left. */
function withChoice(
  user: UserDocument,
  client: string,
  account: string | undefined,
): Record<string, string> {
  const others = Object.entries(user.chosen ?? {}).filter(
    ([of, other]) => of !== client && membershipOf(user, other) !== undefined,
  );
  const kept: [string, string][] = account === undefined ? others : [...others, [client, account]];
  return Object.fromEntries<string>(kept.slice(-mostApps));
}
