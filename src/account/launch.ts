/**
 * `/apps`: the company's apps, and the way into each. An app that has an address for it begins the sign-in itself
 * (OpenID Connect Core §4), so the person comes in signed in; another is merely opened.
 */

import type { ClientConfig, Config } from '../config.ts';
import { linkProblem } from '../links/errors.ts';
import { invalid, textOf } from '../links/link_query.ts';
import { launchPage, openAppPage } from '../../views/account/launch.ts';
import { frameOf } from './frame.ts';
import { launchable } from './launchable.ts';
import type { AccountPages } from './pages.ts';
import type { AccountRoute, Answer, PersonVisit } from './visit.ts';

export function launchPages(deps: AccountPages): AccountRoute[] {
  return [
    {
      method: 'GET',
      path: '/apps',
      needs: 'person',
      handle: (visit) => list(deps, visit),
    },
    {
      method: 'GET',
      path: '/apps/:client',
      needs: 'person',
      handle: (visit) => open(deps, visit, clientOf(visit)),
    },
  ];
}

function clientOf({ ctx }: PersonVisit): string {
  return (ctx.params as { client?: string }).client ?? '';
}

async function list(deps: AccountPages, visit: PersonVisit): Promise<Answer> {
  const { config } = deps;
  const account = await accountOf(deps, visit);
  const apps = launchable(config).map(({ id, name }) => ({ name, href: hrefOf(id, account?.id) }));
  const frame = frameOf(visit, deps, { tab: 'launch' });
  return { page: launchPage({ frame, apps, account: account?.name }, config.brand) };
}

/** @throws {Problem} `app_unknown` (404), `account_foreign` (403), `parameter_invalid` (400) */
async function open(deps: AccountPages, visit: PersonVisit, id: string): Promise<Answer> {
  const { config } = deps;
  const client = launchable(config).find((one) => one.id === id);
  if (client === undefined) throw linkProblem('app_unknown');
  const account = await accountOf(deps, visit);
  const target = targetOf(client, textOf(visit.query, 'target_link_uri', 2048));
  // A page elsewhere must not move somebody to another of their accounts unasked (T56).
  if (account !== undefined && visit.ctx.get('Sec-Fetch-Site') === 'cross-site') {
    const { name } = client;
    const href = hrefOf(id, account.id, target);
    const asked = { app: name, account: account.name, href, list: hrefOf('', account.id) };
    const frame = frameOf(visit, deps, { tab: 'launch' });
    return { page: openAppPage({ frame, ...asked }, config.brand) };
  }
  return { to: addressOf(config, client, { account: account?.id, target }) };
}

/** The one that the address names, if it is one of theirs. @throws {Problem} `account_foreign` (403) */
async function accountOf(
  { directory }: AccountPages,
  { query, user }: PersonVisit,
): Promise<{ id: string; name: string } | undefined> {
  const wanted = textOf(query, 'account');
  if (wanted === undefined) return undefined;
  const membership = await directory.membership(user, wanted);
  if (membership === undefined) throw linkProblem('account_foreign');
  return membership.account;
}

function hrefOf(client: string, account: string | undefined, target?: string): string {
  const query = new URLSearchParams({
    ...(account !== undefined && { account }),
    ...(target !== undefined && { target_link_uri: target }),
  });
  const path = client === '' ? '/apps' : `/apps/${encodeURIComponent(client)}`;
  return query.size === 0 ? path : `${path}?${query}`;
}

/**
 * A page of the app to end at: on an origin that it is answered at, so that nobody is sent on to somewhere else by its
 * name (Core §4).
 * @throws {Problem} `parameter_invalid` (400)
 */
function targetOf({ redirectUris }: ClientConfig, target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  const url = URL.parse(target);
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (isHttp && url.username === '' && url.password === '') {
    if (redirectUris.some((uri) => URL.parse(uri)?.origin === url.origin)) return url.href;
  }
  throw invalid('target_link_uri');
}

/** Who they are is in the session, so there is no `login_hint`: no address says it. */
function addressOf(
  { issuer }: Config,
  { initiateLoginUri, launchUrl }: ClientConfig,
  { account, target }: { account: string | undefined; target: string | undefined },
): string {
  if (initiateLoginUri === undefined) return target ?? String(launchUrl);
  const url = new URL(initiateLoginUri);
  url.searchParams.set('iss', issuer);
  if (target !== undefined) url.searchParams.set('target_link_uri', target);
  // Of our own: the app hands it on in its authorization request. Others do not know it.
  if (account !== undefined) url.searchParams.set('account', account);
  return url.href;
}
