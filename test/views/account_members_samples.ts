/** The pages about members, accounts, settings and activity, in every state. */

import type { Right } from '../../src/directory/rights.ts';
import type { Html } from '../../src/web/html.ts';
import { accountsPage, leavePage } from '../../views/account/accounts.ts';
import { accountsTexts } from '../../views/account/accounts_texts.ts';
import { activityPage } from '../../views/account/activity.ts';
import {
  changeRolePage,
  invitePage,
  linkPage,
  removePage,
} from '../../views/account/member_forms.ts';
import { membersPage } from '../../views/account/members.ts';
import type { MembersView, MemberView, OpenView } from '../../views/account/members.ts';
import { membersTexts } from '../../views/account/members_texts.ts';
import { domainPage, ownerPage, settingsPage } from '../../views/account/settings.ts';
import { settingsTexts } from '../../views/account/settings_texts.ts';
import { noRightPage } from '../../views/account/frame.ts';
import type { AccountRow } from '../../views/select_account.ts';
import type { Brand } from '../../views/layout.ts';

const day = 86_400_000;
const rights: ReadonlySet<Right> = new Set(['members', 'settings', 'activity', 'billing']);
const none: ReadonlySet<Right> = new Set();

interface Given {
  brand: Brand;
  now: number;
  rows: readonly AccountRow[];
}

export function memberSamples({ brand, now, rows }: Given): [string, () => Html][] {
  const account = { id: 'acc_1', name: 'Acme', rights, isOwner: true };
  const shared = { tab: 'members', sells: true, account, csrf: 'v1.mac', back: '/b' } as const;
  const ada: MemberView = {
    user: 'usr_ada',
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    roles: [],
    isOwner: true,
    isYou: true,
    isDisabled: false,
    seen: now - day,
    change: '/c',
    leave: '/l',
  };
  const ben: MemberView = {
    ...ada,
    user: 'usr_ben',
    name: 'Donaudampfschifffahrtsgesellschaftskapitän Benedikt',
    email: 'benedikt.donaudampfschifffahrtsgesellschaft@mail.example',
    roles: ['Admin', 'Auditor'],
    isOwner: false,
    isYou: false,
    isDisabled: true,
    remove: '/r',
    leave: undefined,
  };
  const invited: OpenView = {
    id: 'inv_1',
    way: 'email',
    email: 'new@mail.example',
    roles: ['Member'],
    endsAt: now + 7 * day,
    canResend: true,
    canDecide: true,
  };
  const candidate = { name: 'Cleo', email: 'cleo@mail.example' };
  const members: MembersView = {
    ...shared,
    members: [ada, ben],
    search: '',
    seats: { taken: 7, total: 10 },
    waiting: [],
    open: [],
    hasMoreOpen: false,
    invite: '/i',
  };
  const roles = [
    { id: 'admin', name: 'Admin', may: ['members', 'settings'] as Right[] },
    { id: 'member', name: 'Member', may: [] },
  ];
  const plain = { ...account, rights: none, isOwner: false };
  const wrong = (field: string, sentence: string) => new Map([[field, sentence]]);
  return [
    ['members', () => membersPage(members, brand)],
    [
      'members, for a member',
      () => {
        const { seats: _seats, invite: _invite, ...rest } = members;
        const only = [ada, ben].map(({ change: _c, remove: _r, seen: _s, ...row }) => row);
        return membersPage({ ...rest, account: plain, members: only }, brand);
      },
    ],
    [
      'members, with who waits and who is invited, and no seat left',
      () =>
        membersPage(
          {
            ...members,
            done: membersTexts.done.invited,
            seats: { taken: 10, total: 10 },
            billing: '/billing',
            waiting: [
              { ...invited, id: 'inv_2', candidate },
              { ...invited, id: 'inv_3', way: 'domain', email: undefined, candidate },
              { ...invited, id: 'inv_4', way: 'link', email: undefined, candidate },
            ],
            open: [invited, { ...invited, way: 'link', email: undefined, canResend: false }],
            hasMoreOpen: true,
            next: '/n',
          },
          brand,
        ),
    ],
    [
      'members, searched without a match',
      () => membersPage({ ...members, members: [], search: 'zz', first: '/f' }, brand),
    ],
    [
      'members, searched as far as we came',
      () => membersPage({ ...members, members: [], search: 'zz', first: '/f', next: '/n' }, brand),
    ],
    [
      'members, with a problem',
      () =>
        membersPage({ ...members, problems: wrong('', membersTexts.problems.seats_full) }, brand),
    ],
    ['invite', () => invitePage({ ...shared, roles, role: 'member' }, brand)],
    [
      'invite, with a problem',
      () => {
        const problems = wrong('email', membersTexts.problems.email_invalid);
        return invitePage({ ...shared, roles, role: 'admin', email: 'a@@b', problems }, brand);
      },
    ],
    [
      'invitation link',
      () => {
        const link = 'https://id.northwind.example/invitation/tgi.v1.inv_0123456789.abcdefghijkl';
        return linkPage({ ...shared, link, role: 'Member', endsAt: now + 7 * day }, brand);
      },
    ],
    [
      'invitation link for an address',
      () => {
        const view = { link: 'https://x.example', role: 'Member', email: 'new@mail.example' };
        return linkPage({ ...shared, ...view, endsAt: now + day }, brand);
      },
    ],
    [
      'role of a member',
      () => {
        const view = { user: 'usr_ben', name: 'Ben', roles, role: 'member', stepsDown: false };
        return changeRolePage({ ...shared, ...view, several: ['Admin', 'Auditor'] }, brand);
      },
    ],
    [
      'role, with a problem, of oneself',
      () => {
        const problems = wrong('role', membersTexts.changing.problem);
        const view = { user: 'usr_ada', name: 'Ada', roles, stepsDown: true, problems };
        return changeRolePage({ ...shared, ...view }, brand);
      },
    ],
    ['remove a member', () => removePage({ ...shared, user: 'usr_ben', name: 'Ben' }, brand)],
    ['no right', () => noRightPage({ account: 'Acme', back: '/account' }, brand)],
    ...accountSamples({ brand, now, rows }),
    ...settingSamples(brand, shared),
    [
      'activity',
      () => {
        const row = { who: 'Ben', by: 'Ada Lovelace', roles: 'Admin', domain: 'acme.example' };
        const types = ['member.changed', 'member.removed', 'account.domain_proven', 'new.thing'];
        const happened = types.map((type, index) => ({ ...row, type, at: now - index * day }));
        const view = { ...shared, tab: 'activity', rows: happened, older: '/o' } as const;
        return activityPage(view, brand);
      },
    ],
    ['activity, none', () => activityPage({ ...shared, tab: 'activity', rows: [] }, brand)],
  ];
}

