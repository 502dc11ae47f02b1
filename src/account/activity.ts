/** `/account/activity`: what happened in an account and who did it, for those who may see it. */

import type { ActivityRow, Named } from '../directory/activity.ts';
import { textOf } from '../links/link_query.ts';
import { activityPage } from '../../views/account/activity.ts';
import type { HappenedView } from '../../views/account/activity.ts';
import { activityTexts } from '../../views/account/activity_texts.ts';
import { roleName } from '../../views/account/members.ts';
import { frameOf } from './frame.ts';
import type { AccountPages } from './pages.ts';
import type { AccountRoute, Answer, MemberVisit } from './visit.ts';

const here = '/account/activity';

export function activityPages(deps: AccountPages): AccountRoute[] {
  return [{ method: 'GET', path: here, needs: 'activity', handle: (visit) => show(deps, visit) }];
}

async function show(deps: AccountPages, visit: MemberVisit): Promise<Answer> {
  const { config, directory } = deps;
  const { account, rights, isOwner } = visit;
  const after = textOf(visit.query, 'after');
  const { rows, next } = await directory.activityOf(account.id, { after });
  const at = (more: Record<string, string>) =>
    `${here}?${new URLSearchParams({ account: account.id, ...more })}`;
  const view = {
    ...frameOf(visit, deps, { tab: 'activity' }),
    account: { ...account, rights, isOwner },
    rows: rows.map((row) => happened(deps, row)),
    newest: after === undefined ? undefined : at({}),
    older: next === undefined ? undefined : at({ after: next }),
  };
  return { page: activityPage(view, config.brand) };
}

function happened(
  { config }: AccountPages,
  { type, at, user, actor, words }: ActivityRow,
): HappenedView {
  const { roles = [], domain = '' } = words;
  return {
    type,
    at,
    who: nameOf(user),
    by: actor === undefined ? activityTexts.operator : nameOf(actor),
    roles: roles.map((role) => roleName(role, config.roles)).join(', '),
    domain,
  };
}

function nameOf(person: Named | undefined): string {
  return person?.name ?? activityTexts.somebody;
}
