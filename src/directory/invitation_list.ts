/** Invitations as lists: of an account, and of a person. What is of no use any more is left out. */

import type { Store } from '../storage/store.ts';
import { verifiedAddresses } from './addresses.ts';
import { standingOf } from './invitation_state.ts';
import type { StandingDeps } from './invitation_state.ts';
import type {
  Invitation,
  InvitationOffer,
  InvitationPaging,
  Invitations,
  Page,
} from './invitation_types.ts';

const usualRows = 50;
const mostRows = 200;
/** Pages of the store that are looked through for one of ours: run out ones are among them. */
const mostReads = 20;
const mostWaiting = 100;
const mostOffers = 50;

export function readInvitations(deps: StandingDeps): Pick<Invitations, 'list' | 'waiting' | 'of'> {
  return {
    list: (account, paging) => list(deps, account, paging),
    async waiting(account) {
      const found = await deps.store.find('invitation', 'waiting', account, {
        limit: mostWaiting,
        descending: true,
      });
      const seen = await Promise.all(found.map((one) => isSeen(deps, one)));
      return seen.filter(Boolean).length;
    },
    of: (user) => offersOf(deps, user),
  };
}

async function list(
  deps: StandingDeps,
  account: string,
  { after, limit = usualRows, state }: InvitationPaging = {},
): Promise<Page<Invitation>> {
  const { store } = deps;
  const present = (await store.get('account', account))?.document;
  if (present?.status !== 'active') return { rows: [] };
  const most = Math.min(Math.max(1, limit), mostRows);
  const rows: Invitation[] = [];
  let from = after;
  for (let read = 0; read < mostReads; read += 1) {
    // The newest first: the store is full of those that ran out in the last month.
    const options = {
      limit: most + 1,
      descending: true,
      ...(from !== undefined && { after: from }),
    };
    const found = await store.find('invitation', state ?? 'live', account, options);
    const seen = await Promise.all(found.map((one) => isSeen(deps, one)));
    for (const [index, one] of found.entries()) {
      if (rows.length === most) return pageOf(rows, from);
      from = one.id;
      if (seen[index] === true) rows.push(one);
    }
    if (found.length <= most) return { rows };
  }
  return pageOf(rows, from);
}

function pageOf(rows: Invitation[], next: string | undefined): Page<Invitation> {
  return { rows, ...(next !== undefined && { next }) };
}

/** Those of inviters who may not any more are shown: somebody else can send them again. */
async function isSeen(
  { store, clock }: Pick<StandingDeps, 'store' | 'clock'>,
  { document }: Invitation,
): Promise<boolean> {
  const { state, candidate, expiresAt } = document;
  if (expiresAt <= clock()) return false;
  if (state !== 'waiting' || candidate === undefined) return state === 'open';
  return (await store.get('user', candidate))?.document.status === 'active';
}

async function offersOf(
  deps: StandingDeps,
  user: string,
): Promise<{ open: InvitationOffer[]; waiting: InvitationOffer[] }> {
  const { store } = deps;
  const person = (await store.get('user', user))?.document;
  if (person?.status !== 'active') return { open: [], waiting: [] };
  const found = await findOf(store, user, verifiedAddresses(person));
  const open: InvitationOffer[] = [];
  const waiting: InvitationOffer[] = [];
  for (const invitation of found.values()) {
    const { account: id, candidate } = invitation.document;
    const account = (await store.get('account', id))?.document;
    if (account === undefined || person.memberships?.some((one) => one.account === id)) continue;
    const standing = await standingOf(deps, invitation, { account });
    const offer = { invitation, account: { id, ...account } };
    if (standing === 'waiting' && candidate === user) waiting.push(offer);
    else if (standing === 'open' && invitation.document.way === 'email') open.push(offer);
  }
  return { open, waiting };
}

async function findOf(
  store: Store,
  user: string,
  addresses: readonly string[],
): Promise<Map<string, Invitation>> {
  const limit = mostOffers;
  // The newest first: what is over stays a while.
  const newest = { limit, descending: true };
  const lists = [
    await store.find('invitation', 'candidate', user, newest),
    ...(await Promise.all(
      addresses.slice(0, 10).map((key) => store.find('invitation', 'email', key, newest)),
    )),
  ];
  return new Map(
    lists
      .flat()
      .slice(0, limit)
      .map((one) => [one.id, one]),
  );
}
