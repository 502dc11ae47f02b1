/**
 * What can end somebody's access, or change it: each a story of somebody of their own, who is signed in at two
 * browsers, with two apps and two accounts. The row of the same name in `docs/events.md` says the same.
 */

import { expect, vi } from 'vitest';
import { createProject } from '../../src/billing/projection.ts';
import type { Project } from '../../src/billing/projection.ts';
import type { Directory } from '../../src/directory/directory.ts';
import { decideCutoff } from '../../src/oidc/cutoffs.ts';
import { createEndings } from '../../src/oidc/endings.ts';
import { createOwnSessions } from '../../src/oidc/own_sessions.ts';
import type { OwnSessions } from '../../src/oidc/own_sessions.ts';
import { createUnitOfWork } from '../../src/storage/work.ts';
import type { MortalWorld } from '../kit/mortal_world.ts';
import { claimsOf, redeem, refresh, revoke, signIn } from '../kit/world.ts';
import { ok } from './fault_stories.ts';
import { clientOf, holdings } from './lives.ts';
import type { Holding, Life } from './lives.ts';

export interface Cause {
  name: string;
  /** Again and again until it is done. @throws when it did not come to its end */
  act(life: Life, world: MortalWorld): Promise<unknown>;
  /** `type reason client`, in any order. */
  events: readonly string[];
  /** What is dead for good; the rest lives. */
  dies: readonly Holding[];
  /** More of what must be true. */
  also?(life: Life, world: MortalWorld): Promise<void>;
  /** It is about what a browser does, or about what has gone over the wire: it takes a life that was lived. */
  lived?: true;
  /** Who asks again is told of again: these may come twice. */
  repeatable?: readonly string[];
}

const signedOut = (reason: string, ...clients: string[]) => [
  `session.ended ${reason}`,
  ...clients.map((client) => `grant.revoked session_ended ${client}`),
];
const here = ['app', 'other'] as const;

const directoryOf = (world: MortalWorld): Directory => world.server().directory;

/** The clock of all goes on, for as long as this takes. */
async function later<T>(seconds: number, act: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
  try {
    return await act();
  } finally {
    vi.useRealTimers();
  }
}

async function claimsNow(life: Life, world: MortalWorld, holding: Holding) {
  const client = clientOf(holding);
  const { body } = await refresh(world.issuer, client, life.tokens[holding].refresh_token);
  return claimsOf(body.access_token);
}

const projecting = ({ store }: MortalWorld): Project =>
  createProject({ store, clock: Date.now, config: { products: [] } });

const projection = { subscription: 'sub_1', status: 'active', plan: 'team', quantity: 5 };

function endingsOf({ store }: MortalWorld) {
  return createEndings({ store, work: createUnitOfWork(store), clock: Date.now });
}

function ownSessionsOf(world: MortalWorld): OwnSessions {
  return createOwnSessions({ store: world.store, clock: Date.now, endings: endingsOf(world) });
}

const userCauses: Cause[] = [
  {
    name: 'Somebody signs out of an app (RP-initiated logout)',
    lived: true,
    async act({ browser, tokens }, { issuer }) {
      const page = await browser.get(
        `${issuer}/oauth2/logout?id_token_hint=${tokens.app.id_token}`,
      );
      ok({ status: page.status }, 400);
    },
    events: signedOut('signed_out', ...here),
    dies: here,
  },
  {
    name: 'Somebody signs out by a link (`/signout`)',
    lived: true,
    async act({ browser }, { issuer }) {
      const page = await browser.get(`${issuer}/signout`);
      if (!page.stopped) ok({ status: page.status });
    },
    events: signedOut('signed_out', ...here),
    dies: here,
  },
  {
    name: 'Somebody signs out of one app alone',
    lived: true,
    async act({ browser }, { issuer }) {
      const question = await browser.get(`${issuer}/oauth2/logout?client_id=app`);
      ok({ status: question.status });
      const button = question.forms.flatMap(({ buttons }) => buttons).at(-1)?.text ?? '';
      ok({ status: (await browser.submit(question, { button })).status });
    },
    events: ['grant.revoked signed_out app'],
    dies: ['app'],
  },
  {
    name: 'Somebody signs out everywhere',
    act: ({ user }, world) => directoryOf(world).revokeUser(user, 'signed_out'),
    events: [
      'user.revoked signed_out',
      ...signedOut('signed_out', ...here),
      ...signedOut('signed_out', 'spa'),
    ],
    dies: holdings,
    repeatable: ['user.revoked signed_out'],
    async also({ someone, one }, world) {
      const back = await signIn(world.issuer, world.browser(), { someone, account: one });
      expect((await refresh(world.issuer, 'app', back.refresh_token)).status).toBe(200);
    },
  },
  {
    name: 'Somebody signs out one device (`/account/sessions`)',
    async act({ user }, world) {
      const grants = await world.store.find('grant', 'user', user);
      const { session } = grants.find(({ document }) => document.client === 'app')!.document;
      await ownSessionsOf(world).end(user, session, 'signed_out');
    },
    events: signedOut('signed_out', ...here),
    dies: here,
  },
  {
    name: 'Somebody signs out of an app on all devices (`/account/apps`)',
    act: ({ user }, world) => ownSessionsOf(world).endApp(user, 'spa'),
    events: ['grant.revoked signed_out spa'],
    dies: ['phone'],
  },
  {
    name: 'A session runs out',
    async act({ user }, { store }) {
      const sessions = await store.find('session', 'user', user);
      const last = Math.max(0, ...sessions.map(({ document }) => document.expiresAt));
      await store.sweep(last);
    },
    events: ['session.ended expired', 'session.ended expired'],
    dies: [],
  },
  {
    name: 'An app revokes its token',
    async act({ tokens }, { issuer }) {
      ok(await revoke(issuer, 'app', tokens.app.refresh_token));
    },
    events: ['grant.revoked revocation_endpoint app'],
    dies: ['app'],
  },
  {
    name: 'A refresh token is used a second time',
    async act({ tokens }, { issuer }) {
      const { refresh_token: stolen } = tokens.phone;
      ok(await refresh(issuer, 'spa', stolen), 400);
      await later(200, async () => ok(await refresh(issuer, 'spa', stolen), 400));
    },
    events: ['grant.revoked refresh_token_reuse spa'],
    dies: ['phone'],
  },
  {
    name: 'A code is used a second time',
    lived: true,
    async act({ redemption }, { issuer }) {
      await later(10, async () => ok(await redeem(issuer, redemption), 400));
    },
    events: ['grant.revoked code_reuse app'],
    dies: ['app'],
  },
];

