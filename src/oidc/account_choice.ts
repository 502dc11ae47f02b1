/** For which account somebody signs in to a client: chosen, asked for, the last one, or the only one. */

import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Directory } from '../directory/directory.ts';
import type { UnitOfWork } from '../storage/work.ts';
import type { Clients } from './clients.ts';

export interface AccountChoice {
  /** Whether this client's tokens name an account. Those of a client that wants only userinfo do not. */
  namesAccount(client: string): boolean;
  /** @returns an account that the user may act for now; undefined when they are to be asked */
  of(ctx: KoaContextWithOIDC, user: string, client: string): Promise<string | undefined>;
}

export function createAccountChoice(deps: {
  directory: Pick<Directory, 'membership' | 'usableAccounts'>;
  clients: Clients;
  work: UnitOfWork;
}): AccountChoice {
  const { directory, clients, work } = deps;

  async function usable(user: string, account: unknown): Promise<string | undefined> {
    if (typeof account !== 'string' || account === '') return undefined;
    return (await directory.membership(user, account)) === undefined ? undefined : account;
  }

  /** What the client's last Grant in this session was for. */
  async function remembered(
    ctx: KoaContextWithOIDC,
    user: string,
    client: string,
  ): Promise<string | undefined> {
    const last = ctx.oidc.session?.grantIdFor(client);
    const grant = last === undefined ? undefined : await work.current().read('grant', last);
    return grant?.user === user ? usable(user, grant.account) : undefined;
  }

  return {
    namesAccount: (client) => clients.productsOf(client).length > 0,
    async of(ctx, user, client) {
      const { result, params } = ctx.oidc;
      const chosen = result?.select_account as { account?: string } | undefined;
      if (chosen?.account !== undefined) return usable(user, chosen.account);
      // An account that was asked for is that one or the chooser, never another in silence.
      if (params?.account !== undefined) return usable(user, params.account);
      const last = await remembered(ctx, user, client);
      if (last !== undefined) return last;
      const accounts = await directory.usableAccounts(user);
      return accounts.length === 1 ? accounts[0]?.id : undefined;
    },
  };
}
