/** For which account somebody signs up: one of theirs, or a new one. */

import { Problem } from '../base/errors.ts';
import type { Config } from '../config.ts';
import { accountUnknown } from '../directory/accounts.ts';
import { requireStaying } from '../directory/closing.ts';
import type { Directory } from '../directory/directory.ts';
import { ownerRole } from '../directory/roles.ts';
import type { AccountDocument } from '../storage/documents.ts';
import type { Beneficiary } from './signup_document.ts';
import { isDead } from './subscription_state.ts';
import type { SignupStep, SignupWish, Sync } from './types.ts';

export interface BeneficiaryOptions {
  config: () => Config;
  directory: Pick<Directory, 'user' | 'usableAccounts' | 'membership'>;
  sync: Sync;
}

/** As `account` it asks for a new one. */
export const newAccount = 'new';

/** @returns what the person has to choose, or has already, where there is nothing to sign up for */
export async function beneficiaryOf(
  options: BeneficiaryOptions,
  wish: SignupWish,
): Promise<Beneficiary | SignupStep> {
  const { directory } = options;
  const { user, product } = wish;
  const person = (await directory.user(user))?.document;
  if (person?.status !== 'active') throw userDisabled();
  // Another account is no new trial.
  const mayTry = person.tried?.includes(product) !== true;
  if (wish.account === newAccount) return { user, mayTry };
  if (wish.account !== undefined) {
    await requireMayPay(options, user, wish.account);
    return withAccount(options, wish, { account: wish.account, mayTry });
  }
  const accounts = await directory.usableAccounts(user);
  const owned = accounts.filter(({ roles }) => roles.includes(ownerRole));
  const [only, ...others] = owned;
  if (only === undefined) return { user, mayTry };
  if (others.length === 0) return withAccount(options, wish, { account: only.id, mayTry });
  const without = owned.filter(({ document }) => !hasLive(document, product));
  return { at: 'choose_account', accounts: without.map(({ id, name }) => ({ id, name })) };
}

/** @throws {Problem} `account_unknown` (404), `not_owner` (403) */
async function requireMayPay(
  { directory, config }: Pick<BeneficiaryOptions, 'directory' | 'config'>,
  user: string,
  account: string,
): Promise<void> {
  const membership = await directory.membership(user, account);
  // To somebody else it is not even known that there is such an account.
  if (membership === undefined) throw accountUnknown();
  const paying = [ownerRole, ...(config().stripe?.billingRoles ?? [])];
  if (membership.roles.some((role) => paying.includes(role))) return;
  throw new Problem('not_owner', 403, 'Only an owner of the account can do this.');
}

/** By the projection, which is read afresh before anybody is sent to pay. */
async function withAccount(
  { directory, sync }: BeneficiaryOptions,
  { user, product, returnTo }: SignupWish,
  { account, mayTry }: { account: string; mayTry: boolean },
): Promise<Beneficiary | SignupStep> {
  let document = (await directory.membership(user, account))?.account;
  if (document?.customer !== undefined) {
    try {
      await sync.customer(document.customer);
      document = (await directory.membership(user, account))?.account;
    } catch (error) {
      // What we know is enough to refuse a second subscription, and not to sell one.
      if (document === undefined || !hasLive(document, product)) throw error;
    }
  }
  if (document === undefined) throw accountUnknown();
  if (hasLive(document, product)) {
    return { at: 'subscribed', account, product, ...(returnTo !== undefined && { returnTo }) };
  }
  requireStaying(document);
  return { user, account, mayTry: mayTry && document.subscriptions?.[product] === undefined };
}

/** One that was never paid for (`incomplete`) is in nobody's way. */
function hasLive({ subscriptions }: AccountDocument, product: string): boolean {
  const subscription = subscriptions?.[product];
  if (subscription === undefined || subscription.status === 'incomplete') return false;
  return !isDead(subscription);
}

function userDisabled(): Problem {
  return new Problem('user_disabled', 403, 'This user may not sign in any more.');
}
