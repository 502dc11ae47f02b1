/** `/account/settings/domain`: an e-mail domain of an account, from its adding to its end. */

import { textOf } from '../links/link_query.ts';
import { domainPage } from '../../views/account/settings.ts';
import { settingsTexts } from '../../views/account/settings_texts.ts';
import { frameOf } from './frame.ts';
import { givableRoles } from './member_forms.ts';
import type { AccountPages } from './pages.ts';
import { attempt } from './refusals.ts';
import type { AccountRoute, Answer, MemberVisit } from './visit.ts';

type AccountDomain = NonNullable<MemberVisit['account']['domains']>[number];

interface Refused {
  problems: ReadonlyMap<string, string>;
  status: number;
}

const here = '/account/settings/domain';
const settings = '/account/settings';

/** @param showSettings the page on which a domain is added */
export function domainPages(
  deps: AccountPages,
  showSettings: (visit: MemberVisit, refused: Refused) => Promise<Answer>,
): AccountRoute[] {
  // Without domains there is nothing here, of what was added before either.
  if (!deps.config.people.domains) return [];
  const route = { needs: 'settings', from: settings } as const;
  return [
    {
      ...route,
      method: 'POST',
      path: `${settings}/domains`,
      handle: (visit: MemberVisit) => add(deps, visit, showSettings),
    },
    { ...route, method: 'GET', path: here, handle: (visit: MemberVisit) => show(deps, visit) },
    { ...route, method: 'POST', path: here, handle: (visit: MemberVisit) => change(deps, visit) },
  ];
}

const to = (path: string, { account }: MemberVisit, more: Record<string, string> = {}) =>
  `${path}?${new URLSearchParams({ account: account.id, ...more })}`;

async function add(
  deps: AccountPages,
  visit: MemberVisit,
  showSettings: (visit: MemberVisit, refused: Refused) => Promise<Answer>,
): Promise<Answer> {
  const { account, user, form } = visit;
  return attempt(visit, deps, {
    async act() {
      const wanted = (textOf(form, 'domain') ?? '').trim();
      const { domain } = await deps.directory.domains.add(account.id, wanted, user);
      return { to: to(here, visit, { domain }), done: 'added' };
    },
    show: ({ sentence, status }) =>
      showSettings(visit, { problems: new Map([['domain', sentence]]), status }),
  });
}

/** One of this account's (T74). */
function domainOf({ account, form, query }: MemberVisit): AccountDomain | undefined {
  const wanted = textOf(form, 'domain') ?? textOf(query, 'domain');
  return account.domains?.find(({ domain }) => domain === wanted);
}

async function show(deps: AccountPages, visit: MemberVisit, refused?: Refused): Promise<Answer> {
  const { config, directory } = deps;
  const { account, rights, isOwner, csrf, form } = visit;
  const entry = domainOf(visit);
  if (entry === undefined) return { to: to(settings, visit) };
  const view = {
    ...frameOf(visit, deps, { tab: 'settings', done: settingsTexts.done }),
    account: { ...account, rights, isOwner },
    csrf,
    domain: entry.domain,
    isProven: entry.provenAt !== undefined,
    record: directory.domains.record(entry),
    mode: textOf(form, 'mode') ?? entry.mode,
    role: textOf(form, 'role') ?? entry.roles[0],
    roles: givableRoles(deps, visit).map(({ id, name }) => ({ value: id, label: name })),
    back: to(settings, visit),
    ...(refused === undefined ? {} : { problems: refused.problems }),
  };
  return { page: domainPage(view, config.brand), status: refused?.status ?? 200 };
}

async function change(deps: AccountPages, visit: MemberVisit): Promise<Answer> {
  const { domains } = deps.directory;
  const { account, user, form } = visit;
  const entry = domainOf(visit);
  if (entry === undefined) return { to: to(settings, visit) };
  const { domain } = entry;
  const again = { to: to(here, visit, { domain }) };
  const refuse = (field: string, sentence: string, status = 400) =>
    show(deps, visit, { problems: new Map([[field, sentence]]), status });
  return attempt(visit, deps, {
    async act() {
      switch (textOf(form, 'do')) {
        case 'prove':
          await domains.prove(account.id, domain, user);
          return { ...again, done: 'proven' };
        case 'remove':
          await domains.remove(account.id, domain, user);
          return { to: to(settings, visit), done: 'removed' };
        case 'set': {
          const mode = textOf(form, 'mode');
          const role = textOf(form, 'role');
          const { modeProblem, roleProblem } = settingsTexts.domain;
          if (mode !== 'ask' && mode !== 'join') return refuse('mode', modeProblem);
          const isOffered = givableRoles(deps, visit).some(({ id }) => id === role);
          if (role === undefined || !isOffered) return refuse('role', roleProblem);
          await domains.set(account.id, domain, { mode, roles: [role] }, user);
          return { ...again, done: 'set' };
        }
        default:
          return again;
      }
    },
    show: ({ sentence, status }) => refuse('', sentence, status),
  });
}
