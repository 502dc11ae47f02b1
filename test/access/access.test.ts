/**
 * Every route against every role and a foreign tenant (T74): what is reachable is what the table and the declarations of
 * the pages say. A new route without a row fails.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isNoun } from '../../src/admin/asked.ts';
import type { Browser, Page } from '../../dev/walk.ts';
import { newcomer, signInAt, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { presentStore } from '../kit/places.ts';
import { subscriber } from '../kit/subscribers.ts';
import { served } from './routes.ts';
import type { Served } from './routes.ts';
import { page } from './page.ts';
import { commands, isListed, table } from './table.ts';

/** Of the account that all is tried on, but for the stranger, who owns another one. */
const roles = ['owner', 'admin', 'accountant', 'member', 'removed', 'stranger'] as const;
type Role = (typeof roles)[number] | 'nobody';

const may: Record<string, readonly Role[]> = {
  anybody: [...roles, 'nobody'],
  person: roles,
  member: ['owner', 'admin', 'accountant', 'member'],
  members: ['owner', 'admin'],
  settings: ['owner', 'admin'],
  activity: ['owner', 'admin'],
  billing: ['owner', 'accountant'],
  payer: ['owner', 'accountant'],
  owner: ['owner'],
  sealed: [],
  client: [],
  stripe: [],
};

/** Let in, they lead elsewhere: to an account that is closed, away from one that was left, and into one. */
const leadsElsewhere = new Set([
  'GET /account/closed',
  'POST /account/accounts/leave',
  'POST /domain',
]);

let world: SignupWorld;
let routes: Served[];
let account: string;
const people = new Map<Role, { subject: string; name: string; email: string }>();
/** Makes them again who they were: some pages are about leaving. */
let restore: (role: Role) => Promise<unknown> = () => Promise.resolve();

beforeAll(async () => {
  const started = await served(() =>
    startSignupWorld(
      {
        roles: [
          { id: 'admin', may: ['members', 'settings', 'activity'] },
          { id: 'accountant', may: ['billing'] },
          { id: 'member' },
        ],
      },
      { billingRoles: ['accountant'] },
    ),
  );
  world = started.made;
  ({ routes } = started);
  const owner = await subscriber(world, { quantity: '10' });
  ({ account } = owner);
  people.set('owner', owner.someone);
  const ids = new Map<Role, string>();
  restore = async (role) => {
    const id = ids.get(role);
    if (id === undefined || role === 'removed' || role === 'stranger') return;
    await world.server.directory.addMember(account, id, [role]);
    await world.server.directory.withdrawDeletion(id);
  };
  for (const role of ['admin', 'accountant', 'member', 'removed', 'stranger'] as const) {
    const someone = newcomer(`access-${role}`);
    const { directory } = world.server;
    const { issuer } = world.upstream;
    const identities = [{ provider: 'upstream', issuer, subject: someone.subject }];
    const { id } = await directory.createUser({ name: someone.name, identities });
    people.set(role, someone);
    ids.set(role, id);
    if (role === 'stranger') await directory.createAccount({ name: 'Elsewhere', owner: id });
    else await directory.addMember(account, id, [role === 'removed' ? 'member' : role]);
    if (role === 'removed') await directory.removeMember(account, id);
  }
});
afterAll(() => world?.close());

async function enter(role: Role): Promise<Browser> {
  const browser = world.browser();
  const someone = people.get(role);
  if (someone !== undefined) {
    await signInAt(browser, await browser.get(`${world.issuer}/signin`), { someone });
  }
  return browser;
}

const rows = () => routes.filter(({ method }) => method === 'GET' || method === 'POST');
const needsOf = (route: Served) => route.account?.needs ?? table[route.name]?.needs ?? 'unlisted';

/** With what its path has to have; nothing of it is there. */
function addressOf({ path }: Served, named: string | undefined): string {
  const filled = path.replace(/:product/, 'api').replaceAll(/:\w+/g, 'usr_unknown');
  const query = named === undefined ? '' : `?account=${named}`;
  return `${world.issuer}${filled}${query}`;
}

async function ask(browser: Browser, route: Served, form: Page | undefined): Promise<Page> {
  const address = addressOf(route, needsOf(route) === 'person' ? undefined : account);
  if (route.method === 'GET') return browser.get(address);
  const csrf = /name="csrf" value="([^"]+)"/.exec(form?.text ?? '')?.[1] ?? '';
  return browser.post(address, { csrf, account }, form === undefined ? {} : { from: form });
}

type Outcome = 'let in' | 'to sign in' | 'refused';

function outcomeOf({ status, history, url }: Page, needs: string): Outcome {
  const asked = history.some(({ location = '' }) => /\/signin\?/.test(location));
  if (asked || url.includes('/interaction/')) return 'to sign in';
  // A signature that is not there is a bad request.
  const refusals = needs === 'stripe' ? [400, 401, 403] : [401, 403];
  return refusals.includes(status) ? 'refused' : 'let in';
}

test('every route is in the table, and the table has no other', () => {
  const unlisted = routes.filter((route) => route.account === undefined && !isListed(route.name));
  expect(unlisted.map(({ name }) => name)).toEqual([]);
  const names = new Set(routes.map(({ name }) => name));
  expect(Object.keys(table).filter((name) => !names.has(name))).toEqual([]);
});

test('docs/access.md is the table', async () => {
  await expect(page(routes)).toMatchFileSnapshot('../../docs/access.md');
});

test('every command is in it', () => {
  const source = readFileSync(new URL('../../src/main.ts', import.meta.url), 'utf8');
  const cases = [...source.matchAll(/case '([a-z]+)':/g)].map(([, word]) => word);
  const known = new Set([...cases, ...Object.keys(commands).filter(isNoun)]);
  expect([...known].toSorted()).toEqual(Object.keys(commands).toSorted());
});

test('every page under /account declares who may use it, and no other route changes an account', () => {
  const own = routes.filter(({ path }) => path.startsWith('/account'));
  const declared = own.filter((route) => route.account !== undefined);
  expect(declared.length).toBeGreaterThan(20);
  for (const route of own) expect(may).toHaveProperty(needsOf(route));
});

describe.runIf(presentStore() === 'sqlite')('who gets in', () => {
  test.each(['nobody', ...roles] as const)(
    '%s: where the table says, and nowhere else',
    async (role) => {
      const wrong: string[] = [];
      let browser = await enter(role);
      const formOf = async () =>
        role === 'nobody' ? undefined : browser.get(`${world.issuer}/account`);
      let form = await formOf();
      for (const route of rows()) {
        const needs = needsOf(route);
        if (needs === 'anybody') continue;
        const isAllowed = may[needs]?.includes(role) === true;
        const outcome = outcomeOf(await ask(browser, route, form), needs);
        const isRight = isAllowed
          ? outcome === 'let in' || leadsElsewhere.has(route.name)
          : outcome !== 'let in';
        if (!isRight) wrong.push(`${route.name} (${needs}): ${outcome}`);
        // What was let in may have signed them out.
        if (isAllowed && route.method === 'POST') {
          await restore(role);
          browser = await enter(role);
          form = await formOf();
        }
      }
      expect(wrong).toEqual([]);
    },
  );
});
