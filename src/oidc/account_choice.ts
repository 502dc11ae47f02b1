/**
 * For which account somebody signs in to a client: chosen, asked for, the last one in this browser, the one that they
 * want remembered, or the only one.
 */

import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Log } from '../base/log.ts';
import { rememberedAccount, type RememberedChoice } from '../directory/chosen.ts';
import type { Directory } from '../directory/directory.ts';
import type { UserDocument } from '../storage/documents.ts';
import type { Clients } from './clients.ts';

export interface AccountChoice {
  /** Whether this client's tokens name an account. Those of a client that wants only userinfo do not. */
  namesAccount(client: string): boolean;
  /** @returns an account that the user may act for now; undefined when they are to be asked */
  of(ctx: KoaContextWithOIDC, who: Chooser, client: string): Promise<string | undefined>;
}

/** Who signs in, as their document was read in this request. */
export interface Chooser {
  user: string;
  person: UserDocument;
}

/** As the prompt left it. */
interface Chosen {
  account?: string;
  remember?: boolean;
}

export function createAccountChoice(deps: {
  directory: Pick<Directory, 'membership' | 'onlyAccount' | 'rememberAccount'>;
  clients: Clients;
  log: Log;
}): AccountChoice {
  const { directory, clients, log } = deps;

  async function usable(user: string, account: unknown): Promise<string | undefined> {
    if (typeof account !== 'string' || account === '') return undefined;
    return (await directory.membership(user, account)) === undefined ? undefined : account;
  }

  /** Of no use to this sign-in, which must not fail of it. */
  async function remember(choice: RememberedChoice) {
    try {
      await directory.rememberAccount(choice);
    } catch (error) {
      log.warn('the account that was chosen is not remembered', { error, client: choice.client });
    }
  }

  return {
    namesAccount: (client) => clients.productsOf(client).length > 0,
    async of(ctx, { user, person }, client) {
      const { result, params } = ctx.oidc;
      const chosen = result?.select_account as Chosen | undefined;
      // The library hands out a container that it forgets, unless there is one.
      ctx.oidc.session?.ensureClientContainer(client);
      const container = ctx.oidc.session?.authorizationFor(client);
      if (chosen?.account !== undefined) {
        const account = await usable(user, chosen.account);
        // Only what the person chose is remembered: any page can ask for an account by a link (T56).
        if (container === undefined || account === undefined) return account;
        container.chosen = account;
        await remember({ user, client, account: chosen.remember === true ? account : undefined });
        return account;
      }
      // An account that was asked for is that one or the chooser, never another in silence.
      if (params?.account !== undefined) return usable(user, params.account);
      const last = await usable(user, container?.chosen);
      if (last !== undefined) return last;
      const before = await usable(user, rememberedAccount(person, client));
      return before ?? directory.onlyAccount(user);
    },
  };
}
