/** The page that offers plans, to whoever followed a link that leaves the choice. */

import type { ParameterizedContext } from 'koa';
import type { Clock } from '../base/clock.ts';
import { newAccount } from '../billing/beneficiary.ts';
import { standingOf } from '../billing/policy.ts';
import type { Config } from '../config.ts';
import type { UsableAccount } from '../directory/access.ts';
import type { Directory } from '../directory/directory.ts';
import { ownerRole } from '../directory/roles.ts';
import { sendPage } from '../web/page.ts';
import { choosePlanPage } from '../../views/plans.ts';
import { addressOf, parametersOf } from './signup_request.ts';
import type { SignupLink } from './signup_request.ts';

export interface PlansDependencies {
  config: Config;
  directory: Pick<Directory, 'usableAccounts'>;
  clock: Clock;
}

interface Asked {
  link: SignupLink;
  provider: string | undefined;
  /** Absent: nobody is signed in. */
  user: string | undefined;
}

export async function offerPlans(
  ctx: ParameterizedContext,
  { config, directory, clock }: PlansDependencies,
  { link, provider, user }: Asked,
): Promise<void> {
  const { product, plan: _plan, period, ...kept } = link;
  const mine = user === undefined ? [] : await directory.usableAccounts(user);
  const account = beneficiaryOf(mine, link.account)?.document;
  // Who has the free plan already does not begin it again.
  const had = (id: string) => {
    const standing = account && standingOf(account, id, { config, now: clock() });
    return standing?.reason === 'free' ? standing.plan : undefined;
  };
  const products = config.products
    .filter(({ id }) => product === undefined || id === product)
    .map((one) => {
      const free = had(one.id);
      return { ...one, plans: one.plans.filter(({ id, offered }) => offered && id !== free) };
    })
    .filter(({ plans }) => plans.length > 0);
  const view = { action: addressOf({}, provider), fields: parametersOf(kept), products, period };
  sendPage(ctx, choosePlanPage(view, config.brand));
}

/** As far as it is known before a plan is chosen: the one of the link, or the only one that they own. */
function beneficiaryOf(
  accounts: readonly UsableAccount[],
  named: string | undefined,
): UsableAccount | undefined {
  if (named === newAccount) return undefined;
  if (named !== undefined) return accounts.find(({ id }) => id === named);
  const [only, ...others] = accounts.filter(({ roles }) => roles.includes(ownerRole));
  return others.length === 0 ? only : undefined;
}