const directoryCauses: Cause[] = [
  {
    name: 'A member is removed',
    act: ({ user, one }, world) => directoryOf(world).removeMember(one, user),
    events: [
      'member.removed',
      'grant.revoked member_removed app',
      'grant.revoked member_removed spa',
    ],
    dies: ['app', 'phone'],
  },
  {
    name: 'A member gets other roles',
    act: ({ user, one }, world) => directoryOf(world).setRoles(one, user, ['admin']),
    events: ['member.changed'],
    dies: [],
    async also(life, world) {
      expect(await claimsNow(life, world, 'app')).toMatchObject({ roles: ['admin'] });
    },
  },
  {
    name: 'A user is disabled',
    act: ({ user }, world) => directoryOf(world).setUserStatus(user, 'disabled'),
    events: [
      'user.disabled',
      ...signedOut('user_disabled', ...here),
      ...signedOut('user_disabled', 'spa'),
    ],
    dies: holdings,
  },
  {
    name: 'A user is deleted',
    act: ({ user }, world) => directoryOf(world).setUserStatus(user, 'deleted'),
    events: [
      'user.deleted',
      ...signedOut('user_disabled', ...here),
      ...signedOut('user_disabled', 'spa'),
    ],
    dies: holdings,
  },
  {
    name: 'An account is closed',
    act: ({ one }, world) => directoryOf(world).closeAccount(one),
    events: [
      'account.closed',
      'grant.revoked account_closed app',
      'grant.revoked account_closed spa',
    ],
    dies: ['app', 'phone'],
  },
  {
    name: 'A way to sign in is removed',
    act: ({ user, someone: { subject } }, world) =>
      directoryOf(world).unlinkIdentity(user, world.upstream, subject),
    events: ['identity.unlinked'],
    dies: [],
    async also({ user, someone }, world) {
      const left = (await directoryOf(world).user(user))?.document.identities;
      expect(left?.map(({ provider }) => provider)).toEqual(['another']);
      const last = directoryOf(world).unlinkIdentity(
        user,
        'https://another.example',
        someone.subject,
      );
      await expect(last).rejects.toMatchObject({ code: 'last_identity' });
    },
  },
  {
    name: 'A subscription begins, changes or ends',
    act: ({ one }, world) => projecting(world)(one, 'api', projection),
    events: ['subscription.changed'],
    dies: [],
    async also(life, world) {
      expect(await claimsNow(life, world, 'app')).toMatchObject({ plan: 'team', quantity: 5 });
    },
  },
];

const operatorCauses: Cause[] = [
  {
    name: '`tollgate revoke user`',
    act: ({ user }, world) => directoryOf(world).revokeUser(user, 'operator'),
    events: [
      'user.revoked operator',
      ...signedOut('operator', ...here),
      ...signedOut('operator', 'spa'),
    ],
    dies: holdings,
    repeatable: ['user.revoked operator'],
  },
  {
    name: '`tollgate revoke account`',
    act: ({ one }, world) => directoryOf(world).revokeAccount(one),
    events: [
      'account.revoked operator',
      'grant.revoked operator app',
      'grant.revoked operator spa',
    ],
    dies: ['app', 'phone'],
    repeatable: ['account.revoked operator'],
  },
  {
    name: '`tollgate revoke session`',
    async act({ user }, world) {
      const grants = await world.store.find('grant', 'user', user);
      const onPhone = grants.find(({ document }) => document.client === 'spa');
      await endingsOf(world).session(onPhone?.document.session ?? '', 'operator');
    },
    events: signedOut('operator', 'spa'),
    dies: ['phone'],
  },
];

/** These go through all users that there are. */
const cutoffCauses: Cause[] = [
  {
    name: '`tollgate revoke client`',
    act: ({ begunAt }, { store }) =>
      decideCutoff(
        { store, clock: Date.now },
        { before: begunAt, client: 'other', reason: 'operator' },
      ),
    events: ['tokens.revoked_before operator', 'grant.revoked operator other'],
    dies: ['other'],
  },
  {
    name: '`tollgate revoke --all-before`',
    act: ({ begunAt }, { store }) =>
      decideCutoff({ store, clock: Date.now }, { before: begunAt, reason: 'key_compromise' }),
    events: [
      'tokens.revoked_before key_compromise',
      ...signedOut('key_compromise', ...here),
      ...signedOut('key_compromise', 'spa'),
    ],
    dies: holdings,
  },
];

/** First those that take longer the more users there are. */
export const causes: readonly Cause[] = [
  ...cutoffCauses,
  ...userCauses,
  ...directoryCauses,
  ...operatorCauses,
];
