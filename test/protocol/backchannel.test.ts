/** OpenID Connect Back-Channel Logout 1.0, from the sign-out to the token that the app gets. */

import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clients, claimsOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { get, refresh, signIn, startProtocolWorld } from './kit.ts';
import { openTold } from './told.ts';
import type { Told } from './told.ts';

let world: World;
let told: Told;

beforeAll(async () => {
  world = await startProtocolWorld({
    clients: clients.map((client) =>
      ['app', 'other'].includes(client.id)
        ? { ...client, backchannelLogoutUri: `http://127.0.0.1:1/${client.id}` }
        : client,
    ),
  });
  told = await openTold(world);
});

afterAll(() => world.close());

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
    const events = await told.eventsOf(() =>
      person.get(`${world.issuer}/oauth2/logout?id_token_hint=${app.id_token}`),
    );
    const heard = await told.logoutTokens(events);
    expect(heard.map(([id]) => id).toSorted()).toEqual(['client:app', 'client:other']);
    const keys = createRemoteJWKSet(new URL(`${world.issuer}/oauth2/jwks`));
    for (const [id, token] of heard) {
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
    const events = await told.eventsOf(() =>
      world.server.directory.revokeUser('usr_ada', 'operator'),
    );
    const heard = (await told.logoutTokens(events)).map(([, token]) => claimsOf(token).sid);
    const sids = tokens.map(({ id_token: token }) => claimsOf(token).sid);
    expect(heard.toSorted()).toEqual(sids.toSorted());
  });
});
