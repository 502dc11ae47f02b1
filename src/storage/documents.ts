/**
 * The types of all documents. Times are milliseconds since the epoch unless a name says otherwise;
 * `payload` is what oidc-provider hands its adapter, as it is, in its own units (seconds).
 * Lists and maps that become empty are left out.
 */

export type LibraryPayload = Record<string, unknown>;

// --- hot: lives for a sign-in, or as long as one ---------------------------------------------

/** One for each browser (or other user agent) with a session at the issuer. Id: the session's uid. */
export interface SessionDocument {
  payload: LibraryPayload;
  /** The signed-in user, once there is one. */
  user?: string;
  /** Where they signed in, for them to recognise it: kept while the session lives, and no longer. */
  device?: SessionDevice;
  /** The cookie is a counter: the present one, and when the last few were superseded. */
  generation: number;
  superseded?: Superseded[];
  /** The tombstone: nothing revives an ended session; it stays until `expiresAt`. */
  ended?: { at: number; reason: string };
  expiresAt: number;
}

export interface SessionDevice {
  /** Such as `Firefox on Windows`; never what the browser said itself. */
  name?: string;
  /** The network of the address, not the address: `203.0.113.0/24`, `2001:db8:1::/48`. */
  network?: string;
  /** The id of the upstream provider. */
  provider?: string;
  signedInAt: number;
}

export interface Superseded {
  generation: number;
  at: number;
}

/** One for each (session, client, account): the kill switch of all tokens issued from it. */
export interface GrantDocument {
  payload: LibraryPayload;
  user: string;
  client: string;
  /** Absent for a grant without an account: a client that wants only the user's identity. */
  account?: string;
  /** The uid of the session that it came from. */
  session: string;
  /** The session at the client, as its tokens say it: a logout notice names it when they are long gone. */
  sid?: string;
  salt: string;
  /** By SHA-256 of the code. */
  codes?: Record<string, CodeEntry>;
  /** By family id. */
  families?: Record<string, FamilyEntry>;
  /** Opaque access tokens, by SHA-256 of the token. */
  tokens?: Record<string, TokenEntry>;
  ended?: { at: number; reason: string };
  expiresAt: number;
}

export interface CodeEntry {
  payload: LibraryPayload;
  expiresAt: number;
  consumedAt?: number;
}

export interface FamilyEntry {
  payload: LibraryPayload;
  generation: number;
  superseded?: Superseded[];
  expiresAt: number;
}

export interface TokenEntry {
  payload: LibraryPayload;
  expiresAt: number;
}

/** One prompt of a sign-in conversation. Id: the interaction's uid. */
export interface InteractionDocument {
  payload: LibraryPayload;
  /** SHA-256 of the cookie of the browser at which it began: it goes on there and nowhere else. */
  browser: string;
  expiresAt: number;
}

/** A pushed authorization request (RFC 9126). */
export interface ParDocument {
  payload: LibraryPayload;
  consumedAt?: number;
  expiresAt: number;
}

/** An opaque token without a grant (client credentials for userinfo-less use). Id: its SHA-256. */
export interface TokenDocument {
  payload: LibraryPayload;
  expiresAt: number;
}

/** "Seen once": client assertion and DPoP proof identifiers. */
export interface ReplayDocument {
  expiresAt: number;
}

/** A sign-in that is under way at an upstream provider. Id: SHA-256 of `state`. */
export interface TransactionDocument {
  provider: string;
  /** SHA-256 of the cookie that binds it to the browser. */
  browser: string;
  /** PKCE verifier and nonce, sealed. */
  secrets: string;
  /** The interaction that waits for it; absent where somebody who is signed in adds an identity. */
  interaction?: string;
  /** Who adds one, and at which session: it becomes theirs and nobody else's. */
  linking?: { user: string; session: string };
  startedAt: number;
  /** Set by the first callback that presents the state: the single-use gate. */
  claimedAt?: number;
  expiresAt: number;
}

/** Who does a shared job now. */
export interface LeaseDocument {
  owner: string;
  until: number;
}

// --- kept ---------------------------------------------------------------------------------------

