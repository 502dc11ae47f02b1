/**
 * The directory room: users and how they are known, accounts, and who belongs to which. It answers
 * who somebody is and for which account they may act; what an account's subscription allows is
 * billing's business, and sessions and tokens are the OpenID room's.
 *
 * What takes several documents is a saga: the first write that decides carries an event, what follows
 * is done at once and again by `handlers` until it is done.
 */

import type { Clock } from '../base/clock.ts';
import { findTxtRecords } from '../base/dns.ts';
import type { FindTexts } from '../base/dns.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Handler } from '../events/handlers.ts';
import { isEvent } from '../events/types.ts';
import type { UserDocument } from '../storage/documents.ts';
import type { PendingEvent, Store } from '../storage/store.ts';
import { createAccess } from './access.ts';
import type { Membership, UsableAccount } from './access.ts';
import { createActivity } from './activity.ts';
import type { Activity } from './activity.ts';
import { authorityOf } from './authority.ts';
import type { Authority, By } from './authority.ts';
import { createAccounts } from './accounts.ts';
import type { Account, Accounts, NewAccount } from './accounts.ts';
import { createClosing } from './closing.ts';
import type { Closing } from './closing.ts';
import { createDeletions } from './deletion.ts';
import type { DeletionPlan, Deletions } from './deletion.ts';
import { exportPerson } from './export_person.ts';
import { createDomains } from './domains.ts';
import type { Domains } from './domain_types.ts';
import { linkIdentity, unlinkIdentity } from './identities.ts';
import type { Invitations } from './invitation_types.ts';
import { createInvitations } from './invitations.ts';
import { finishInvitations } from './joining.ts';
import type { JoiningDeps } from './joining.ts';
import { createLastUse } from './last_use.ts';
import type { Used } from './last_use.ts';
import { createLeaving } from './leaving.ts';
import { rememberAccount, type RememberedChoice } from './chosen.ts';
import { createMembers } from './members.ts';
import type { HandOver, Members } from './members.ts';
import { createMemberPages } from './member_pages.ts';
import type { MemberPages } from './member_pages.ts';
import { createProfiles } from './profile.ts';
import type { Profiles } from './profile.ts';
import { createRevocations } from './revocations.ts';
import type { Revocations } from './revocations.ts';
import type { RoleTable } from './rights.ts';
import { roomForAll } from './seats.ts';
import type { Seats } from './seats.ts';
import { createSignIn } from './sign_in.ts';
import type { Registration, SignedIn, SigningIn } from './sign_in.ts';
import { createUsers } from './users.ts';
import type { Identity, NewUser, StoredUser } from './users.ts';

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
  /** As it is set now; as usual where it is not given. */
  people?: () => PeopleSettings;
  /** For the links of invitations: without them none can be made. */
  secrets?: Secrets;
  /** Where the records are looked for that prove a domain. */
  findTexts?: FindTexts;
}

/** What the configuration says about people and accounts. */
export interface PeopleSettings {
  /** The last one is that of who is invited without a word about it. */
  roles: RoleTable;
  invitationDays: number;
  /** Whether an account may prove a domain. */
  domains: boolean;
}

export interface Directory extends Revocations, MemberPages, Activity, Profiles {
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
  /** Closing an account, taking that back, and opening it again. */
  closing: Closing;
  /** At once, by an operator. @throws {Problem} `account_unknown` (404), `reason_invalid` (400) */
  closeAccount(account: string, reason?: string): Promise<Account>;
  /**
   * `by`, here and below: the user who does it, whose roles of now decide whether they may (`not_allowed`, 403), and whom the
   * event names; absent: an operator.
   * @throws {Problem} `account_unknown` (404), `name_invalid` (400), `account_closed` (409)
   */
  renameAccount(account: string, name: string, by?: By): Promise<Account>;
  /**
   * @returns whether somebody came: who is a member already keeps the roles they have
   * @throws {Problem} `account_unknown`, `user_unknown` (404), `account_closed` (409); where members are paid for also
   *   `seats_full`, `card_declined` (402), `stripe_unavailable` (503)
   */
  addMember(account: string, user: string, roles: readonly string[], by?: By): Promise<boolean>;
  /** Gives an owner whom the account names their membership. Idempotent. */
  finishOwner(account: string, user: string): Promise<void>;
  /**
   * Whoever is `by` themselves leaves, and needs no right to.
   * @returns whether somebody went
   * @throws {Problem} `account_unknown` (404), `last_owner` (409)
   */
  removeMember(account: string, user: string, by?: By): Promise<boolean>;
  /**
   * Of themselves nobody but an owner changes them.
   * @returns the roles as they are now
   * @throws {Problem} `account_unknown`, `member_unknown` (404), `last_owner`, `account_closed` (409)
   */
  setRoles(account: string, user: string, roles: readonly string[], by?: By): Promise<string[]>;
  /**
   * Hands the account over: first `to` is an owner, then `from` has these roles instead. A crash in between leaves two
   * owners, and doing it again goes on.
   * @throws {Problem} what `setRoles` throws
   */
  handOver(account: string, how: HandOver, by?: By): Promise<void>;
  /** What `by` may do in the account, now. @throws {Problem} `not_allowed` (403) */
  authority(account: string, by: By): Promise<Authority>;
  /**
   * @returns whether it is new to them
   * @throws {Problem} `user_unknown` (404), `user_disabled` (403), `identity_taken`, `too_many_identities` (409),
   *   `identity_invalid` (400)
   */
  linkIdentity(
    user: string,
    identity: Pick<Identity, 'provider' | 'issuer' | 'subject' | 'email'>,
  ): Promise<boolean>;
  /**
   * @returns whether it was theirs
   * @throws {Problem} `user_unknown` (404), `last_identity` (409)
   */
  unlinkIdentity(user: string, issuer: string, subject: string): Promise<boolean>;

