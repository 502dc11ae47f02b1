/** `/account/close`: an owner closes their account, or takes that back until its end. */

import { Problem } from '../base/errors.ts';
import { endOf } from '../billing/closing.ts';
import { isDead } from '../billing/subscription_state.ts';
import type { Account } from '../directory/accounts.ts';
import { usableName } from '../directory/names.ts';
import { accountClosedPage, closePage, closingPage } from '../../views/account/closing.ts';
import { closingTexts as words } from '../../views/account/closing_texts.ts';
import { texts } from '../../views/texts.ts';
import { frameOf } from './frame.ts';
import type { AccountPages } from './pages.ts';
import type { AccountRoute, Answer, MemberVisit } from './visit.ts';

/** What is paid for has just been renewed, and we have not heard of it: the end follows when we do. */
const leastNoticeMs = 3_600_000;

export function closingPages(deps: AccountPages): AccountRoute[] {
  const { directory } = deps;
  return [
    {
      method: 'GET',
      path: '/account/close',
      needs: 'owner',
      fresh: true,
      handle: (visit) => show(deps, visit),
    },
    {
      method: 'POST',
      path: '/account/close',
      needs: 'owner',
      fresh: true,
      from: '/account/close',
      handle: (visit) => close(deps, visit),
    },
    {
      method: 'POST',
      path: '/account/close/withdraw',
      needs: 'owner',
      from: '/account/close',
      async handle({ account, user }) {
        const wasClosing = await directory.closing.withdraw(account.id, user);
        const query = new URLSearchParams({ account: account.id });
        return { to: `/account/settings?${query}`, done: wasClosing ? 'kept' : 'not_closing' };
      },
    },
  ];
}

const addressOf = ({ id }: Account) => `/account/close?${new URLSearchParams({ account: id })}`;

type Problems = ReadonlyMap<string, string>;

async function show(
  deps: AccountPages,
  visit: MemberVisit,
  problems: Problems = new Map(),
): Promise<Answer> {
  const { config, directory, clock } = deps;
  const { account, csrf, form } = visit;
  const frame = {
    ...frameOf(visit, deps, { tab: 'settings', done: words.done }),
    ...(problems.size > 0 ? { problems } : {}),
  };
  const shared = { frame, account: { id: account.id, name: account.name }, csrf };
  const status = problems.size > 0 ? 400 : 200;
  const typed = typedIn(form);
  if (account.closing !== undefined) {
    const { by, endsAt } = account.closing;
    const decider = by === undefined ? undefined : (await directory.user(by))?.document;
    const name = decider?.status === 'deleted' ? undefined : decider?.name;
    return { page: closingPage({ ...shared, endsAt, by: name, typed }, config.brand), status };
  }
  const { count, isMore } = await directory.closing.members(account.id);
  const view = {
    ...shared,
    plans: plansOf(deps, account),
    others: { count: Math.max(0, count - 1), isMore },
    endsAt: endsAtOf(account, clock()),
    typed,
  };
  return { page: closePage(view, config.brand), status };
}

async function close(deps: AccountPages, visit: MemberVisit): Promise<Answer> {
  const { directory, clock } = deps;
  const { account, user, form } = visit;
  const { when, feedback, reason, name } = typedIn(form);
  const endsAt = when === 'end' ? endsAtOf(account, clock()) : undefined;
  // What ends nothing by itself is closed now, and that wants to be meant.
  const isNow = when === 'now';
  const problems = new Map<string, string>();
  if (!isNow && endsAt === undefined) problems.set('when', words.when.problem);
  if (isNow && usableName(name) !== usableName(account.name)) {
    problems.set('name', words.name.problem(account.name));
  }
  if (problems.size > 0) return show(deps, visit, problems);
  try {
    const wish = { account: account.id, by: user, endsAt, feedback, reason };
    const { status } = await directory.closing.ask(wish);
    // Not elsewhere: they are in no account of this name any more, and perhaps in none at all.
    if (status === 'closed') {
      return { page: accountClosedPage({ account: account.name }, deps.config.brand) };
    }
    return { to: addressOf(account), done: 'closing' };
  } catch (error) {
    const refused = error instanceof Problem ? problemsOf(error) : undefined;
    if (refused === undefined) throw error;
    return show(deps, visit, refused);
  }
}

function problemsOf({ code }: Problem): Problems | undefined {
  if (code === 'feedback_invalid') return new Map([['feedback', words.why.problem]]);
  if (code === 'reason_invalid') return new Map([['reason', words.reason.problem]]);
  return undefined;
}

function typedIn(form: MemberVisit['form']) {
  const given = (field: string) => {
    const value = form.get(field);
    return value === undefined ? {} : { [field]: value };
  };
  return {
    ...given('when'),
    ...given('feedback'),
    ...given('reason'),
    ...given('name'),
  } as { when?: string; feedback?: string; reason?: string; name?: string };
}

function endsAtOf(account: Account, now: number): number | undefined {
  const end = endOf(account);
  return end === undefined ? undefined : Math.max(end, now + leastNoticeMs);
}

/** By the names that are sold; of what is sold no more, what we know of it. */
function plansOf({ config }: Pick<AccountPages, 'config'>, { subscriptions = {} }: Account) {
  return Object.entries(subscriptions).flatMap(([id, subscription]) => {
    if (isDead(subscription)) return [];
    const product = config.products.find((one) => one.id === id);
    const plan = product?.plans.find((one) => one.id === subscription.plan);
    return [
      {
        product: product?.name ?? id,
        plan: plan?.name ?? texts.selectAccount.plan(subscription.plan),
        endsAt: endOf({ subscriptions: { [id]: subscription } }),
      },
    ];
  });
}
