/** `/account/apps`: the apps that have something of somebody, and the end of it. */

import { personTexts } from '../../views/account/person_texts.ts';
import { appsPage } from '../../views/account/apps.ts';
import type { AppView } from '../../views/account/apps.ts';
import type { AppAccess } from '../oidc/own_sessions.ts';
import { frameOf } from './frame.ts';
import type { AccountPages } from './pages.ts';
import type { AccountRoute, Answer, PersonVisit } from './visit.ts';

const here = '/account/apps';

export function appPages(deps: AccountPages): AccountRoute[] {
  return [
    { method: 'GET', path: here, needs: 'person', handle: (visit) => page(deps, visit) },
    {
      method: 'POST',
      path: `${here}/end`,
      needs: 'person',
      from: here,
      async handle({ user, form }) {
        const had = await deps.sessions.endApp(user, form.get('app') ?? '');
        return { to: here, done: had ? 'ended' : 'over' };
      },
    },
  ];
}

async function page(deps: AccountPages, visit: PersonVisit): Promise<Answer> {
  const { config, directory, sessions } = deps;
  const [apps, usable] = await Promise.all([
    sessions.apps(visit.user),
    directory.usableAccounts(visit.user),
  ]);
  const accounts = new Map(usable.map(({ id, name }) => [id, name]));
  const view = {
    frame: frameOf(visit, deps, { tab: 'apps', done: personTexts.apps.done }),
    csrf: visit.csrf,
    apps: apps.map((app) => viewOf(deps, app, accounts)),
  };
  return { page: appsPage(view, config.brand) };
}

function viewOf(
  { config }: AccountPages,
  { client, accounts, consents, since }: AppAccess,
  names: ReadonlyMap<string, string>,
): AppView {
  const known = config.clients.find(({ id }) => id === client);
  const of = new Set([...accounts, ...consents.map(({ account }) => account)]);
  return {
    id: client,
    name: known?.name,
    isForeign: known?.firstParty === false || consents.length > 0,
    since,
    accounts: [...of].flatMap((account) => names.get(account ?? '') ?? []),
    isIdle: accounts.length === 0,
  };
}
