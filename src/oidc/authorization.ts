/**
 * Who is signed in, for which account, with which Grant: the questions that the library asks of us in
 * each authorization request (`findAccount`, `loadExistingGrant`) and at the token endpoint.
 */

import type { Account, Grant, KoaContextWithOIDC, Session } from 'oidc-provider';
import { sha256 } from '../base/secrets.ts';
import type { Directory } from '../directory/directory.ts';
import type { UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import type { UnitOfWork } from '../storage/work.ts';
import type { AccountChoice } from './account_choice.ts';
import { grantBegunAt, isRefused } from './begun.ts';
import { claimsOfScopes, userClaims } from './claims.ts';
import type { Acting } from './claims.ts';
import type { Clients } from './clients.ts';
import { consentId } from './consents.ts';
import type { Cutoffs } from './cutoffs.ts';
import type { Locks } from './locks.ts';

/** What `findAccount` answers: the library's Account, with what we know of it. */
export interface ActingAccount extends Account {
  person: UserDocument;
  acting?: Acting;
}

/** Why a token was refused though its bearer is known, for the links. */
export const lockedKey = 'accountLocked';

export interface AuthorizationDependencies {
  directory: Pick<Directory, 'membership' | 'user'>;
  choice: AccountChoice;
  locks: Locks;
  clients: Clients;
  store: Store;
  work: UnitOfWork;
  cutoffs: Pick<Cutoffs, 'refusesGrant'>;
}

export interface Authorization {
  findAccount(
    ctx: KoaContextWithOIDC,
    sub: string,
    token?: { grantId?: string; resource?: unknown },
  ): Promise<ActingAccount | undefined>;
  loadExistingGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined>;
  /** For the policy: the product that the chosen account is locked out of, and has to be paid for. */
  lockedOut(ctx: KoaContextWithOIDC): Promise<string | undefined>;
  /** For the policy: whether this client's tokens name an account, and none is chosen yet. */
  accountMissing(ctx: KoaContextWithOIDC): boolean;
}

export function createAuthorization(deps: AuthorizationDependencies): Authorization {
  return {
    findAccount: (ctx, sub, token) => findAccount(deps, ctx, sub, token),
    loadExistingGrant: (ctx) => loadExistingGrant(deps, ctx),
    lockedOut: (ctx) => lockedOut(deps, ctx),
    accountMissing({ oidc: { client, grant } }) {
      if (client === undefined || !deps.choice.namesAccount(client.clientId)) return false;
      return grant?.account === undefined;
    },
  };
}

async function findAccount(
  { directory, work, locks }: AuthorizationDependencies,
  ctx: KoaContextWithOIDC,
  sub: string,
  token: { grantId?: string; resource?: unknown } = {},
): Promise<ActingAccount | undefined> {
  const { grantId } = token;
  const grant = grantId === undefined ? undefined : await work.current().read('grant', grantId);
  const acting =
    grant?.account === undefined ? undefined : await directory.membership(sub, grant.account);
  const user = acting?.user ?? (await directory.user(sub))?.document;
  if (user === undefined || user.status !== 'active') return undefined;
  // What is from before is being ended (`tollgate revoke`), and is refused until that is done.
  const begunAt = grant === undefined ? ctx.oidc.session?.loginTs : grantBegunAt(grant);
  if (begunAt !== undefined && isRefused(begunAt, user.revokedBefore)) return undefined;
  if (grant !== undefined && isRefused(grantBegunAt(grant), acting?.account.revokedBefore)) {
    return undefined;
  }
  // A removed member or a closed account: refused before anything is rotated, so nothing is burned.
  if (grant?.account !== undefined && acting === undefined) {
    ctx.state[lockedKey] = true;
    return undefined;
  }
  // Nobody pays: so long no tokens, and nothing is rotated or ended.
  if (acting !== undefined && locks.refusesToken(ctx, acting.account, token)) {
    ctx.state[lockedKey] = true;
    return undefined;
  }
  return {
    accountId: sub,
    person: user,
    claims: () => Promise.resolve(userClaims(sub, user, acting)),
    ...(acting === undefined ? {} : { acting }),
  };
}

async function lockedOut(
  { directory, locks }: AuthorizationDependencies,
  { oidc }: KoaContextWithOIDC,
): Promise<string | undefined> {
  const { client, grant, params, session } = oidc;
  if (client === undefined || grant?.account === undefined) return undefined;
  if (session?.accountId === undefined) return undefined;
  const products = locks.asked(client.clientId, params ?? {});
  // Most lock nobody out: then each authorization request is spared the reading.
  if (!products.every(({ access }) => access.lockOut)) return undefined;
  const acting = await directory.membership(session.accountId, grant.account);
  return acting === undefined ? undefined : locks.lockedOut(acting.account, products);
}

/** Of whom, to whom, and for which account a Grant is. */
interface Parties {
  session: Session;
  user: string;
  client: string;
  account: string | undefined;
}

async function loadExistingGrant(
  deps: AuthorizationDependencies,
  ctx: KoaContextWithOIDC,
): Promise<Grant | undefined> {
  const { session, provider } = ctx.oidc;
  const client = ctx.oidc.client?.clientId;
  const found = ctx.oidc.account as ActingAccount | undefined;
  if (client === undefined || session === undefined || found === undefined) return undefined;
  const { accountId: user, person } = found;
  const account = deps.choice.namesAccount(client)
    ? await deps.choice.of(ctx, { user, person }, client)
    : undefined;
  if (account === undefined && deps.choice.namesAccount(client)) return undefined;

  const parties = { session, user, client, account };
  const id = await grantIdOf(deps, parties);
  const known = await provider.Grant.find(id);
  const grant = known ?? newGrant(ctx, id, parties);
  // A session that changed hands keeps no Grant of the person before.
  if (grant.accountId !== user) return undefined;
  const before = JSON.stringify([grant.openid, grant.resources]);
  await allow(deps, ctx, grant, parties);
  if (known === undefined || JSON.stringify([grant.openid, grant.resources]) !== before) {
    await grant.save();
  }
  return grant;
}

function newGrant({ oidc }: KoaContextWithOIDC, id: string, parties: Parties): Grant {
  const { session, user, client, account } = parties;
  const fields = {
    jti: id,
    accountId: user,
    clientId: client,
    ...(account === undefined ? {} : { account }),
    sessionUid: session.uid,
  };
  return new oidc.provider.Grant(fields);
}

/** More revocations in one session than anybody lives to see. */
const longestLine = 1000;

/**
 * The Grant of (session, client, account): its id is derived, so that parallel requests come to one. Where
 * that one is dead (revoked, while the session lives) the next in line is derived from it.
 */
async function grantIdOf(
  { work, cutoffs }: AuthorizationDependencies,
  parties: Parties,
): Promise<string> {
  const { session, user, client, account } = parties;
  session.ensureClientContainer(client);
  const container = session.authorizationFor(client);
  const key = account ?? '';
  let id =
    container.accounts?.[key] ?? sha256(JSON.stringify([session.uid, user, client, account]));
  for (let step = 0; step < longestLine; step += 1) {
    const grant = await work.current().read('grant', id);
    if (grant === undefined) break;
    if (grant.ended === undefined && !cutoffs.refusesGrant(grant)) break;
    id = sha256(id);
  }
  container.accounts = { ...container.accounts, [key]: id };
  container.last = id;
  return id;
}

/** What may be granted without asking: all to our own clients, what was allowed to a third party's. */
async function allow(
  { clients, store }: AuthorizationDependencies,
  { oidc }: KoaContextWithOIDC,
  grant: Grant,
  { user, client, account }: Parties,
): Promise<void> {
  let allowed: (scope: string) => boolean = () => true;
  let allowedClaim = allowed;
  if (clients.get(client)?.firstParty !== true) {
    const consent = (await store.get('consent', consentId(user, client, account)))?.document;
    const scopes = new Set(consent?.scopes);
    const claims = new Set([...(consent?.claims ?? []), ...claimsOfScopes(scopes)]);
    allowed = (scope) => scopes.has(scope);
    allowedClaim = (claim) => claims.has(claim);
  }
  const granted = [...oidc.requestParamOIDCScopes].filter(allowed);
  if (granted.length > 0) grant.addOIDCScope(granted.join(' '));
  if (granted.includes('openid')) {
    grant.addOIDCClaims([...oidc.requestParamClaims].filter(allowedClaim));
  }
  for (const [indicator, server] of Object.entries(oidc.resourceServers ?? {})) {
    const scopes = [...oidc.requestParamScopes].filter(
      (scope) => server.scopes.has(scope) && allowed(scope),
    );
    if (scopes.length > 0) grant.addResourceScope(indicator, scopes.join(' '));
  }
}
