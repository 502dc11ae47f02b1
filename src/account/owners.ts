/** `/account/settings/owner`: somebody else is made an owner, and whoever does it may step down with it. */

import { textOf } from '../links/link_query.ts';
import { ownerRole } from '../directory/roles.ts';
import { ownerPage } from '../../views/account/settings.ts';
import { settingsTexts } from '../../views/account/settings_texts.ts';
import { frameOf } from './frame.ts';
import { givableRoles } from './member_forms.ts';
import { displayName } from './member_words.ts';
import type { AccountPages } from './pages.ts';
import { attempt } from './refusals.ts';
import type { AccountRoute, Answer, MemberVisit } from './visit.ts';

const here = '/account/settings/owner';
/** To choose from. Whoever is not among them is searched for. */
const mostCandidates = 20;

export function ownerPages(deps: AccountPages): AccountRoute[] {
  const route = { path: here, needs: 'owner', fresh: true } as const;
  return [
    { ...route, method: 'GET', handle: (visit: MemberVisit) => show(deps, visit) },
    { ...route, method: 'POST', from: here, handle: (visit: MemberVisit) => handOver(deps, visit) },
  ];
}

async function show(
  deps: AccountPages,
  visit: MemberVisit,
  refused?: { problems: ReadonlyMap<string, string>; status: number },
): Promise<Answer> {
  const { config, directory } = deps;
  const { account, rights, isOwner, csrf, form, query } = visit;
  const search = (textOf(query, 'search') ?? '').trim();
  const limit = mostCandidates + 1;
  const { rows, next } = await directory.membersOf(account.id, { search, limit });
  const able = rows.filter(({ user, status }) => user !== visit.user && status === 'active');
  const hasMore = next !== undefined || able.length > mostCandidates;
  const view = {
    ...frameOf(visit, deps, { tab: 'settings' }),
    account: { ...account, rights, isOwner },
    csrf,
    search,
    canSearch: hasMore,
    hasMore,
    candidates: able.slice(0, mostCandidates).map((row) => ({
      value: row.user,
      label: displayName(row),
      ...(row.email === undefined ? {} : { help: row.email }),
    })),
    to: textOf(form, 'to'),
    afterwards: textOf(form, 'afterwards') ?? ownerRole,
    roles: givableRoles(deps, visit).map(({ id, name }) => ({ value: id, label: name })),
    back: `/account/settings?${new URLSearchParams({ account: account.id })}`,
    ...(refused === undefined ? {} : { problems: refused.problems }),
  };
  return { page: ownerPage(view, config.brand), status: refused?.status ?? 200 };
}

async function handOver(deps: AccountPages, visit: MemberVisit): Promise<Answer> {
  const { directory } = deps;
  const { account, user: from, form } = visit;
  const { toProblem, afterwardsProblem } = settingsTexts.ownership;
  const refuse = (field: string, sentence: string, status = 400) =>
    show(deps, visit, { problems: new Map([[field, sentence]]), status });
  const to = textOf(form, 'to');
  // Somebody of this account, and nobody else (T74).
  const heir = to === undefined ? undefined : await directory.memberOf(account.id, to);
  if (to === undefined || to === from || heir?.status !== 'active') return refuse('to', toProblem);
  const afterwards = textOf(form, 'afterwards') ?? '';
  const isOffered = givableRoles(deps, visit).some(({ id }) => id === afterwards);
  if (afterwards !== ownerRole && !isOffered) return refuse('afterwards', afterwardsProblem);
  return attempt(visit, deps, {
    async act() {
      const roles = afterwards === ownerRole ? {} : { roles: [afterwards] };
      await directory.handOver(account.id, { from, to, ...roles }, from);
      const query = new URLSearchParams({ account: account.id });
      return { to: `/account/settings?${query}`, done: 'handed' };
    },
    show: ({ sentence, status }) => refuse('', sentence, status),
  });
}
