/**
 * The directory room: users and how they are known, accounts, and who belongs to which. It answers
 * who somebody is and for which account they may act; what an account's subscription allows is
 * billing's business, and sessions and tokens are the OpenID room's.
 *
 * What takes several documents is a saga: the first write that decides carries an event, what follows
 * is done at once and again by `handlers` until it is done.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Handler } from '../events/handlers.ts';
import { isEvent } from '../events/types.ts';
import type { UserDocument } from '../storage/documents.ts';
import type { PendingEvent, Store } from '../storage/store.ts';
import { createAccess } from './access.ts';
import type { Membership, UsableAccount } from './access.ts';
import { createAccounts } from './accounts.ts';
import type { Account, Accounts, NewAccount } from './accounts.ts';
import { rememberAccount, type RememberedChoice } from './chosen.ts';
import { unlinkIdentity } from './identities.ts';
import { createMembers } from './members.ts';
import type { Members } from './members.ts';
import { createRevocations } from './revocations.ts';
import type { Revocations } from './revocations.ts';
import { roomForAll } from './seats.ts';
import type { Seats } from './seats.ts';
import { createSignIn } from './sign_in.ts';
import type { Registration, SignedIn, SigningIn } from './sign_in.ts';
import { createUsers } from './users.ts';
import type { Identity, NewUser, StoredUser, Users } from './users.ts';

export interface DirectoryOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** What happens to somebody new. */
  registration: Registration;
  /** No user has one of these ids: a client's token has its own id as `sub` (RFC 9700 §4.15). */
  reservedIds?: ReadonlySet<string>;
  /** Where members are paid for. */
  seats?: Seats;
}

export interface Directory extends Revocations {
  /**
   * Who this identity is; makes the user and a personal account where registration is open. Who is `signingUp` becomes a
   * user also where people come in by `checkout`, without an account: it is made when it is paid for.
   * @throws {Problem} `not_registered` (403), `user_disabled` (403), `identity_invalid` (400)
   */
  signIn(identity: Identity, how?: SigningIn): Promise<SignedIn>;
  /** Of any status. */
  user(id: string): Promise<StoredUser | undefined>;
  /** Of any status. */
  account(id: string): Promise<Account | undefined>;
  /** The accounts that the user may act for now, sorted by name. */
  usableAccounts(user: string): Promise<UsableAccount[]>;
  /** The only account that the user may act for now: `undefined` where there is none, or more than one. */
  onlyAccount(user: string): Promise<string | undefined>;
  /** The one that they want to use with this app from now on, in all browsers. */
  rememberAccount(choice: RememberedChoice): Promise<void>;
  /** May this user act for this account now, and as what? The single answer. */
  membership(user: string, account: string): Promise<Membership | undefined>;

  /** @throws {Problem} `user_exists`, `identity_taken` (409); `*_invalid` (400) */
  createUser(input: NewUser): Promise<StoredUser>;
  /** @throws {Problem} `user_unknown` (404), `user_deleted`, `last_owner` (409) */
  setUserStatus(user: string, status: UserDocument['status']): Promise<StoredUser>;
  /** @throws {Problem} `user_unknown` (404), `account_exists`, `too_many_accounts` (409) */
  createAccount(input: NewAccount): Promise<Account>;
  /** @throws {Problem} `account_unknown` (404) */
  closeAccount(account: string, reason?: string): Promise<Account>;
  /**
   * @returns whether somebody came: who is a member already keeps the roles they have
   * @throws {Problem} `account_unknown`, `user_unknown` (404), `account_closed` (409); where members are paid for also
   *   `seats_full`, `card_declined` (402), `stripe_unavailable` (503)
   */
  addMember(account: string, user: string, roles: readonly string[]): Promise<boolean>;
  /** Gives an owner whom the account names their membership. Idempotent. */
  finishOwner(account: string, user: string): Promise<void>;
  /**
   * @returns whether somebody went
   * @throws {Problem} `account_unknown` (404), `last_owner` (409)
   */
  removeMember(account: string, user: string): Promise<boolean>;
  /**
   * @returns the roles as they are now
   * @throws {Problem} `account_unknown`, `member_unknown` (404), `last_owner`, `account_closed` (409)
   */
  setRoles(account: string, user: string, roles: readonly string[]): Promise<string[]>;
  /**
   * @returns whether it was theirs
   * @throws {Problem} `user_unknown` (404), `last_identity` (409)
   */
  unlinkIdentity(user: string, issuer: string, subject: string): Promise<boolean>;

  /** For the dispatcher: they finish what a crash left half done. */
  handlers: Handler[];
}

export function createDirectory(options: DirectoryOptions): Directory {
  const { store, clock, seats = roomForAll, reservedIds = new Set() } = options;
  const users = createUsers({ store, clock, seats, reservedIds });
  const accounts = createAccounts({ store, clock });
  const members = createMembers({ store, clock, accounts, seats });
  const access = createAccess({ store });

  return {
    signIn: createSignIn({ ...options, accounts }),
    user: (id) => store.get('user', id),
    async account(id) {
      const stored = await store.get('account', id);
      return stored === undefined ? undefined : { id, ...stored.document };
    },
    ...access,
    rememberAccount: (choice) => rememberAccount(store, choice),
    createUser: users.create,
    setUserStatus: users.setStatus,
    createAccount: accounts.create,
    closeAccount: accounts.close,
    addMember: members.add,
    finishOwner: (account, user) => accounts.finishOwner(account, user, []),
    removeMember: members.remove,
    setRoles: members.setRoles,
    unlinkIdentity: (user, issuer, subject) => unlinkIdentity(options, user, { issuer, subject }),
    ...createRevocations({ store, clock }),
    handlers: [sagaHandler(users, accounts, members)],
  };
}

function sagaHandler(users: Users, accounts: Accounts, members: Members): Handler {
  async function handle(event: PendingEvent): Promise<void> {
    if (isEvent(event, 'user.registered')) {
      const { user, account } = event.data;
      if (account !== undefined) await accounts.finishRegistration(user, account);
    } else if (isEvent(event, 'account.created')) {
      await accounts.finishOwner(event.data.account, event.data.owner, []);
    } else if (isEvent(event, 'member.added')) {
      await accounts.finishOwner(event.data.account, event.data.user, event.data.roles);
    } else if (isEvent(event, 'owner.removed')) {
      await members.finishRemoval(event.data.account, event.data.user);
    } else if (isEvent(event, 'user.deleted')) {
      await users.finishDeletion(event.data.user);
    }
  }
  return {
    name: 'directory',
    types: ['user.registered', 'account.created', 'member.added', 'owner.removed', 'user.deleted'],
    handle,
  };
}
