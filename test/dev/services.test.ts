/**
 * O-10 Whatever ends or changes access (each row of `docs/events.md`), from end to end: somebody is signed in, three
 * services take their token, and then each refuses it that is told of such things in its encoding.
 */

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePortBase, portsFrom } from '../../dev/ports.ts';
import { startWorld } from '../../dev/world.ts';
import type { World } from '../../dev/world.ts';
import { announcing } from '../../src/events/outbox.ts';
import { decideCutoff } from '../../src/oidc/cutoffs.ts';
import { createEndings } from '../../src/oidc/endings.ts';
import { createUnitOfWork } from '../../src/storage/work.ts';
import { recordingLog } from '../kit/server.ts';
import { claimsOf } from '../kit/world.ts';
import { asApp, askAll, refreshing, somebody, tokens, untilSaid } from './people_of_services.ts';
import type { Said, Somebody } from './people_of_services.ts';

let world: World;

beforeAll(async () => {
  const ports = portsFrom(await freePortBase());
  const log = recordingLog();
  // Looked up each time: some stories move it on.
  const clock = () => Date.now();
  world = await startWorld({ ports, store: 'sqlite::memory:', clock, log });
});
afterAll(() => world.close());

const revoked = 'token_revoked';
const everywhere: Said = { webhooks: revoked, logout: revoked, stream: revoked };
/** Logout tokens are about sessions, and tell nothing of roles and plans. */
const stale: Said = { webhooks: 'token_stale', stream: 'token_stale' };

interface Cause {
  name: string;
  act(who: Somebody): Promise<unknown>;
  said: Said;
}

const told = () => announcing(world.store, (events) => world.server.dispatcher.wake(events));
const directory = () => world.server.directory;

const overHttp: Cause[] = [
  {
    name: 'Somebody signs out of an app (RP-initiated logout)',
    act: ({ browser, id }) => browser.get(`${world.issuer}/oauth2/logout?id_token_hint=${id}`),
    said: everywhere,
  },
  {
    name: 'Somebody signs out by a link (`/signout`)',
    act: ({ browser }) => browser.get(`${world.issuer}/signout`),
    said: everywhere,
  },
  {
    name: 'An app revokes its token',
    act: ({ refresh }) => asApp(world, { token: refresh }, '/oauth2/revoke'),
    said: everywhere,
  },
];

/** There are no pages for these yet: what they will call, or what the command does. */
const elsewhere: Cause[] = [
  {
    name: 'Somebody signs out everywhere',
    act: ({ user }) => directory().revokeUser(user, 'signed_out'),
    said: everywhere,
  },
  {
    name: 'A member is removed',
    act: ({ user, account }) => directory().removeMember(account, user),
    said: everywhere,
  },
  {
    name: 'A member gets other roles',
    act: ({ user, account }) => directory().setRoles(account, user, ['admin']),
    said: stale,
  },
  {
    name: 'A user is disabled',
    act: ({ user }) => directory().setUserStatus(user, 'disabled'),
    said: everywhere,
  },
  {
    name: 'A user is deleted',
    act: ({ user }) => directory().setUserStatus(user, 'deleted'),
    said: everywhere,
  },
  {
    name: 'An account is closed',
    act: ({ account }) => directory().closeAccount(account),
    said: everywhere,
  },
  {
    name: 'A subscription begins, changes or ends',
    act: ({ account }) =>
      world.project(account, world.product, {
        subscription: 'sub_1',
        status: 'active',
        plan: 'team',
        quantity: 5,
      }),
    said: stale,
  },
  {
    name: '`tollgate revoke user`',
    act: ({ user }) => directory().revokeUser(user, 'operator'),
    said: everywhere,
  },
  {
    name: '`tollgate revoke account`',
    act: ({ account }) => directory().revokeAccount(account),
    said: everywhere,
  },
  {
    name: '`tollgate revoke session`',
    async act({ user }) {
      const [session] = await world.store.find('session', 'user', user);
      const store = told();
      const work = createUnitOfWork(store);
      const endings = createEndings({ store, work, clock: Date.now });
      await endings.session(session?.id ?? '', 'operator');
    },
    said: everywhere,
  },
  {
    name: '`tollgate revoke client`',
    act: () => cutOff({ client: world.client.id, reason: 'operator' }),
    said: everywhere,
  },
  {
    name: '`tollgate revoke --all-before`',
    act: () => cutOff({ reason: 'key_compromise' }),
    said: everywhere,
  },
];

