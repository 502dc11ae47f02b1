/**
 * Everybody and all accounts as JSON Lines, in the order of their ids, as `tollgate import` takes them: imported into an
 * empty store and exported again it is the same text. What Stripe says is not among it, nor what is signed in, nor anything
 * secret. Who was deleted is left out, and what is half made.
 */

import { ownerRole } from '../directory/roles.ts';
import type { AccountDocument, MembershipEntry, UserDocument } from '../storage/documents.ts';
import { pagesOf } from '../storage/each.ts';
import type { Store, Stored } from '../storage/store.ts';

const pageSize = 500;

export interface ExportCounts {
  users: number;
  accounts: number;
}

/** @param print is waited for: memory is that of a page */
export async function exportAll(
  store: Store,
  print: (text: string) => Promise<void>,
): Promise<ExportCounts> {
  const counts = { users: 0, accounts: 0 };
  for await (const page of pagesOf((paging) => store.list('user', paging), { pageSize })) {
    const lines = await Promise.all(page.map((user) => userLine(store, user)));
    const there = lines.filter((line) => line !== undefined);
    counts.users += there.length;
    await print(there.join(''));
  }
  for await (const page of pagesOf((paging) => store.list('account', paging), { pageSize })) {
    const lines = await Promise.all(page.map((account) => accountLine(store, account)));
    counts.accounts += lines.length;
    await print(lines.join(''));
  }
  return counts;
}

async function userLine(
  store: Store,
  { id, document: user }: Stored<UserDocument>,
): Promise<string | undefined> {
  if (user.status === 'deleted') return undefined;
  const memberships: MembershipEntry[] = [];
  for (const membership of user.memberships ?? []) {
    const account = (await store.get('account', membership.account))?.document;
    // Of an account that is about to be made, or an ownership that has ended: it gives nothing.
    const counts = !membership.roles.includes(ownerRole) || account?.owners.includes(id) === true;
    if (account !== undefined && counts) memberships.push(membership);
  }
  return lineOf({
    type: 'user',
    id,
    status: user.status,
    name: user.name,
    email: user.email,
    emailVerified: user.emailVerified,
    picture: user.picture,
    locale: user.locale,
    own: user.own,
    said: user.said && { name: user.said.name, locale: user.said.locale },
    identities: user.identities.map(({ linkedAt, usedAt, ...one }) => ({
      provider: one.provider,
      issuer: one.issuer,
      subject: one.subject,
      email: one.email,
      emailVerified: one.emailVerified,
      linkedAt: time(linkedAt),
      usedAt: time(usedAt),
    })),
    memberships:
      memberships.length === 0
        ? undefined
        : memberships.map(({ account, roles, since, usedAt }) => ({
            account,
            roles,
            since: time(since),
            usedAt: time(usedAt),
          })),
    sentAway: user.sentAway,
    tried: user.tried,
    chosen: user.chosen,
    deletion: user.deletion && {
      askedAt: time(user.deletion.askedAt),
      dueAt: time(user.deletion.dueAt),
    },
    signedInAt: time(user.signedInAt),
    createdAt: time(user.createdAt),
  });
}

async function accountLine(
  store: Store,
  { id, document: account }: Stored<AccountDocument>,
): Promise<string> {
  const owners: string[] = [];
  for (const owner of account.owners) {
    const user = (await store.get('user', owner))?.document;
    if (user !== undefined && user.status !== 'deleted') owners.push(owner);
  }
  const { closing, closed } = account;
  return lineOf({
    type: 'account',
    id,
    status: account.status,
    name: account.name,
    owners,
    customer: account.customer,
    domains: account.domains?.map(({ domain, token, provenAt, mode, roles, addedAt }) => ({
      domain,
      token,
      provenAt: time(provenAt),
      mode,
      roles,
      addedAt: time(addedAt),
    })),
    closing: closing && {
      askedAt: time(closing.askedAt),
      endsAt: time(closing.endsAt),
      by: closing.by,
      feedback: closing.feedback,
      reason: closing.reason,
    },
    closed: closed && {
      at: time(closed.at),
      by: closed.by,
      feedback: closed.feedback,
      reason: closed.reason,
    },
    usedAt: time(account.usedAt),
    createdAt: time(account.createdAt),
  });
}

function lineOf(record: Record<string, unknown>): string {
  return `${JSON.stringify(record)}\n`;
}

/** To the millisecond: nothing is lost on the way. */
function time(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}