export interface UserDocument {
  status: 'active' | 'disabled' | 'deleted';
  name?: string;
  email?: string;
  emailVerified?: boolean;
  picture?: string;
  locale?: string;
  identities: IdentityEntry[];
  memberships?: MembershipEntry[];
  /** Accounts that they were removed from by somebody else: a domain lets them ask, and no more. */
  sentAway?: string[];
  /** Products that they have subscribed to: for whichever account, they try none of these again. */
  tried?: string[];
  /** What was begun before is ended, or about to be. */
  revokedBefore?: number;
  /** What they typed themselves, by field: no upstream's word is put over it. */
  own?: ('name' | 'locale')[];
  /** What an upstream says of these: what they can go back to. */
  said?: { name?: string; locale?: string };
  /** The account that they want to use with an app from now on, by client id: at the next browser they are not asked. */
  chosen?: Record<string, string>;
  /** They asked to be deleted: it can be taken back until `dueAt`. */
  deletion?: { askedAt: number; dueAt: number };
  /** Of a deleted user: when the rest of them is purged. */
  purgeAt?: number;
  /** What the purge goes by: what stands for their id from then on, and the invitations to their address. */
  purge?: { pseudonym: string; invitations?: string[] };
  /** When they last signed in. */
  signedInAt?: number;
  createdAt: number;
}

/** An upstream provider's word for a person. `(issuer, subject)` is unique; an e-mail never is. */
export interface IdentityEntry {
  provider: string;
  issuer: string;
  subject: string;
  email?: string;
  /** The provider said so, of this very spelling. */
  emailVerified?: true;
  linkedAt: number;
  /** When they last signed in by it. */
  usedAt?: number;
}

export interface MembershipEntry {
  account: string;
  roles: string[];
  since: number;
  /** When a token for it was last issued, to the day. */
  usedAt?: number;
}

/** A company's customer: the tenant. */
export interface AccountDocument {
  name: string;
  status: 'active' | 'closed';
  /** User ids; never empty while the account is active. */
  owners: string[];
  /** Stripe customer (unique). */
  customer?: string;
  /** When a customer was first asked for: Stripe forgets an idempotency key after a day. */
  customerAskedAt?: number;
  /**
   * When the customer was found to be deleted at Stripe. It stays recorded, so that its last events find the account;
   * whoever needs one makes another, under another idempotency key, and writes it over this one.
   */
  customerGoneAt?: number;
  /** The projection of its Stripe subscriptions, by product id. */
  subscriptions?: Record<string, SubscriptionProjection>;
  entitlements?: string[];
  /** When all of the above was last found to be as Stripe has it, to the hour. */
  reconciledAt?: number;
  /** Who has a paid seat: user ids. Taken before a membership begins, given back after it ended. */
  seats?: string[];
  /** Of those, whose membership is about to begin, and since when. */
  arriving?: Record<string, number>;
  /** Decided, and can be taken back until `endsAt`. */
  closing?: AccountClosing;
  closed?: { at: number; by?: string } & ClosingReason;
  /** E-mail domains; of one that is proven, people may join or ask to. */
  domains?: AccountDomain[];
  /** When a token for it was last issued, to the day. */
  usedAt?: number;
  /** What was begun before is ended, or about to be. */
  revokedBefore?: number;
  createdAt: number;
}

/** Why an account is closed. */
export interface ClosingReason {
  /** One of Stripe's words (`cancellation_details.feedback`), such as `too_expensive`. */
  feedback?: string;
  /** In the words of whoever closed it. */
  reason?: string;
}

export interface AccountClosing extends ClosingReason {
  askedAt: number;
  /** The user who decided it; absent: an operator. */
  by?: string;
  endsAt: number;
}

export interface AccountDomain {
  /** In ASCII (`xn--…`), lower case. */
  domain: string;
  /** What the DNS record says. */
  token: string;
  /** The record was seen. One domain is proven for one account. */
  provenAt?: number;
  /** Who comes with a verified address of it. */
  mode: 'ask' | 'join';
  roles: string[];
  /** When its record was looked for last, and since when it is missing. */
  checkedAt?: number;
  missingSince?: number;
  addedAt: number;
}

/** Somebody is asked into an account, or asks to be let in. */
export interface InvitationDocument {
  account: string;
  /** By e-mail, by a link that may be handed on, or somebody asked because of their domain. */
  way: 'email' | 'link' | 'domain';
  /** As it was typed, normalised; `way` is `email`. */
  email?: string;
  roles: string[];
  /** The user who invited; absent: an operator, or nobody (`domain`). */
  by?: string;
  /**
   * `open`: waits for whom it was sent to; `waiting`: `candidate` wants in, and somebody who may has to confirm it;
   * `accepted`, `declined`, `withdrawn`: over, and kept for a while, so that the link says what happened.
   */
  state: 'open' | 'waiting' | 'accepted' | 'declined' | 'withdrawn';
  /** Who followed the link, and is to be confirmed or was let in. */
  candidate?: string;
  /**
   * Who is being let in at this moment: for a minute nobody else is. It becomes `accepted` once they are a member, and is
   * as it was where that fails. `by`: who confirmed it.
   */
  joining?: { user: string; at: number; by?: string };
  /** The language of the e-mail. */
  locale?: string;
  /** E-mails that went out for it. */
  sends?: number;
  sentAt?: number;
  createdAt: number;
  /** From then on the link is of no use. */
  expiresAt: number;
}

