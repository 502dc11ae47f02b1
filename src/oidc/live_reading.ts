/**
 * Reads what a page is told of its session: one read for the session and one for its Grant; users and accounts are
 * read once for all that are looked at together.
 */

import type { Clock } from '../base/clock.ts';
import type { Documents, Kind } from '../storage/kinds.ts';
import type { Store } from '../storage/store.ts';
import { linkClientId } from './clients.ts';
import { isLater, liveState } from './live_state.ts';
import type { LiveState, LiveSubject } from './live_state.ts';

/** Users and accounts that were read, by kind and id: members of one account share it. */
export type Shared = Map<string, Promise<unknown>>;

export interface Look {
  state: LiveState;
  /** The account that it acts for. */
  account: string | undefined;
}

export async function readState(
  { store, clock }: { store: Pick<Store, 'get'>; clock: Clock },
  subject: LiveSubject,
  shared: Shared,
): Promise<Look> {
  const read = async <K extends Kind>(kind: K, id: string | undefined) =>
    id === undefined ? undefined : (await store.get(kind, id))?.document;
  const once = <K extends Kind>(kind: K, id: string | undefined) => {
    const key = `${kind} ${id}`;
    const known = shared.get(key) ?? read(kind, id);
    shared.set(key, known);
    return known as Promise<Documents[K] | undefined>;
  };
  const [session, own] = await Promise.all([
    read('session', subject.session),
    read('grant', subject.grant),
  ]);
  const last = subject.grant === undefined ? undefined : lastLinkGrant(session?.payload);
  const other = last === subject.grant ? undefined : await read('grant', last);
  const grant = isLater(other, own) ? other : own;
  const [user, account] = await Promise.all([
    once('user', subject.user),
    once('account', grant?.account),
  ]);
  const state = liveState(subject, { session, grant, user, account }, clock());
  return { state, account: grant?.account };
}

/** The Grant that the links were last given in this session. */
function lastLinkGrant(payload: Record<string, unknown> = {}): string | undefined {
  const clients = payload.authorizations as Record<string, { last?: string }> | undefined;
  return clients?.[linkClientId]?.last;
}
