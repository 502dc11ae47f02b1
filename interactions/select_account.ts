/** Which of your accounts? Never asked when there is exactly one: the policy sees to that. */

import { Problem } from '../src/base/errors.ts';
import { isLockedOut } from '../src/billing/policy.ts';
import type { UsableAccount } from '../src/directory/access.ts';
import { rememberedAccount } from '../src/directory/chosen.ts';
import type { Conversation } from '../src/oidc/conversation.ts';
import { pageOf } from '../src/web/form.ts';
import type { Form } from '../src/web/form.ts';
import type { AccountOffers } from '../views/account_offers.ts';
import { noAccountPage, selectAccountPage } from '../views/select_account.ts';
import { texts } from '../views/texts.ts';
import { denied, nameOf, plansAddress } from './prompt.ts';
import type { InteractionDependencies, Outcome, Prompt, Refusal, Visit } from './prompt.ts';

async function show(
  deps: InteractionDependencies,
  visit: Visit,
  refusal?: Refusal,
): Promise<Outcome> {
  const user = signedIn(visit);
  const accounts = await deps.directory.usableAccounts(user);
  if (accounts.length === 0) return nothingToChoose(deps, visit, user);
  return choice(deps, visit, accounts, refusal);
}

async function submit(deps: InteractionDependencies, visit: Visit, fields: Form): Promise<Outcome> {
  const user = signedIn(visit);
  if (fields.has('other')) {
    return { address: await deps.conversations.startOver(visit.conversation) };
  }
  if (fields.has('leave')) return denied(texts.denied.noAccount);
  const account = fields.get('account') ?? '';
  // What is shown again is the part of the list that they chose from.
  const again = { ...visit, query: fields };
  if (account === '') {
    return show(deps, again, { status: 400, message: texts.selectAccount.choose });
  }
  // The page may be old, or forged: what counts is what is so now.
  if ((await deps.directory.membership(user, account)) === undefined) {
    return show(deps, again, { status: 403, message: texts.selectAccount.foreign });
  }
  return { result: { select_account: { account, remember: fields.has('remember') } } };
}

export const selectAccount: Prompt = { show, submit };

function signedIn({ conversation }: Visit): string {
  if (conversation.user !== undefined) return conversation.user;
  throw new Problem('interaction_expired', 410, 'You are not signed in any more. Start again.');
}

async function choice(
  deps: InteractionDependencies,
  { conversation, query, form }: Visit,
  accounts: readonly UsableAccount[],
  refusal?: Refusal,
): Promise<Outcome> {
  const { products } = conversation;
  const terms = { config: deps.config, now: deps.clock() };
  const locked = ({ document }: UsableAccount) =>
    products.length > 0 && products.every((product) => isLockedOut(document, product, terms));
  const view = {
    form,
    accounts: accounts.map((account) => ({ ...account, locked: locked(account) })),
    current: conversation.account,
    app: conversation.client.name,
    who: await nameOf(deps, conversation.user),
    filter: query.get('filter')?.slice(0, 100),
    page: pageOf(query.get('page')),
    remembered: await isRemembered(deps, conversation),
    message: refusal?.message,
    now: deps.clock(),
  };
  return { status: refusal?.status ?? 200, page: selectAccountPage(view, deps.config.brand) };
}

/** Whether the box is ticked: it says how it is. */
async function isRemembered(
  { directory }: InteractionDependencies,
  { user, client }: Conversation,
): Promise<boolean> {
  const person = user === undefined ? undefined : (await directory.user(user))?.document;
  return person !== undefined && rememberedAccount(person, client.id) !== undefined;
}

async function nothingToChoose(
  deps: InteractionDependencies,
  { ctx, conversation, form }: Visit,
  user: string,
): Promise<Outcome> {
  const view = {
    form,
    closed: await closedAccounts(deps, user),
    app: conversation.client.name,
    who: await nameOf(deps, user),
    plans: plansAddress(deps),
    unfinished: await unfinishedOf(deps, user),
    offers: { ...(await offersTo(deps, user)), csrf: deps.csrf.token(ctx, user) },
  };
  return { status: 403, page: noAccountPage(view, deps.config.brand) };
}

/** Sign-ups that they can go on with. */
async function unfinishedOf({ signups, config }: InteractionDependencies, user: string) {
  const unfinished = (await signups?.unfinished(user)) ?? [];
  return unfinished.slice(0, mostNamed).map(({ document: { product, plan, period } }) => {
    const name = config.products.find(({ id }) => id === product)?.name ?? product;
    const query = new URLSearchParams({ product, plan, ...(period && { period }) });
    return { product: name, href: `/signup?${query}` };
  });
}

/** Accounts that they can be in: by an invitation to their address, or because of its domain. */
async function offersTo(
  { directory }: InteractionDependencies,
  user: string,
): Promise<Omit<AccountOffers, 'csrf'>> {
  const [{ open, waiting }, domains] = await Promise.all([
    directory.invitations.of(user),
    directory.domains.offers(user),
  ]);
  const known = new Set([...open, ...waiting].map(({ account }) => account.id));
  const others = domains.filter(({ account }) => !known.has(account.id)).slice(0, mostNamed);
  return {
    invited: open.slice(0, mostNamed).map(({ invitation, account }) => ({
      account: account.name,
      href: `/invitation?${new URLSearchParams({ invitation: invitation.id })}`,
    })),
    waiting: waiting.slice(0, mostNamed).map(({ account }) => account.name),
    domains: others.map(({ account: { id, name }, mode }) => ({ id, name, mode })),
  };
}

const mostNamed = 5;

async function closedAccounts(
  { directory }: InteractionDependencies,
  user: string,
): Promise<string[]> {
  const memberships = (await directory.user(user))?.document.memberships ?? [];
  const accounts = await Promise.all(
    memberships.slice(0, mostNamed).map(({ account }) => directory.account(account)),
  );
  return accounts.flatMap((account) => (account?.status === 'closed' ? [account.name] : []));
}