  invitations: Invitations;
  domains: Domains;

  /** Which accounts would go with them, and which they have to hand over first. @throws {Problem} `user_unknown` (404) */
  deletionPlan(user: string): Promise<DeletionPlan>;
  /**
   * They are deleted in so many days, unless they take it back; with 0 at once. Asked again, the first time holds.
   * @returns when, in milliseconds. @throws {Problem} `user_unknown` (404), `last_owner` (409)
   */
  askDeletion(user: string, days: number): Promise<number>;
  /** @returns whether there was something to take back */
  withdrawDeletion(user: string): Promise<boolean>;
  /**
   * For operators: at once, with the accounts that are theirs alone; what is left is purged a day later.
   * @throws {Problem} `user_unknown` (404), `last_owner` (409)
   */
  deleteUser(user: string): Promise<StoredUser>;
  /** Deletes and purges whose time has come, at most a hundred. @param goOn asked before each */
  leave(goOn?: () => boolean): Promise<void>;
  /** All that is kept about somebody, as JSON in pieces. @throws {Problem} `user_unknown` (404) */
  exportPerson(user: string): AsyncGenerator<string>;
  /** A token was issued for them: notes the day, later and beside everything else. */
  used(user: string, as: Used): void;
  /** Ends the writing of what was noted, and notes nothing more. */
  stop(): Promise<void>;

  /** For the dispatcher: they finish what a crash left half done. */
  handlers: Handler[];
}

export function createDirectory(options: DirectoryOptions): Directory {
  const { store, clock, log, seats = roomForAll, reservedIds = new Set() } = options;
  const { people: settings = () => usualSettings, secrets, findTexts = findTxtRecords } = options;
  const roles = () => settings().roles;
  const accounts = createAccounts({ store, clock, roles });
  const closing = createClosing({ store, clock, accounts });
  const closeAccount = (account: string) => closing.ask({ account });
  const deletions = createDeletions({ store, clock, log, seats, closeAccount });
  const users = createUsers({ store, clock, deletions, reservedIds });
  const lastUse = createLastUse({ store, clock, log });
  const members = createMembers({ store, clock, roles, accounts, seats });
  const access = createAccess({ store });
  const joining = { store, clock, access, members };
  const invitations = createInvitations({ ...joining, settings, secrets });
  const domains = createDomains({ ...joining, settings, findTexts });

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
    closing,
    closeAccount: (account, reason) => closing.ask({ account, reason }),
    renameAccount: accounts.rename,
    addMember: members.add,
    finishOwner: (account, user) => accounts.finishOwner(account, user, []),
    removeMember: members.remove,
    setRoles: members.setRoles,
    handOver: members.handOver,
    authority: (account, by) => authorityOf({ store, roles }, account, by),
    ...createMemberPages({ store }),
    ...createActivity({ store }),
    linkIdentity: (user, identity) => linkIdentity(options, user, identity),
    unlinkIdentity: (user, issuer, subject) => unlinkIdentity(options, user, { issuer, subject }),
    invitations,
    domains,
    ...createRevocations({ store, clock }),
    ...createProfiles({ store, clock }),
    deletionPlan: deletions.plan,
    askDeletion: deletions.ask,
    withdrawDeletion: deletions.withdraw,
    deleteUser: deletions.now,
    leave: createLeaving({ store, clock, log, deletions }),
    exportPerson: (user) => exportPerson({ store, clock }, user),
    used: lastUse.note,
    stop: lastUse.stop,
    handlers: [sagaHandler({ deletions, accounts, members, closing }), invitationHandler(joining)],
  };
}

const usualSettings: PeopleSettings = {
  roles: [
    { id: 'admin', may: ['members', 'settings', 'activity'] },
    { id: 'member', may: [] },
  ],
  invitationDays: 7,
  domains: true,
};

/** Whoever is a member needs no invitation any more. */
function invitationHandler(joining: JoiningDeps): Handler {
  return {
    name: 'invitations',
    types: ['member.added'],
    async handle(event) {
      if (isEvent(event, 'member.added')) await finishInvitations(joining, event.data);
    },
  };
}

interface Parts {
  deletions: Pick<Deletions, 'finish'>;
  accounts: Accounts;
  members: Members;
  closing: Closing;
}

function sagaHandler({ deletions, accounts, members, closing }: Parts): Handler {
  async function handle(event: PendingEvent): Promise<void> {
    if (isEvent(event, 'user.registered')) {
      const { user, account } = event.data;
      if (account !== undefined) await accounts.finishRegistration(user, account);
    } else if (isEvent(event, 'account.created')) {
      await accounts.finishOwner(event.data.account, event.data.owner, []);
    } else if (isEvent(event, 'member.added')) {
      await accounts.finishOwner(event.data.account, event.data.user, event.data.roles);
    } else if (isEvent(event, 'owner.removed')) {
      const { account, user, actor } = event.data;
      await members.finishRemoval({ account, user, by: actor });
    } else if (isEvent(event, 'account.reopened')) {
      await closing.finishReopening(event.data.account);
    } else if (isEvent(event, 'user.deleted')) {
      await deletions.finish(event.data.user);
    }
  }
  return {
    name: 'directory',
    types: [
      'user.registered',
      'account.created',
      'account.reopened',
      'member.added',
      'owner.removed',
      'user.deleted',
    ],
    handle,
  };
}