/** An e-mail on its way. Its text is made when it is sent, of what is true then. Id: that of the event which asked for it. */
export interface MailDocument {
  template:
    | 'invitation'
    | 'invitation_waiting'
    | 'let_in'
    | 'account_closing'
    | 'account_closed'
    | 'deletion';
  /** What it is about. */
  invitation?: string;
  account?: string;
  user?: string;
  /** Absent: found from what it is about when it is sent. */
  to?: string;
  /** `dead`: given up after many attempts. */
  state: 'waiting' | 'sent' | 'dropped' | 'dead';
  claim?: { owner: string; until: number };
  attempts: number;
  problem?: string;
  sentAt?: number;
  /** When it is tried next, or forgotten. */
  dueAt: number;
  createdAt: number;
}

export interface SubscriptionProjection {
  subscription: string;
  /** Stripe's word: `trialing`, `active`, `past_due`, `unpaid`, `canceled`, `paused`, … */
  status: string;
  /** Id of the plan in the configuration; the price's id where no plan has that price. */
  plan: string;
  period?: 'month' | 'year' | 'week' | 'day';
  quantity?: number;
  trialEnd?: number;
  periodEnd?: number;
  /**
   * While `past_due`: when the oldest open invoice of the subscription was made. Of Stripe's objects alone, so that it
   * is the same in whatever order events come. `periodEnd` says nothing of it: Stripe has moved that on by then, and
   * an invoice of a change of plan can be late in the middle of a period.
   */
  pastDueSince?: number;
  /** The scheduled end, by `cancel_at` or by `cancel_at_period_end`. */
  cancelAt?: number;
  endedAt?: number;
  /** Of the subscription, for changing it: its item and that one's price. */
  item?: string;
  price?: string;
  /** Why it ends or ended, in Stripe's words (`cancellation_details`). */
  cancellation?: { reason?: string; feedback?: string; comment?: string };
  /** The closing of its account has set its end, which is undone where that is taken back. */
  closing?: true;
}

/**
 * A sign-up: somebody who chose a plan, on the way to a paid subscription. One for each person (or account, where
 * there is one already) and product, so that two tabs are the same sign-up. Id: `<product>:new:<user>` or
 * `<product>:account:<account>`.
 */
export interface SignupDocument {
  /** Who signs up: the owner of the account to be. */
  user: string;
  /** The account that the subscription is for; its id is settled before the account exists. */
  account: string;
  /** The account is made when it is paid for. */
  isNew: boolean;
  product: string;
  plan: string;
  period?: 'month' | 'year' | 'week' | 'day';
  quantity?: number;
  promotionCode?: string;
  coupon?: string;
  trial?: boolean;
  locale?: string;
  /** Settled with the attempt, so that asking Stripe again is the same request: its price, and the days of a trial. */
  price?: string;
  trialDays?: number;
  /** This attempt goes without Checkout: a free plan, or a trial without a card. */
  direct?: true;
  /** Where the browser goes when all is done. */
  returnTo?: string;
  /**
   * `open`: nothing is asked of Stripe for this attempt yet; `paying`: a Checkout Session is open; `pending`: paid by
   * a method that takes days; `done`: account and subscription are there; `failed`: a delayed payment failed;
   * `expired`: nobody paid in time. A new attempt begins from any of them but `pending`.
   */
  state: 'open' | 'paying' | 'pending' | 'done' | 'failed' | 'expired';
  /** Stripe customer of the account to be. */
  customer?: string;
  customerAskedAt?: number;
  /** Counts Checkout Sessions: part of the idempotency key. */
  attempt: number;
  attemptAt: number;
  /** The Checkout Session of this attempt (unique). */
  session?: string;
  /** Those of earlier attempts, newest first: their returns and events still find the sign-up. */
  earlier?: string[];
  subscription?: string;
  /** When it is looked at again, or forgotten. */
  dueAt?: number;
  createdAt: number;
}

/** An event of Stripe, from its arrival until it is forgotten. Id: that of the snapshot event (`evt_…`). */
export interface InboxDocument {
  type: string;
  /** Customer that it is about, if it says so; thin events do not. */
  customer?: string;
  /** Id of the object that it is about. */
  object?: string;
  /** When Stripe says that it happened. */
  at: number;
  receivedAt: number;
  /** `dead`: given up after many attempts; reconciliation finds what it was about. */
  state: 'waiting' | 'done' | 'dead';
  attempts: number;
  /** Who works on it now, until when. */
  claim?: { owner: string; until: number };
  /** When it is tried next, or forgotten. */
  dueAt: number;
  problem?: string;
}