function cutOff(wish: { client?: string; reason: 'operator' | 'key_compromise' }) {
  return decideCutoff({ store: told(), clock: Date.now }, { before: Date.now(), ...wish });
}

describe('O-10 each service refuses', () => {
  test.each([...overHttp, ...elsewhere].map((cause) => [cause.name, cause] as const))(
    '%s',
    async (_name, { act, said }) => {
      const who = await somebody(world);
      expect(await askAll(world, who.access)).toEqual({});
      await act(who);
      expect(await untilSaid(world, who.access, said)).toEqual(said);
    },
  );

  test('what is out of date is good again after a refresh', async () => {
    const { user, account, access, refresh } = await somebody(world);
    await directory().setRoles(account, user, ['admin']);
    expect(await untilSaid(world, access, stale)).toEqual(stale);
    const next = await tokens(world, refreshing(refresh));
    expect(claimsOf(next.access)).toMatchObject({ roles: ['admin'] });
    expect(await askAll(world, next.access)).toEqual({});
  });

  test('nobody else: neither other people, nor the same ones when they come back', async () => {
    const [one, other] = [await somebody(world), await somebody(world)];
    await directory().revokeUser(one.user, 'operator');
    expect(await untilSaid(world, one.access, everywhere)).toEqual(everywhere);
    expect(await askAll(world, other.access)).toEqual({});
  });
});

describe('O-10 a service that was away', () => {
  test('fetches what it missed before it is ready, and refuses at once', async () => {
    const [gone, still] = [await somebody(world), await somebody(world)];
    await world.services.stop('stream');
    await directory().removeMember(gone.account, gone.user);
    const others: Said = { webhooks: revoked, logout: revoked };
    const { webhooks, logout } = world.services.present;
    await vi.waitFor(async () => {
      for (const { url } of [webhooks, logout]) expect(await ask(url, gone.access)).toBe(401);
    }, 15_000);
    const { url, lately } = await world.services.start('stream');
    expect(await ask(url, gone.access)).toBe(401);
    expect(await ask(url, still.access)).toBe(200);
    expect(lately.refused).toMatchObject([{ code: revoked }]);
    expect(await askAll(world, gone.access)).toEqual({ ...others, stream: revoked });
  });
});

async function ask(url: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api/me`, { headers });
  await answer.body?.cancel();
  return answer.status;
}

describe('O-10 nothing is refused', () => {
  const heard = (type: string) =>
    vi.waitFor(() => {
      const { lately } = world.services.present.webhooks;
      expect(lately.heard[0]).toMatchObject({ type });
      expect(lately.warnings).toEqual([]);
    }, 15_000);

  test('A way to sign in is removed', async () => {
    const { user, access } = await somebody(world);
    const another = { provider: 'hub', issuer: 'https://another.example', subject: user };
    const stored = await world.store.get('user', user);
    if (stored === undefined) throw new Error('the user is there');
    const identities = [...stored.document.identities, { ...another, linkedAt: Date.now() }];
    const document = { ...stored.document, identities };
    await world.store.write('user', user, document, { expect: stored.version });
    await directory().unlinkIdentity(user, another.issuer, another.subject);
    await heard('identity.unlinked');
    expect(await askAll(world, access)).toEqual({});
  });

  test('A session runs out: the apps’ tokens have times of their own', async () => {
    const { user, access } = await somebody(world);
    const [session] = await world.store.find('session', 'user', user);
    if (session === undefined) throw new Error('the session is there');
    const document = { ...session.document, expiresAt: Date.now() - 1 };
    await world.store.write('session', session.id, document, { expect: session.version });
    await told().sweep(Date.now());
    await world.server.dispatcher.drain();
    await heard('session.ended');
    expect(await askAll(world, access)).toEqual({});
  });
});

/** Last, because the clock of all goes on meanwhile, and then comes back. */
describe('O-10 each service refuses what was stolen', () => {
  test.each([
    ['A code is used a second time', 10, 'code'],
    ['A refresh token is used a second time', 200, 'refresh'],
  ] as const)('%s', async (_name, seconds, what) => {
    const who = await somebody(world);
    // A lost answer is made good: so the thief's is not the one before the last.
    const { refresh, access } = await tokens(world, refreshing(who.refresh));
    if (what === 'refresh') await tokens(world, refreshing(refresh));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
    try {
      const again = what === 'code' ? who.code : refreshing(who.refresh);
      expect((await asApp(world, again)).status).toBe(400);
      expect(await untilSaid(world, access, everywhere)).toEqual(everywhere);
    } finally {
      vi.useRealTimers();
    }
  });
});
