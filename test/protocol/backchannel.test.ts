/** OpenID Connect Back-Channel Logout 1.0, from the sign-out to the token that the app gets. */

import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import { clientReceivers } from '../../src/events/client_receivers.ts';
import type { ReceiverSource } from '../../src/events/receivers.ts';
import { openKeyring } from '../../src/oidc/keyring.ts';
import { createSign } from '../../src/oidc/signing.ts';
import type { PendingEvent } from '../../src/storage/store.ts';
import { testSecret } from '../kit/server.ts';
import { clients, claimsOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { get, refresh, signIn, startProtocolWorld } from './kit.ts';

let world: World;
/** As the server has them: by the same configuration, with the same keys. */
let source: ReceiverSource;

beforeAll(async () => {
  world = await startProtocolWorld({
    clients: clients.map((client) =>
      ['app', 'other'].includes(client.id)
        ? { ...client, backchannelLogoutUri: `http://127.0.0.1:1/${client.id}` }
        : client,
    ),
  });
  const { store, log, issuer, config } = world;
  const { lifetimes, clients: configured } = config;
  const clock = Date.now;
  const secrets = createSecrets([testSecret]);
  const keyring = await openKeyring({ store, secrets, clock, log, lifetimes });
  const sign = createSign(keyring);
  source = clientReceivers({ issuer, clients: () => configured, sign, clock });
});

afterAll(() => world.close());

/** What the receivers of this world are told of these events: by receiver. */
async function logoutTokens(events: readonly PendingEvent[]): Promise<[string, string][]> {
  const told: [string, string][] = [];
  const receivers = await source.all();
  for (const { id, type, at, data, version, kind, document } of events) {
    const notice = { type, at, data, cause: { kind, id: document, version }, expiresAt: at };
    for (const receiver of receivers) {
      for (const wanted of receiver.wants(id, notice)) {
        const delivery = { notice: id, receiver: receiver.id, lane: '', type, ...wanted };
        const state = { state: 'waiting', attempts: 0, createdAt: at } as const;
        const { body } = await receiver.encode(id, notice, { ...delivery, ...state });
        told.push([receiver.id, new URLSearchParams(body).get('logout_token') ?? '']);
      }
    }
  }
  return told;
}

/** Runs it, and answers the events that it wrote and that followed. */
async function eventsOf(act: () => Promise<unknown>): Promise<PendingEvent[]> {
  const before = new Set((await records()).map(({ id }) => id));
  await act();
  await world.server.dispatcher.drain();
  return (await records())
    .filter(({ id }) => !before.has(id))
    .map(({ id, document: { type, at, data } }) => ({
      id,
      type,
      at,
      data,
      version: 1,
      kind: 'session',
      document: 'cause',
    }));
}

const records = () => world.store.find('audit', 'user', 'usr_ada', { limit: 1000 });

describe('discovery', () => {
  test('says that apps are told, with their session', async () => {
    const { body } = await get(`${world.issuer}/.well-known/openid-configuration`);
    expect(body).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
  });
});

describe('signing out', () => {
  test('T45 T47 each app gets one token, with the sub and the sid of its ID token', async () => {
    const person = world.browser();
    const app = await signIn(world.issuer, person);
    const other = await signIn(world.issuer, person, { client: 'other', account: 'acc_globex' });
    // A second account at the same app is the same session there.
    await signIn(world.issuer, person, {
      account: 'acc_globex',
      parameters: { account: 'acc_globex' },
    });
    const events = await eventsOf(() =>
      person.get(`${world.issuer}/oauth2/logout?id_token_hint=${app.id_token}`),
    );
    const told = await logoutTokens(events);
    expect(told.map(([id]) => id).toSorted()).toEqual(['client:app', 'client:other']);
    const keys = createRemoteJWKSet(new URL(`${world.issuer}/oauth2/jwks`));
    for (const [id, token] of told) {
      const client = id.slice('client:'.length);
      const { payload } = await jwtVerify(token, keys, {
        issuer: world.issuer,
        audience: client,
        typ: 'logout+jwt',
        algorithms: ['RS256'],
      });
      const { sub, sid } = claimsOf((client === 'app' ? app : other).id_token);
      expect(sid).toMatch(/^[\w-]+$/);
      expect(payload).toMatchObject({ sub, sid });
      expect(payload.nonce).toBeUndefined();
    }
  });
});

describe('T47 the session at an app', () => {
  test.each(['app', 'spa', 'plain', 'partner'])(
    'T47 is in every ID token of %s, the same after a refresh',
    async (client) => {
      const tokens = await signIn(world.issuer, world.browser(), { client });
      const { sid } = claimsOf(tokens.id_token);
      expect(sid).toMatch(/^[\w-]{20,}$/);
      const { body } = await refresh(world.issuer, client, tokens.refresh_token);
      expect(claimsOf(body.id_token).sid).toBe(sid);
    },
  );

  test('T47 T48 is in the notice of each session of somebody whose access an operator ends', async () => {
    await world.server.directory.revokeUser('usr_ada', 'operator');
    await world.server.dispatcher.drain();
    const tokens = [
      await signIn(world.issuer, world.browser()),
      await signIn(world.issuer, world.browser()),
    ];
    const events = await eventsOf(() => world.server.directory.revokeUser('usr_ada', 'operator'));
    const told = (await logoutTokens(events)).map(([, token]) => claimsOf(token).sid);
    const sids = tokens.map(({ id_token: token }) => claimsOf(token).sid);
    expect(told.toSorted()).toEqual(sids.toSorted());
  });
});
