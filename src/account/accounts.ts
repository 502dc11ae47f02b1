/** `/account/accounts`: all accounts of a person, what they are asked into, and leaving one. */

import { linkCookie } from '../web/cookies.ts';
import { textOf } from '../links/link_query.ts';
import { pageOf } from '../web/form.ts';
import { accountsPage, leavePage } from '../../views/account/accounts.ts';
import type { OfferView } from '../../views/account/accounts.ts';
import { accountsTexts } from '../../views/account/accounts_texts.ts';
import { roleName } from '../../views/account/members.ts';
import { matches, partOf } from '../../views/select_account.ts';
import { frameOf } from './frame.ts';
import type { AccountPages } from './pages.ts';
import { attempt, refusalOf } from './refusals.ts';
import type { AccountRoute, Answer, MemberVisit, PersonVisit } from './visit.ts';

const searchFrom = 8;

const here = '/account/accounts';

export function accountsPages(deps: AccountPages): AccountRoute[] {
  return [
    { method: 'GET', path: here, needs: 'person', handle: (visit) => show(deps, visit) },
    {
      method: 'POST',
      path: `${here}/offer`,
      needs: 'person',
      from: here,
      handle: (visit) => takeUp(deps, visit),
    },
    {
      method: 'GET',
      path: `${here}/leave`,
      needs: 'member',
      handle: (visit) => Promise.resolve(showLeave(deps, visit)),
    },
    {
      method: 'POST',
      path: `${here}/leave`,
      needs: 'member',
      from: here,
      handle: (visit) => leave(deps, visit),
    },
  ];
}

async function show(
  deps: AccountPages,
  visit: PersonVisit,
  refused?: { sentence: string; status: number },
): Promise<Answer> {
  const { config, directory, oidc, cookies, clock } = deps;
  const { ctx, query, user } = visit;
  const search = (textOf(query, 'search') ?? '').trim();
  const [all, offers, acting] = await Promise.all([
    directory.usableAccounts(user),
    offersOf(deps, user),
    oidc.subject(ctx, cookies.read(ctx, linkCookie)),
  ]);
  const found = search === '' ? all : all.filter(({ name }) => matches(name, search));
  const { page: number, pages, from, to } = partOf(found.length, pageOf(textOf(query, 'page')));
  const at = (page: number) => {
    if (page < 1 || page > pages) return undefined;
    const more = new URLSearchParams(search === '' ? {} : { search });
    more.set('page', String(page));
    return `${here}?${more}`;
  };
  const view = {
    ...frameOf(visit, deps, { tab: 'accounts', done: accountsTexts.done }),
    csrf: visit.csrf,
    accounts: found.slice(from, to),
    current: acting?.over === false ? acting.account : undefined,
    count: all.length,
    searchFrom,
    search,
    ...offers,
    before: at(number - 1),
    after: at(number + 1),
    now: clock(),
    ...(refused === undefined ? {} : { problems: new Map([['', refused.sentence]]) }),
  };
  return { page: accountsPage(view, config.brand), status: refused?.status ?? 200 };
}

interface Offers {
  invited: OfferView[];
  offers: OfferView[];
}

/** What they are asked into: by an invitation to a verified address of theirs, or by the domain of one. */
async function offersOf({ config, directory }: AccountPages, user: string): Promise<Offers> {
  const [{ open, waiting }, domains] = await Promise.all([
    directory.invitations.of(user),
    directory.domains.offers(user),
  ]);
  const invited = [
    ...open.map((offer) => ({ ...offer, mode: 'invited' as const })),
    ...waiting.map((offer) => ({ ...offer, mode: 'waiting' as const })),
  ];
  return {
    invited: invited.map(({ invitation: { id, document }, account, mode }) => ({
      id,
      account: account.name,
      role: document.roles.map((role) => roleName(role, config.roles)).join(', '),
      mode,
    })),
    // Who asked already is among those who wait.
    offers: domains.flatMap(({ account, domain, mode }) =>
      mode === 'waiting' ? [] : [{ id: account.id, account: account.name, domain, mode }],
    ),
  };
}

/** Only of what is offered to them now: another id is as if it were not there (T74). */
async function takeUp(deps: AccountPages, visit: PersonVisit): Promise<Answer> {
  const { directory } = deps;
  const { user, form } = visit;
  const id = textOf(form, 'offer') ?? '';
  const gone = { to: here, done: 'gone' };
  try {
    switch (textOf(form, 'do')) {
      case 'accept': {
        const { open } = await directory.invitations.of(user);
        if (!open.some(({ invitation }) => invitation.id === id)) return gone;
        const joined = await directory.invitations.accept(id, user);
        return { to: here, done: joined === 'waiting' ? 'asked' : 'joined' };
      }
      case 'refuse': {
        const refused = await directory.invitations.refuse(id, user);
        return refused ? { to: here, done: 'refused' } : gone;
      }
      case 'join': {
        const joined = await directory.domains.join(id, user);
        return { to: here, done: joined === 'waiting' ? 'asked' : 'joined' };
      }
      default:
        return { to: here };
    }
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === undefined) throw error;
    return show(deps, visit, refused);
  }
}

function showLeave(deps: AccountPages, visit: MemberVisit, isLast = isLastOwner(visit)): Answer {
  const { account, rights, isOwner, csrf } = visit;
  const query = new URLSearchParams({ account: account.id });
  const view = {
    ...frameOf(visit, deps, { tab: 'accounts' }),
    account: { ...account, rights, isOwner },
    csrf,
    lastOwner: isLast
      ? { handOver: `/account/settings/owner?${query}`, close: `/account/close?${query}` }
      : undefined,
  };
  return { page: leavePage(view, deps.config.brand), status: isLast ? 409 : 200 };
}

function isLastOwner({ account, user }: MemberVisit): boolean {
  return account.owners.every((owner) => owner === user);
}

async function leave(deps: AccountPages, visit: MemberVisit): Promise<Answer> {
  const { account, user } = visit;
  return attempt(visit, deps, {
    async act() {
      await deps.directory.removeMember(account.id, user, user);
      return { to: here, done: 'left' };
    },
    show: () => Promise.resolve(showLeave(deps, visit, true)),
  });
}
