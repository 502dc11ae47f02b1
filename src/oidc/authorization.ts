/**
 * Who is signed in, for which account, with which Grant: the three questions that the library asks of us
 * in each authorization request (`findAccount`, `loadExistingGrant`) and at the token endpoint.
 */

import type { Account, Grant, KoaContextWithOIDC } from 'oidc-provider';
import { sha256 } from '../base/secrets.ts';
import type { Directory } from '../directory/directory.ts';
import type { Store } from '../storage/store.ts';
import type { UnitOfWork } from '../storage/work.ts';
import { userClaims } from './claims.ts';
import type { Acting } from './claims.ts';
import type { Clients } from './clients.ts';
import { consentId } from './consents.ts';

/** What `findAccount` answers: the library's Account, with what we know of it. */
export interface ActingAccount extends Account {
  acting?: Acting;
}

/** The library's Grant with the fields that `models.ts` adds. */
export type BoundGrant = Grant & { account?: string; sessionUid?: string };

/** Why a token was refused though its bearer is known, for the links. */
export const lockedKey = 'accountLocked';

export interface AuthorizationDependencies {
  directory: Directory;
  clients: Clients;
  store: Store;
  work: UnitOfWork;
}

export interface Authorization {
  findAccount(
    ctx: KoaContextWithOIDC,
    sub: string,
    token?: { grantId?: string },
  ): Promise<ActingAccount | undefined>;
  loadExistingGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined>;
  /** For the policy: whether this client's tokens name an account, and none is chosen yet. */
  accountMissing(ctx: KoaContextWithOIDC): boolean;
}

export function createAuthorization(dependencies: AuthorizationDependencies): Authorization {
  const { directory, clients, work } = dependencies;

  const namesAccount = (client: string) => clients.productsOf(client).length > 0;

  async function findAccount(
    ctx: KoaContextWithOIDC,
    sub: string,
    token?: { grantId?: string },
  ): Promise<ActingAccount | undefined> {
    const grantId = token?.grantId;
    const grant = grantId === undefined ? undefined : await work.current().read('grant', grantId);
    const acting =
      grant?.account === undefined ? undefined : await directory.membership(sub, grant.account);
    const user = acting?.user ?? (await directory.user(sub))?.document;
    if (user === undefined || user.status !== 'active') return undefined;
    // A removed member or a closed account: refused before anything is rotated, so nothing is burned.
    if (grant?.account !== undefined && acting === undefined) {
      ctx.state[lockedKey] = true;
      return undefined;
    }
    return {
      accountId: sub,
      claims: () => Promise.resolve(userClaims(sub, user, acting)),
      ...(acting === undefined ? {} : { acting }),
    };
  }

  async function usable(user: string, account: unknown): Promise<string | undefined> {
    if (typeof account !== 'string' || account === '') return undefined;
    return (await directory.membership(user, account)) === undefined ? undefined : account;
  }

  /** The account of this request: chosen, asked for, the client's last one, or the only one. */
  async function accountOf(ctx: KoaContextWithOIDC, user: string): Promise<string | undefined> {
    const { result, params, session, client } = ctx.oidc;
    const chosen = (result?.select_account as { account?: string } | undefined)?.account;
    if (chosen !== undefined) return usable(user, chosen);
    // An account that was asked for is that one or the chooser, never another in silence.
    if (params?.account !== undefined) return usable(user, params.account);
    const last = session?.grantIdFor(client!.clientId);
    const grant = last === undefined ? undefined : await work.current().read('grant', last);
    const remembered = grant?.user === user ? await usable(user, grant.account) : undefined;
    if (remembered !== undefined) return remembered;
    const accounts = await directory.usableAccounts(user);
    return accounts.length === 1 ? accounts[0]?.id : undefined;
  }

  /**
   * The Grant of (session, client, account): its id is derived, so that parallel requests come to one. Where
   * that one is dead (revoked, while the session lives) the next in line is derived from it.
   */
  async function grantId(
    ctx: KoaContextWithOIDC,
    user: string,
    client: string,
    account: string | undefined,
  ): Promise<string> {
    const session = ctx.oidc.session!;
    const container = session.authorizationFor(client) as { accounts?: Record<string, string> };
    const key = account ?? '';
    let id =
      container.accounts?.[key] ?? sha256(JSON.stringify([session.uid, user, client, account]));
    for (let step = 0; step < 1000; step += 1) {
      const grant = await work.current().read('grant', id);
      if (grant === undefined || grant.ended === undefined) break;
      id = sha256(id);
    }
    container.accounts = { ...container.accounts, [key]: id };
    return id;
  }

  /** What may be granted without asking: all to our own clients, what was allowed to a third party's. */
  async function allow(
    ctx: KoaContextWithOIDC,
    grant: BoundGrant,
    firstParty: boolean,
  ): Promise<void> {
    const { requestParamOIDCScopes, requestParamScopes, requestParamClaims, resourceServers } =
      ctx.oidc;
    let allowed: (scope: string) => boolean = () => true;
    if (!firstParty) {
      const id = consentId(grant.accountId!, grant.clientId!, grant.account);
      const consent = await dependencies.store.get('consent', id);
      const scopes = new Set(consent?.document.scopes);
      allowed = (scope) => scopes.has(scope);
    }
    const granted = [...requestParamOIDCScopes].filter(allowed);
    if (granted.length > 0) grant.addOIDCScope(granted.join(' '));
    if (granted.includes('openid')) grant.addOIDCClaims([...requestParamClaims]);
    for (const [indicator, server] of Object.entries(resourceServers ?? {})) {
      const scopes = [...requestParamScopes].filter(
        (scope) => server.scopes.has(scope) && allowed(scope),
      );
      if (scopes.length > 0) grant.addResourceScope(indicator, scopes.join(' '));
    }
  }

  async function loadExistingGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
    const { client, session, provider } = ctx.oidc;
    const user = ctx.oidc.account?.accountId;
    if (client === undefined || session === undefined || user === undefined) return undefined;
    const account = namesAccount(client.clientId) ? await accountOf(ctx, user) : undefined;
    if (account === undefined && namesAccount(client.clientId)) return undefined;

    const id = await grantId(ctx, user, client.clientId, account);
    const known = (await provider.Grant.find(id)) as BoundGrant | undefined;
    const grant =
      known ??
      (new provider.Grant({
        jti: id,
        accountId: user,
        clientId: client.clientId,
        ...(account === undefined ? {} : { account }),
        sessionUid: session.uid,
      } as object) as BoundGrant);
    // A session that changed hands keeps no Grant of the person before.
    if (grant.accountId !== user) return undefined;
    const before = JSON.stringify([grant.openid, grant.resources]);
    await allow(ctx, grant, clients.get(client.clientId)?.firstParty === true);
    if (known === undefined || JSON.stringify([grant.openid, grant.resources]) !== before) {
      await grant.save();
    }
    return grant;
  }

  return {
    findAccount,
    loadExistingGrant,
    accountMissing(ctx) {
      const { client, grant } = ctx.oidc;
      if (client === undefined || !namesAccount(client.clientId)) return false;
      return (grant as BoundGrant | undefined)?.account === undefined;
    },
  };
}
