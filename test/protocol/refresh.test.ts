/** Refresh tokens: who may use them, for how long, and what a stolen one comes to. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { startServer } from '../kit/server.ts';
import { claimsOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import {
  basic,
  credentials,
  post,
  refresh,
  secretOf,
  signIn,
  silently,
  startProtocolWorld,
  travel,
  userinfo,
} from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld({
    lifetimes: { refreshIdle: 1000, refreshAbsolute: 2500, sessionIdle: 500, sessionAbsolute: 900 },
  });
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

const signInAs = (client: string) => signIn(world.issuer, world.browser(), { client });
const dead = { status: 400, body: { error: 'invalid_grant' } };

async function revocations(grant: string | undefined) {
  await world.server.dispatcher.drain();
  const records = await world.store.find('audit', 'user', 'usr_ada', { limit: 1000 });
  return records
    .map(({ document }) => document)
    .filter(({ type, data }) => type === 'grant.revoked' && data.grant === grant);
}

describe('T50 rotation', () => {
  for (const client of ['app', 'spa']) {
    test(`T50 ${client}: each refresh brings another token, with claims of now`, async () => {
      const first = await signInAs(client);
      const second = await refresh(world.issuer, client, first.refresh_token);
      expect(second.status).toBe(200);
      expect(second.headers.get('cache-control')).toBe('no-store');
      expect(second.body.refresh_token).not.toBe(first.refresh_token);
      const before = claimsOf(first.id_token);
      const after = claimsOf(second.body.id_token);
      for (const name of ['sub', 'aud', 'sid', 'iss']) expect(after[name]).toEqual(before[name]);
    });

    test(`T50 ${client}: an old one after the grace was stolen: the family is dead, and it is told`, async () => {
      const first = await signInAs(client);
      const second = await refresh(world.issuer, client, first.refresh_token);
      const third = await refresh(world.issuer, client, second.body.refresh_token);
      travel(60);
      // Clocks may differ: so early it is refused, and nobody dies.
      expect(await refresh(world.issuer, client, first.refresh_token)).toMatchObject(dead);
      travel(60);
      expect(await refresh(world.issuer, client, first.refresh_token)).toMatchObject(dead);
      for (const { body } of [second, third]) {
        expect(await refresh(world.issuer, client, body.refresh_token)).toMatchObject(dead);
      }
      expect((await userinfo(world.issuer, third.body.access_token)).status).toBe(401);
      const told = await revocations(first.refresh_token.split('.')[2]);
      expect(told).toHaveLength(1);
      expect(told[0]?.data).toMatchObject({ reason: 'refresh_token_reuse', client });
    });
  }

  test('T50 an old one within the grace is a second tab: the present one again', async () => {
    const first = await signInAs('spa');
    const second = await refresh(world.issuer, 'spa', first.refresh_token);
    travel(20);
    const again = await refresh(world.issuer, 'spa', first.refresh_token);
    expect(again).toMatchObject({
      status: 200,
      body: { refresh_token: second.body.refresh_token },
    });
  });

  test('T50 without a grace the old one is refused at once, and kills later', async () => {
    const first = await signInAs('strict');
    const second = await refresh(world.issuer, 'strict', first.refresh_token);
    expect(await refresh(world.issuer, 'strict', first.refresh_token)).toMatchObject(dead);
    const third = await refresh(world.issuer, 'strict', second.body.refresh_token);
    expect(third.status).toBe(200);
    travel(70);
    expect(await refresh(world.issuer, 'strict', first.refresh_token)).toMatchObject(dead);
    expect(await refresh(world.issuer, 'strict', third.body.refresh_token)).toMatchObject(dead);
  });

  test('T34 the answer was lost: a client with a secret may come with the one before', async () => {
    const first = await signInAs('app');
    await refresh(world.issuer, 'app', first.refresh_token);
    travel(300);
    const again = await refresh(world.issuer, 'app', first.refresh_token);
    expect(again.status).toBe(200);
    expect((await refresh(world.issuer, 'app', again.body.refresh_token)).status).toBe(200);
  });

  test('T34 a public client may not', async () => {
    const first = await signInAs('spa');
    const second = await refresh(world.issuer, 'spa', first.refresh_token);
    travel(300);
    expect(await refresh(world.issuer, 'spa', first.refresh_token)).toMatchObject(dead);
    expect(await refresh(world.issuer, 'spa', second.body.refresh_token)).toMatchObject(dead);
  });
});

describe('T51 a refresh token is of use to its client alone', () => {
  test('T51 without or with a wrong secret it is refused, and nothing happens', async () => {
    const { refresh_token: present } = await signInAs('app');
    const url = `${world.issuer}/oauth2/token`;
    const fields = { grant_type: 'refresh_token', refresh_token: present };
    const wrong = 'x'.repeat(40);
    for (const answer of [
      await post(url, { ...fields, client_id: 'app', client_secret: wrong }),
      await post(url, fields, basic('app', wrong)),
      await post(url, fields, basic('nobody', wrong)),
    ]) {
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    }
    for (const answer of [
      await post(url, { ...fields, client_id: 'app' }),
      await post(url, fields, basic('app', '')),
      await post(url, fields),
    ]) {
      expect([400, 401]).toContain(answer.status);
      expect(['invalid_client', 'invalid_request']).toContain(answer.body.error);
    }
    expect((await refresh(world.issuer, 'app', present)).status).toBe(200);
  });

  test('T51 in the header and in the body at once is refused', async () => {
    const { refresh_token: present } = await signInAs('app');
    const headers = basic('app');
    const { status, body } = await refresh(world.issuer, 'app', present, {}, headers);
    expect(status).toBe(400);
    expect(body.error).toBe('invalid_request');
  });

  for (const client of ['other', 'spa', 'plain']) {
    test(`T51 ${client} cannot use another's, and does it no harm`, async () => {
      const { refresh_token: present } = await signInAs('app');
      expect(await refresh(world.issuer, client, present)).toMatchObject(dead);
      expect((await refresh(world.issuer, 'app', present)).status).toBe(200);
      travel(40);
      // Nor with an old one, which would otherwise end the family.
      expect(await refresh(world.issuer, client, present)).toMatchObject(dead);
      const next = await signInAs('app');
      expect((await refresh(world.issuer, 'app', next.refresh_token)).status).toBe(200);
    });
  }

  test('T51 a public client cannot take the place of a confidential one by leaving the secret out', async () => {
    const { refresh_token: present } = await signInAs('app');
    const url = `${world.issuer}/oauth2/token`;
    const fields = { grant_type: 'refresh_token', refresh_token: present, client_id: 'app' };
    expect((await post(url, { ...fields, client_secret: '' })).status).toBe(401);
    expect((await post(url, { ...fields, client_secret: secretOf('other') })).status).toBe(401);
    expect((await post(url, { ...fields, ...credentials('app') })).status).toBe(200);
  });
});

describe('T52 how long', () => {
  test('T52 what is not used ends', async () => {
    const tokens = await signInAs('app');
    travel(1020);
    expect(await refresh(world.issuer, 'app', tokens.refresh_token)).toMatchObject(dead);
  });

  for (const client of ['app', 'spa']) {
    test(`T52 ${client}: what is used moves its idle end, never its absolute one`, async () => {
      let { refresh_token: present } = await signInAs(client);
      for (const step of [900, 900]) {
        travel(step);
        const { status, body } = await refresh(world.issuer, client, present);
        expect(status).toBe(200);
        present = body.refresh_token ?? '';
      }
      travel(680);
      expect((await refresh(world.issuer, client, present)).status).toBe(200);
      travel(40);
      expect(await refresh(world.issuer, client, present)).toMatchObject(dead);
    });
  }

  test('T52 a session that ran out leaves the tokens to their own end', async () => {
    const person = world.browser({ clock: () => Date.now() });
    const tokens = await signIn(world.issuer, person);
    travel(600);
    const { parameters } = await silently(world.issuer, person, 'app');
    expect(parameters.get('error')).toBe('login_required');
    expect((await refresh(world.issuer, 'app', tokens.refresh_token)).status).toBe(200);
  });

  test('T52 a session ends, however much it is used', async () => {
    const person = world.browser({ clock: () => Date.now() });
    await signIn(world.issuer, person);
    for (const step of [400, 400]) {
      travel(step);
      const { parameters } = await silently(world.issuer, person, 'app');
      expect(parameters.get('code')).not.toBeNull();
    }
    travel(200);
    const { parameters } = await silently(world.issuer, person, 'app');
    expect(parameters.get('error')).toBe('login_required');
  });
});

test('T53 what is dead stays dead over a restart, and what lives lives', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tollgate-restart-'));
  const path = join(directory, 'tollgate.db');
  const clock = () => Date.now();
  try {
    let store = await openSqlite({ path, clock });
    const first = await startProtocolWorld({}, { store });
    const revoked = await signIn(first.issuer, first.browser());
    const living = await signIn(first.issuer, first.browser());
    const rotated = await refresh(first.issuer, 'app', living.refresh_token);
    const url = `${first.issuer}/oauth2/revoke`;
    await post(url, { ...credentials('app'), token: revoked.refresh_token });
    await first.close();
    await store.close();

    store = await openSqlite({ path, clock });
    const second = await startServer({
      store,
      clock,
      config: { clients: first.config.clients, products: first.config.products },
    });
    expect(await refresh(second.issuer, 'app', revoked.refresh_token)).toMatchObject(dead);
    travel(400);
    const stale = await refresh(second.issuer, 'app', rotated.body.refresh_token);
    expect(stale.status).toBe(200);
    const third = await refresh(second.issuer, 'app', stale.body.refresh_token);
    expect(third.status).toBe(200);
    travel(400);
    expect(await refresh(second.issuer, 'app', living.refresh_token)).toMatchObject(dead);
    expect(await refresh(second.issuer, 'app', third.body.refresh_token)).toMatchObject(dead);
    await second.close();
    await store.close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