function accountSamples({ brand, now, rows }: Given): [string, () => Html][] {
  const shared = { tab: 'accounts', sells: true, csrf: 'v1.mac', now, search: '' } as const;
  const view = { ...shared, accounts: rows, count: rows.length, searchFrom: 8 };
  const empty = { invited: [], offers: [] };
  const account = { id: 'acc_1', name: 'Acme', rights, isOwner: true };
  return [
    ['accounts', () => accountsPage({ ...view, ...empty, current: rows[0]?.id }, brand)],
    ['accounts, none', () => accountsPage({ ...view, ...empty, accounts: [], count: 0 }, brand)],
    [
      'accounts, many, and offers',
      () =>
        accountsPage(
          {
            ...view,
            count: 240,
            done: accountsTexts.done.left,
            before: '/p',
            after: '/n',
            invited: [
              { id: 'inv_1', account: 'Globex', role: 'Member', mode: 'invited' },
              { id: 'inv_2', account: 'Hooli', role: 'Member', mode: 'waiting' },
            ],
            offers: [
              { id: 'acc_7', account: 'Initech', domain: 'initech.example', mode: 'ask' },
              { id: 'acc_8', account: 'Umbrella', domain: 'umbrella.example', mode: 'join' },
            ],
          },
          brand,
        ),
    ],
    [
      'accounts, without a match',
      () => accountsPage({ ...view, ...empty, accounts: [], count: 9, search: 'zz' }, brand),
    ],
    ['leave an account', () => leavePage({ ...shared, account }, brand)],
    [
      'leave an account as its only owner',
      () => leavePage({ ...shared, account, lastOwner: { handOver: '/h', close: '/c' } }, brand),
    ],
  ];
}

function settingSamples(
  brand: Brand,
  given: { account: { id: string; name: string }; csrf: string; back: string },
): [string, () => Html][] {
  const account = { ...given.account, rights, isOwner: true };
  const shared = { ...given, account, tab: 'settings', sells: true } as const;
  const view = {
    ...shared,
    name: 'Acme',
    mayChange: true,
    domains: [
      { domain: 'acme.example', isProven: true, href: '/d' },
      { domain: 'donaudampfschifffahrtsgesellschaft.example', isProven: false, href: '/e' },
    ],
    owners: { names: ['Ada Lovelace'], add: '/a', close: '/c' },
  };
  const domain = {
    ...shared,
    domain: 'acme.example',
    isProven: false,
    record: {
      name: '_tollgate.acme.example',
      value: 'tollgate-domain=0123456789abcdefghijklmnopqrstuvwxyzABCDEF',
    },
    mode: 'ask',
    role: 'member',
    roles: [{ value: 'member', label: 'Member' }],
  };
  const owner = {
    ...shared,
    search: '',
    canSearch: true,
    hasMore: true,
    candidates: [
      { value: 'usr_ben', label: 'Ben', help: 'ben@example.com' },
      { value: 'usr_cleo', label: 'Cleo' },
    ],
    afterwards: 'owner',
    roles: domain.roles,
  };
  return [
    ['settings', () => settingsPage(view, brand)],
    [
      'settings, for a member',
      () => {
        const plain = { ...account, rights: none, isOwner: false };
        return settingsPage({ ...shared, account: plain, name: 'Acme', mayChange: false }, brand);
      },
    ],
    [
      'settings, with a problem',
      () => {
        const problems = new Map([['domain', membersTexts.problems.domain_public]]);
        return settingsPage({ ...view, domain: 'gmail.com', problems }, brand);
      },
    ],
    ['domain', () => domainPage(domain, brand)],
    [
      'domain, proven',
      () => domainPage({ ...domain, isProven: true, done: settingsTexts.done.proven }, brand),
    ],
    ['new owner', () => ownerPage(owner, brand)],
    [
      'new owner, nobody there',
      () => ownerPage({ ...owner, canSearch: false, hasMore: false, candidates: [] }, brand),
    ],
    [
      'new owner, with a problem',
      () => {
        const problems = new Map([['to', settingsTexts.ownership.toProblem]]);
        return ownerPage({ ...owner, search: 'b', problems }, brand);
      },
    ],
  ];
}
