/** `/account/settings`: what an account is called, and the way to its domains, its owners and its end. */

import { textOf } from '../links/link_query.ts';
import { settingsPage } from '../../views/account/settings.ts';
import { settingsTexts } from '../../views/account/settings_texts.ts';
import { domainPages } from './domains.ts';
import { frameOf } from './frame.ts';
import { displayName } from './member_words.ts';
import { ownerPages } from './owners.ts';
import type { AccountPages } from './pages.ts';
import { attempt } from './refusals.ts';
import type { AccountRoute, Answer, MemberVisit } from './visit.ts';

const here = '/account/settings';

export function settingsPages(deps: AccountPages): AccountRoute[] {
  return [
    { method: 'GET', path: here, needs: 'member', handle: (visit) => showSettings(deps, visit) },
    {
      method: 'POST',
      path: `${here}/name`,
      needs: 'settings',
      from: here,
      handle: (visit) => rename(deps, visit),
    },
    ...domainPages(deps, (visit, refused) => showSettings(deps, visit, refused)),
    ...ownerPages(deps),
  ];
}

/** @param refused what is wrong, by field, and the answer's status */
async function showSettings(
  deps: AccountPages,
  visit: MemberVisit,
  refused?: { problems: ReadonlyMap<string, string>; status: number },
): Promise<Answer> {
  const { config, directory } = deps;
  const { account, rights, isOwner, csrf, form } = visit;
  const mayChange = rights.has('settings');
  const at = (path: string, more: Record<string, string> = {}) =>
    `/account/${path}?${new URLSearchParams({ account: account.id, ...more })}`;
  const owners = isOwner
    ? await Promise.all(
        account.owners.map(async (id) => (await directory.user(id))?.document ?? {}),
      )
    : [];
  const { domains = [] } = account;
  const view = {
    ...frameOf(visit, deps, { tab: 'settings', done: settingsTexts.done }),
    account: { ...account, rights, isOwner },
    csrf,
    name: textOf(form, 'name') ?? account.name,
    mayChange,
    domains:
      mayChange && config.people.domains
        ? domains.map(({ domain, provenAt }) => ({
            domain,
            isProven: provenAt !== undefined,
            href: at('settings/domain', { domain }),
          }))
        : undefined,
    domain: textOf(form, 'domain'),
    owners: isOwner
      ? { names: owners.map(displayName), add: at('settings/owner'), close: at('close') }
      : undefined,
    ...(refused === undefined ? {} : { problems: refused.problems }),
  };
  return { page: settingsPage(view, config.brand), status: refused?.status ?? 200 };
}

async function rename(deps: AccountPages, visit: MemberVisit): Promise<Answer> {
  const { account, user, form } = visit;
  return attempt(visit, deps, {
    async act() {
      await deps.directory.renameAccount(account.id, form.get('name') ?? '', user);
      return { to: toSettings(visit), done: 'renamed' };
    },
    show: ({ sentence, status }) =>
      showSettings(deps, visit, { problems: new Map([['name', sentence]]), status }),
  });
}

function toSettings({ account }: MemberVisit): string {
  return `${here}?${new URLSearchParams({ account: account.id })}`;
}
