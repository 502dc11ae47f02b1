/**
 * The members of an account, page by page, for people to look at. However many there are, one page reads a bounded
 * number of documents; a search goes through the members in the order of their ids, so far in one step, and says where to go on.
 */

import type { AccountDocument, UserDocument } from '../storage/documents.ts';
import type { Store, Stored } from '../storage/store.ts';
import { accountUnknown } from './accounts.ts';
import type { Page, Paging } from './invitation_types.ts';
import { effectiveRoles, membershipOf, ownsAccount } from './roles.ts';

export interface MemberRow {
  user: string;
  name?: string;
  email?: string;
  picture?: string;
  /** Who is disabled keeps their place. */
  status: 'active' | 'disabled';
  roles: string[];
  isOwner: boolean;
  since: number;
  /** When a token for this account was last issued to them, to the day. */
  usedAt?: number;
}

export interface MemberPaging extends Paging {
  /** A part of a name or of an e-mail address, in whatever case. */
  search?: string | undefined;
}

export interface MemberPages {
  /**
   * In the order of ids. A page can be shorter than asked for, even empty, and have a `next`: a search ends after so many members.
   * @throws {Problem} `account_unknown` (404)
   */
  membersOf: (account: string, paging?: MemberPaging) => Promise<Page<MemberRow>>;
  /** One of them. `undefined`: does not belong to the account. */
  memberOf: (account: string, user: string) => Promise<MemberRow | undefined>;
}

const pageSize = 50;
const mostRows = 200;
/** Of a search: ten thousand members. */
const mostReads = 10;
const searchedAtOnce = 1000;
const longestSearch = 100;

export function createMemberPages({ store }: { store: Store }): MemberPages {
  async function membersOf(id: string, paging: MemberPaging = {}): Promise<Page<MemberRow>> {
    const account = (await store.get('account', id))?.document;
    if (account === undefined) throw accountUnknown();
    const limit = Math.min(Math.max(paging.limit ?? pageSize, 1), mostRows);
    const search = fold((paging.search ?? '').trim().slice(0, longestSearch));
    const readLimit = search === '' ? limit + 1 : searchedAtOnce;
    const rows: MemberRow[] = [];
    let { after } = paging;
    for (let reads = 0; reads < mostReads; reads += 1) {
      const from = after === undefined ? {} : { after };
      const found = await store.find('user', 'account', id, { limit: readLimit, ...from });
      for (const stored of found) {
        const row = rowOf(stored, id, account);
        if (row === undefined || !matches(row, search)) continue;
        const last = rows.at(-1);
        if (rows.length === limit && last !== undefined) return { rows, next: last.user };
        rows.push(row);
      }
      if (found.length < readLimit) return { rows };
      after = found.at(-1)?.id;
    }
    return { rows, ...(after === undefined ? {} : { next: after }) };
  }

  return {
    membersOf,
    async memberOf(id, user) {
      const [account, stored] = await Promise.all([
        store.get('account', id),
        store.get('user', user),
      ]);
      if (account === undefined || stored === undefined) return undefined;
      return rowOf(stored, id, account.document);
    },
  };
}

function rowOf(
  { id: user, document }: Stored<UserDocument>,
  accountId: string,
  account: AccountDocument,
): MemberRow | undefined {
  const { status, name, email, picture } = document;
  const membership = membershipOf(document, accountId);
  if (membership === undefined || status === 'deleted') return undefined;
  const isOwner = ownsAccount(account, user);
  const roles = effectiveRoles(membership.roles, isOwner);
  if (roles.length === 0) return undefined;
  const { since, usedAt } = membership;
  return {
    user,
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(picture === undefined ? {} : { picture }),
    status,
    roles,
    isOwner,
    since,
    ...(usedAt === undefined ? {} : { usedAt }),
  };
}

function matches({ name, email }: MemberRow, search: string): boolean {
  if (search === '') return true;
  return [name, email].some((text) => text !== undefined && fold(text).includes(search));
}

/** So that `zoe` finds Zoë. */
function fold(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
}
