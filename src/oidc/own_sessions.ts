/**
 * What somebody is signed in to: the browsers with a session here, and the apps that got something. For the person
 * themselves (`/account`) and for operators' commands. Whatever is named is looked for among what is theirs, so that
 * nobody ends anything of somebody else (T74).
 */

import type { Clock } from '../base/clock.ts';
import type { SessionEndReason, GrantEndReason } from '../events/types.ts';
import type { ConsentDocument, GrantDocument, SessionDocument } from '../storage/documents.ts';
import { eachFound } from '../storage/each.ts';
import type { Store, Stored } from '../storage/store.ts';
import { grantBegunAt, isRefused, sessionBegunAt } from './begun.ts';
import { linkClientId, signupClientId } from './clients.ts';
import { withdrawConsent } from './consents.ts';
import type { Cutoffs } from './cutoffs.ts';
import { sidOf } from './grant_end.ts';
import type { Endings } from './endings.ts';

export interface UserSession {
  id: string;
  /** Of our own lists of words: never what the browser said. */
  device?: string;
  network?: string;
  /** The id of the upstream provider. */
  provider?: string;
  /** In milliseconds. */
  signedInAt: number;
  expiresAt: number;
  /** Ids of the apps that have something from it. */
  clients: string[];
}

export interface AppAccess {
  client: string;
  /** What they allowed, and for which account, where the app had to ask. */
  consents: { account?: string; scopes: string[]; at: number }[];
  /** For which accounts it has something now; undefined: for none in particular. */
  accounts: (string | undefined)[];
  /** When the first of that began, in milliseconds. */
  since: number;
}

export interface SessionPage {
  sessions: UserSession[];
  /** The last one that was looked at: go on behind it. Absent: there are no more. */
  next?: string;
}

type Reason = SessionEndReason & GrantEndReason;

export interface OwnSessions {
  /** Those that live, in the order of their ids. */
  list(user: string, options?: { after?: string; limit?: number }): Promise<SessionPage>;
  /** @returns whether it is theirs, and lived */
  end(user: string, session: string, reason: Reason): Promise<boolean>;
  /** Every other session, and all that apps have from elsewhere. @returns how many sessions went */
  endOthers(user: string, keep: string, reason: Reason): Promise<number>;
  /** Every one, and all that apps have: what was begun before this moment (`Directory.revokeUser`). */
  endAll(user: string, reason: Reason, before: number): Promise<void>;
  /** Sorted by client id; the apps of Tollgate itself are no apps. */
  apps(user: string): Promise<AppAccess[]>;
  /**
   * The app has nothing of this person any more, and would have to ask again where it had to ask before.
   * @param account for this account alone
   * @returns whether it had something
   */
  endApp(user: string, client: string, account?: string): Promise<boolean>;
}

export interface OwnSessionsDependencies {
  store: Store;
  clock: Clock;
  endings: Pick<Endings, 'session' | 'grant' | 'user'>;
  /** What is refused already, though it has not ended yet. */
  cutoffs?: Pick<Cutoffs, 'refusesGrant' | 'refusesSession'>;
}

const pageSize = 100;
/** Tombstones lie between them. Whoever has more than this finds the rest on the next page. */
const mostLookedAt = 1000;
/** Sessions of two weeks, times apps, times accounts: beyond it is nobody's everyday. */
const mostGrants = 5000;
const defaultLimit = 20;

const ownClients: ReadonlySet<string> = new Set([linkClientId, signupClientId]);

export function createOwnSessions(deps: OwnSessionsDependencies): OwnSessions {
  const { store, clock, endings } = deps;

  async function end(user: string, session: string, reason: Reason): Promise<boolean> {
    const stored = await store.get('session', session);
    if (stored?.document.user !== user || stored.document.ended !== undefined) return false;
    await endings.session(session, reason);
    return true;
  }

  return {
    list: (user, options) => list(deps, user, options),
    end,

    async endOthers(user, keep, reason) {
      let ended = 0;
      for await (const { id } of each(store, 'session', user)) {
        if (id !== keep && (await end(user, id, reason))) ended += 1;
      }
      // Of sessions that ran out: what apps have lives on.
      for await (const { id, document } of each(store, 'grant', user)) {
        if (document.session === keep || document.ended !== undefined) continue;
        await endings.grant(id, reason);
      }
      return ended;
    },

    endAll: (user, reason, before) => endings.user(user, reason, { before }),
    apps: (user) => apps(deps, user),

    async endApp(user, client, account) {
      const had = (await apps(deps, user)).some(
        (app) =>
          app.client === client &&
          (account === undefined ||
            app.accounts.includes(account) ||
            app.consents.some((consent) => consent.account === account)),
      );
      // Each is written down before what follows from it, so that the rest is done should this end here.
      for await (const { document } of each(store, 'consent', user)) {
        if (document.client !== client) continue;
        if (account !== undefined && document.account !== account) continue;
        await withdrawConsent({ store, clock }, { user, client, account: document.account });
      }
      await endings.user(user, 'signed_out', { client, account });
      return had;
    },
  };
}