/** What a user allowed a third party's client. Id: `user.client.account`. */
export interface ConsentDocument {
  user: string;
  client: string;
  account?: string;
  scopes: string[];
  /** Single claims, asked for by the `claims` parameter. */
  claims?: string[];
  at: number;
}

/** A signing key. Id: its slot, such as `ES256.1`: who writes a slot first makes the key. */
export interface KeyDocument {
  /** The JWK thumbprint (RFC 7638). */
  kid: string;
  alg: 'RS256' | 'ES256';
  publicJwk: Record<string, unknown>;
  /** The private JWK, sealed with a key derived from the secret. */
  sealed: string;
  createdAt: number;
}

/** One audit record. Id: the event's. */
export interface AuditDocument {
  type: string;
  at: number;
  user?: string;
  account?: string;
  data: Record<string, unknown>;
}

/**
 * What receivers are told of one event. Id: the event's. Kept beyond its deliveries, so that a service that was
 * away can ask what it missed, and an operator can send it again.
 */
export interface NoticeDocument {
  type: string;
  at: number;
  data: Record<string, unknown>;
  /** The document that caused it, and its version: the order that is kept. */
  cause: { kind: string; id: string; version: number };
  expiresAt: number;
}

/** One notice on its way to one receiver. Ids of one lane are in the order of sending. */
export interface DeliveryDocument {
  /** Id of the notice. */
  notice: string;
  /** `client:web`, `webhook:crm` or `stream:…`. */
  receiver: string;
  /** Receiver and causing document: within it, one after the other. */
  lane: string;
  type: string;
  /** Of a logout token: whose session at the client ended. */
  logout?: { sub?: string; sid: string };
  /** Which of the security events that the notice is, where it is more than one; 0 when absent. */
  part?: number;
  /** It ends access: it overtakes what merely informs. */
  terminal?: true;
  /**
   * `waiting` for its time, for its turn or (streams that poll) for being fetched; `delivered`; `dead`: given up,
   * may be sent again by an operator; `dropped`: the receiver is gone or did not want it any more.
   */
  state: 'waiting' | 'delivered' | 'dead' | 'dropped';
  /** Who is sending it now, until when. */
  claim?: { owner: string; until: number };
  attempts: number;
  /** When it is tried next, when a claim ends, or when it is forgotten (or, while it is held, given up). */
  dueAt?: number;
  /** It may go as soon as its turn comes and its receiver takes it; `dueAt` is only a net. */
  parked?: true;
  createdAt: number;
  /** An operator had it sent again, or it was held for days and is sent since then: it is as young as this. */
  replayedAt?: number;
  last?: { at: number; status?: number; problem?: string; milliseconds?: number };
}

/** A webhook receiver that a command added, or how one of the configuration fares. Id: the receiver's. */
export interface ReceiverDocument {
  /** Absent where the configuration says it. */
  webhook?: { url: string; types?: string[]; secrets: string[] };
  /** Switched off by its answer 410, by failing for days (both while it has this `url`), or by an operator. */
  disabled?: { at: number; reason: string; url?: string };
  /** The circuit breaker: since when nothing arrives, when it is tried again, and when it last failed (to a day). */
  failing?: { since: number; count: number; openUntil?: number; problem: string; at?: number };
  /** What waits is to be gone through; who does it, until when. */
  catchUp?: { owner?: string; until: number };
  deliveredAt?: number;
  createdAt: number;
}

/** An SSF stream (OpenID Shared Signals Framework 1.0 §8.1). Id: its `stream_id`. */
export interface StreamDocument {
  /** The client that made it: nobody else sees it. */
  client: string;
  audience: string;
  method: 'push' | 'poll';
  /** Push: where to, and the `Authorization` header as it was given, sealed. */
  url?: string;
  authorization?: string;
  requested?: string[];
  description?: string;
  status: 'enabled' | 'paused' | 'disabled';
  statusReason?: string;
  /** Subjects that it does not want to hear of, by the hash of each. */
  removed?: string[];
  /** When it last asked for a verification, and when it last got one unasked. */
  verifiedAt?: number;
  heartbeatAt?: number;
  /** What was given up before this it has been told of. */
  lostAt?: number;
  createdAt: number;
}

/** Facts about the installation itself, such as the schema's version. */
export interface MetaDocument {
  value: unknown;
}
