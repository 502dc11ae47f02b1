/**
 * The account room: the pages on which people look after themselves and their accounts. Each page is a route that
 * declares who may use it; who that is, is decided here and nowhere else, afresh for each request. Nothing here reads or
 * writes the store: what a page does is a function of the rooms below, which operators' commands use as well.
 */

import Router from '@koa/router';
import type { ParameterizedContext } from 'koa';
import { rightsOf, isOwner } from '../directory/rights.ts';
import { findActing } from '../links/acting.ts';
import { linkProblem } from '../links/errors.ts';
import { requireNavigation, textOf } from '../links/link_query.ts';
import { readForm, singleQuery } from '../web/form.ts';
import type { Form } from '../web/form.ts';
import { continueTo, sendPage } from '../web/page.ts';
import { closedPage, whichAccountPage } from '../../views/billing.ts';
import { noRightPage } from '../../views/account/frame.ts';
import type { AccountPages } from './pages.ts';
import { findPerson } from './person.ts';
import { accountPages } from './pages.ts';
import type { AccountRoute, Answer, MemberRoute, MemberVisit, PersonVisit } from './visit.ts';

const longestFormBytes = 32 * 1024;
/** Of a sign-in that counts as fresh, for what is dangerous. */
const freshMs = 10 * 60 * 1000;

export function routes(deps: AccountPages): Router {
  const { config, limits } = deps;
  const router = new Router();
  const limit = config.limits.perAddressPerMinute;
  router.use(
    ['/account', '/apps'],
    limits.byAddress({ name: 'account', limit, windowSeconds: 60, whenStoreFails: 'open' }),
  );
  for (const route of accountPages(deps)) {
    // The declaration goes with it, for the test of who may use what.
    const serve = Object.assign((ctx: ParameterizedContext) => visit(ctx, deps, route), { route });
    if (route.method === 'GET') router.get(route.path, serve);
    else router.post(route.path, serve);
  }
  return router;
}

async function visit(
  ctx: ParameterizedContext,
  deps: AccountPages,
  route: AccountRoute,
): Promise<void> {
  const query = singleQuery(ctx);
  let form: Form = new Map();
  if (route.method === 'GET') requireNavigation(ctx);
  else {
    form = await readForm(ctx, longestFormBytes);
    deps.csrf.requireOwnOrigin(ctx);
  }
  const found = await findPerson(ctx, deps);
  // What was posted does not come along; which account it was about does.
  const about = textOf(form, 'account');
  if (found === undefined) return signIn(ctx, deps, route, { about });
  // A page of somebody else, who was signed in at this browser before, changes nothing.
  if (route.method === 'POST') deps.csrf.require(ctx, form, found.user);
  const person = { ctx, query, form, ...found, csrf: deps.csrf.token(ctx, found.user) };
  if (route.fresh === true && !(await isFresh(deps, person))) {
    return signIn(ctx, deps, route, { again: true, about });
  }
  if (route.needs === 'person') return answer(ctx, await route.handle(person));
  const member = await memberOf(ctx, deps, { route, person });
  if (member !== undefined) answer(ctx, await route.handle(member));
}

async function isFresh({ oidc, clock }: AccountPages, { session }: PersonVisit): Promise<boolean> {
  const signedInAt = await oidc.signedInAt(session);
  return signedInAt !== undefined && clock() - signedInAt < freshMs;
}

/** And back to this page. @param how `again`: though somebody is; `about`: the account that a form names */
function signIn(
  ctx: ParameterizedContext,
  { config }: AccountPages,
  route: AccountRoute,
  { again = false, about }: { again?: boolean; about: string | undefined },
): void {
  const here = route.method === 'GET' ? ctx.path : (route.from ?? '/account');
  const query = new URLSearchParams(ctx.querystring);
  if (about !== undefined) query.set('account', about);
  const back = query.size === 0 ? here : `${here}?${query}`;
  const signin = new URLSearchParams({ return_to: `${config.issuer}${back}` });
  const account = query.get('account');
  if (account !== null && account !== '') signin.set('account', account);
  if (again) signin.set('again', 'yes');
  continueTo(ctx, `/signin?${signin}`);
}

/** @returns nothing where a page has said why not */
async function memberOf(
  ctx: ParameterizedContext,
  deps: AccountPages,
  { route, person }: { route: MemberRoute; person: PersonVisit },
): Promise<MemberVisit | undefined> {
  const { config } = deps;
  const { brand } = config;
  const wanted = textOf(person.form, 'account') ?? textOf(person.query, 'account');
  const found = await findActing(ctx, deps, wanted);
  const back = '/account';
  switch (found.is) {
    case 'nobody':
      return undefined;
    case 'without':
      throw linkProblem('account_missing');
    case 'several': {
      const query = new URLSearchParams(ctx.querystring);
      const rows = found.accounts.map(({ id, name }) => {
        query.set('account', id);
        return { name, href: `${ctx.path}?${query}` };
      });
      sendPage(ctx, whichAccountPage(rows, brand));
      return undefined;
    }
    case 'closed':
      sendPage(ctx, closedPage({ account: found.account.name, back }, brand), 403);
      return undefined;
    case 'acting': {
      const { account, roles } = found;
      const rights = rightsOf(roles, config.roles);
      const owns = isOwner(roles);
      if (!allows(route.needs, { rights, owns })) {
        sendPage(ctx, noRightPage({ account: account.name, back }, brand), 403);
        return undefined;
      }
      return { ...person, account, roles, rights, isOwner: owns };
    }
  }
}

function allows(
  needs: MemberRoute['needs'],
  { rights, owns }: { rights: MemberVisit['rights']; owns: boolean },
): boolean {
  if (needs === 'member') return true;
  return needs === 'owner' ? owns : rights.has(needs);
}

function answer(ctx: ParameterizedContext, given: Answer): void {
  if ('page' in given) return sendPage(ctx, given.page, given.status);
  if ('file' in given) {
    const { name, type, body } = given.file;
    ctx.set('Cache-Control', 'no-store');
    ctx.attachment(name);
    ctx.type = type;
    ctx.body = body;
    return;
  }
  const { to, done } = given;
  if (done === undefined) return continueTo(ctx, to);
  continueTo(ctx, `${to}${to.includes('?') ? '&' : '?'}done=${encodeURIComponent(done)}`);
}