async function list(
  deps: OwnSessionsDependencies,
  user: string,
  { after, limit = defaultLimit }: { after?: string; limit?: number } = {},
): Promise<SessionPage> {
  const revokedBefore = (await deps.store.get('user', user))?.document.revokedBefore;
  const sessions: UserSession[] = [];
  let looked = 0;
  let last = after;
  for await (const stored of each(deps.store, 'session', user, after)) {
    if (sessions.length >= limit || looked >= mostLookedAt) {
      return { sessions, ...(last === undefined ? {} : { next: last }) };
    }
    looked += 1;
    last = stored.id;
    if (!lives(deps, stored.document, revokedBefore)) continue;
    sessions.push(await described(deps, stored));
  }
  return { sessions };
}

function lives(
  { clock, cutoffs }: OwnSessionsDependencies,
  session: SessionDocument,
  revokedBefore: number | undefined,
): boolean {
  if (session.ended !== undefined || session.expiresAt <= clock()) return false;
  if (isRefused(sessionBegunAt(session), revokedBefore)) return false;
  return cutoffs?.refusesSession(session) !== true;
}

async function described(
  deps: OwnSessionsDependencies,
  { id, document }: Stored<SessionDocument>,
): Promise<UserSession> {
  const { device, expiresAt } = document;
  const grants = await deps.store.find('grant', 'session', id, { limit: pageSize });
  const clients = grants
    .filter((grant) => document.user === grant.document.user && has(deps, grant.document))
    .map((grant) => grant.document.client)
    .filter((client) => !ownClients.has(client));
  return {
    id,
    ...(device?.name === undefined ? {} : { device: device.name }),
    ...(device?.network === undefined ? {} : { network: device.network }),
    ...(device?.provider === undefined ? {} : { provider: device.provider }),
    signedInAt: sessionBegunAt(document) * 1000,
    expiresAt,
    clients: [...new Set(clients)].toSorted(),
  };
}

/** A grant that lives, and that its client got something of: not each answer is a code. */
function has({ clock, cutoffs }: OwnSessionsDependencies, grant: GrantDocument): boolean {
  if (grant.ended !== undefined || grant.expiresAt <= clock()) return false;
  if (sidOf(grant) === undefined) return false;
  return cutoffs?.refusesGrant(grant) !== true;
}

async function apps(deps: OwnSessionsDependencies, user: string): Promise<AppAccess[]> {
  const { store } = deps;
  const found = new Map<string, AppAccess>();
  const of = (client: string, since: number): AppAccess => {
    const known = found.get(client) ?? { client, consents: [], accounts: [], since };
    known.since = Math.min(known.since, since);
    found.set(client, known);
    return known;
  };
  const revokedBefore = (await store.get('user', user))?.document.revokedBefore;
  let looked = 0;
  for await (const { document } of each(store, 'grant', user)) {
    looked += 1;
    if (looked > mostGrants) break;
    if (ownClients.has(document.client) || !has(deps, document)) continue;
    if (isRefused(grantBegunAt(document), revokedBefore)) continue;
    const app = of(document.client, grantBegunAt(document) * 1000);
    if (!app.accounts.includes(document.account)) app.accounts.push(document.account);
  }
  for await (const { document } of each(store, 'consent', user)) {
    of(document.client, document.at).consents.push(consentOf(document));
  }
  return [...found.values()].toSorted((a, b) => (a.client < b.client ? -1 : 1));
}

function consentOf({ account, scopes, at }: ConsentDocument): AppAccess['consents'][number] {
  return { ...(account === undefined ? {} : { account }), scopes, at };
}

/** All that a user has of a kind. */
const each = <K extends 'session' | 'grant' | 'consent'>(
  store: Store,
  kind: K,
  user: string,
  after?: string,
) => eachFound(store, kind, { index: 'user', value: user }, { after });
