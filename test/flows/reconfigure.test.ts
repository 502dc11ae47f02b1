/** A server whose clients and keys change under the requests. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import { rotateKey } from '../../src/oidc/key_rotation.ts';
import type { Config } from '../../src/config.ts';
import { testSecret } from '../kit/server.ts';
import {
  addressOf,
  authorizationRequest,
  goThrough,
  redeem,
  refresh,
  signIn,
  startWorld,
  token,
} from '../kit/world.ts';
import type { World } from '../kit/world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const without = (config: Config, ...gone: string[]): Config => ({
  ...config,
  clients: config.clients.filter(({ id }) => !gone.includes(id)),
});

const asMachine = () => token(world.issuer, 'machine', { grant_type: 'client_credentials' });

/** The beginning of a request for a token; `rest` is what is still to be sent. */
async function halfSent(): Promise<{ socket: Socket; rest: string }> {
  const secret = world.config.clients.find(({ id }) => id === 'machine')?.secret;
  const body = `grant_type=client_credentials&client_id=machine&client_secret=${secret}`;
  const socket = connect(world.port, '127.0.0.1');
  await once(socket, 'connect');
  const head = [
    'POST /oauth2/token HTTP/1.1',
    `Host: 127.0.0.1:${world.port}`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
    'Expect: 100-continue',
    'Connection: close',
    '',
    '',
  ];
  socket.write(head.join('\r\n'));
  // The answer `100 Continue` says that the request has begun.
  await once(socket, 'data');
  return { socket, rest: body };
}

test('a request that is under way ends with the clients that it began with, the next does not', async () => {
  const { socket, rest } = await halfSent();
  world.server.reconfigure(without(world.config, 'machine'));
  expect((await asMachine()).status).toBe(401);
  socket.write(rest);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
  socket.destroy();
});

test('a sign-in that was begun before ends after, with all that others changed', async () => {
  const { issuer } = world;
  const browser = world.browser();
  const request = authorizationRequest(issuer, 'app');
  const asked = await browser.get(request.url);
  world.server.reconfigure(without(world.config, 'other'));
  const code = (await goThrough(browser, asked)).searchParams.get('code') ?? '';
  world.server.reconfigure(without(world.config, 'other', 'plain'));
  const { status, body } = await redeem(issuer, { ...request, code });
  expect(status).toBe(200);
  world.server.reconfigure(without(world.config, 'plain'));
  expect((await refresh(issuer, 'app', body.refresh_token)).status).toBe(200);
});

test('a sign-in to an app that was removed meanwhile is over, and says so on a page', async () => {
  const browser = world.browser();
  const asked = await browser.get(authorizationRequest(world.issuer, 'app').url);
  expect(asked.forms.length).toBeGreaterThan(0);
  world.server.reconfigure(without(world.config, 'app'));
  const told = await browser.submit(asked, { button: 'person=ada' });
  expect(told.status).toBe(410);
  expect(new URL(told.url).origin).toBe(world.issuer);
  const refused = await browser.get(authorizationRequest(world.issuer, 'app').url);
  expect(refused.status).toBe(400);
  expect(world.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('an app that was removed gets nothing for its tokens, and for the code that it still had', async () => {
  const { issuer } = world;
  const browser = world.browser();
  const tokens = await signIn(issuer, browser, { client: 'other' });
  const request = authorizationRequest(issuer, 'other');
  const code = (await goThrough(browser, await browser.get(request.url))).searchParams.get('code');
  world.server.reconfigure(without(world.config, 'other'));
  for (const refused of [
    await redeem(issuer, { ...request, code: code ?? '' }),
    await refresh(issuer, 'other', tokens.refresh_token),
  ]) {
    expect({ status: refused.status, error: refused.body.error }).toEqual({
      status: 401,
      error: 'invalid_client',
    });
  }
  // It was the app that went, not the person.
  const silently = { prompt: 'none', account: 'acc_acme' };
  expect((await signIn(issuer, browser, { parameters: silently })).access_token).toBeDefined();
});

test('a changed app is the changed one at once: its secret, its addresses', async () => {
  const secret = 'a-new-client-secret-of-tests-for-the-machine';
  const moved = 'https://moved.example.com/callback';
  const clients = world.config.clients.map((client) =>
    client.id === 'machine'
      ? { ...client, secret }
      : client.id === 'app'
        ? { ...client, redirectUris: [moved] }
        : client,
  );
  world.server.reconfigure({ ...world.config, clients });
  expect((await asMachine()).status).toBe(401);
  const fields = { grant_type: 'client_credentials', client_secret: secret };
  expect((await token(world.issuer, 'machine', fields)).status).toBe(200);
  const at = (redirect: string) =>
    world.browser().get(authorizationRequest(world.issuer, 'app', { redirect_uri: redirect }).url);
  expect((await at(addressOf('app'))).status).toBe(400);
  expect((await at(moved)).status).toBe(200);
});

test('no user gets the id of an app that came later, nor of one that was removed', async () => {
  const { directory } = world.server;
  const newcomer = { ...world.config.clients[0]!, id: 'newcomer' };
  const identity = (subject: string) => ({ provider: 'upstream', issuer: 'https://i', subject });
  const create = (id: string) =>
    directory.createUser({ id, name: 'Somebody', identities: [identity(id)] });
  world.server.reconfigure({ ...without(world.config, 'app'), clients: [newcomer] });
  for (const id of ['newcomer', 'app']) {
    await expect(create(id)).rejects.toMatchObject({ name: 'Problem' });
  }
});

test('a configuration that cannot be built leaves all as it was', async () => {
  const broken = { ...world.config, clients: [{ ...world.config.clients[0]!, grantTypes: null }] };
  expect(() => world.server.reconfigure(broken as never)).toThrow();
  expect((await asMachine()).status).toBe(200);
});

test('a running server publishes a key that another process made, by itself', async () => {
  const { issuer, store } = world;
  const secrets = createSecrets([testSecret]);
  const { lifetimes } = world.config;
  const before = await signIn(issuer, world.browser());
  const { life } = await rotateKey({ store, secrets, clock: Date.now, lifetimes }, 'ES256');
  const kids = async () => {
    const { keys } = (await (await fetch(`${issuer}/oauth2/jwks`)).json()) as {
      keys: { kid: string }[];
    };
    return keys.map(({ kid }) => kid);
  };
  await expect.poll(kids, { timeout: 15_000, interval: 100 }).toContain(life.key.document.kid);
  expect(await kids()).toContain(decodeProtectedHeader(before.access_token ?? '').kid);
  expect((await refresh(issuer, 'app', before.refresh_token)).status).toBe(200);
});
