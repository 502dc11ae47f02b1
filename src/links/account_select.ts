/**
 * `/account/select`: goes on for another of the person's accounts, without a new sign-in. It is `/signin` for who is
 * there already: a new Grant, so tokens that are out keep the account that they were made for. Without an account it is
 * the chooser.
 */

import type { ParameterizedContext } from 'koa';
import { singleQuery } from '../web/form.ts';
import { sendPage } from '../web/page.ts';
import { closedPage } from '../../views/billing.ts';
import { findActing } from './acting.ts';
import type { ActingDirectory } from './acting.ts';
import { requireNavigation, textOf } from './link_query.ts';
import { chooseAccount, goToSignin, readRequest } from './signin.ts';
import type { SigninDependencies } from './signin.ts';

/**
 * `GET /account/select`
 * @throws {Problem} `account_foreign` (403), where somebody is there whose account it is not
 */
export async function selectAccount(
  ctx: ParameterizedContext,
  dependencies: SigninDependencies & { directory: ActingDirectory },
): Promise<void> {
  const { config } = dependencies;
  requireNavigation(ctx);
  const query = singleQuery(ctx);
  const request = readRequest(query, config);
  const account = textOf(query, 'account');
  if (account !== undefined && account !== chooseAccount) {
    const found = await findActing(ctx, dependencies, account);
    if (found.is === 'closed') {
      const page = closedPage(
        { account: found.account.name, back: request.returnTo },
        config.brand,
      );
      return sendPage(ctx, page, 403);
    }
  }
  goToSignin(ctx, dependencies, { ...request, account: account ?? chooseAccount });
}
