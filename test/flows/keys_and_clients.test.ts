/**
 * Two processes on one store, as an operator changes them while they run: keys by the command, clients by
 * the configuration file. Both take it up within seconds, and no request fails on the way.
 */

import { renameSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChild } from '../kit/child.ts';
import { main, skewedMain, startCluster } from '../kit/spawn.ts';
import type { Cluster } from '../kit/spawn.ts';
import { postForm } from '../kit/post.ts';
import { redeem, refresh, signIn, signInForCode, token } from '../kit/world.ts';

const soon = { timeout: 20_000, interval: 250 };
const places = [0, 1];
/** A test waits for several things, each of them `soon`. */
const longestMs = 90_000;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ processes: 2 });
}, longestMs);
afterAll(() => cluster?.close());

/** From now on all goes to this one. */
const goTo = (...to: number[]) =>
  cluster.balancer.setBackends(to.map((place) => cluster.members[place]?.port ?? 0));

/** What each process answers. */
async function ofEach<T>(ask: () => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (const place of places) {
    await goTo(place);
    answers.push(await ask());
  }
  await goTo(...places);
  return answers;
}

/** Over a connection of its own, so that it goes where the balancer is set to. */
function getText(path: string, headers: Record<string, string> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  get(`${cluster.issuer}${path}`, { agent: false, headers }, (response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('error', reject);
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
  }).on('error', reject);
  return promise;
}

const jwks = async () => JSON.parse((await getText('/oauth2/jwks')).text) as JSONWebKeySet;

/** By the process that is asked. */
const userinfoStatus = async (accessToken = '') =>
  (await getText('/oauth2/userinfo', { Authorization: `Bearer ${accessToken}` })).status;

const kidOf = (jwt = '') => decodeProtectedHeader(jwt).kid;

interface ListedKey {
  slot: string;
  alg: string;
  kid: string;
  state: string;
}

/** A command beside the running processes, with their configuration and environment. */
async function command(parameters: string[], clockAheadMs?: number): Promise<string> {
  const [member] = cluster.members;
  const child = startChild(
    clockAheadMs === undefined ? main : skewedMain,
    [...parameters, '--config', member?.configFile ?? ''],
    { ...member?.secrets, CLOCK_AHEAD_MS: String(clockAheadMs ?? 0) },
  );
  const lines: string[] = [];
  for await (const line of child.lines) lines.push(line);
  expect(await child.ended).toBe(0);
  return lines.join('\n');
}

const listed = async (alg: string) =>
  JSON.parse(await command(['keys', 'list', '--json', '--alg', alg])) as ListedKey[];

describe('keys', { timeout: longestMs }, () => {
  test('a new one is published by all within seconds, and signs only later', async () => {
    const { issuer } = cluster;
    const before = await signIn(issuer, cluster.browser());
    const [first] = await listed('ES256');
    expect(first).toMatchObject({
      slot: 'ES256.1',
      state: 'signing',
      kid: kidOf(before.access_token),
    });

    expect(await command(['keys', 'rotate', '--alg', 'ES256'])).toContain('new key: ES256.2');
    const [next] = await listed('ES256');
    expect(next).toMatchObject({ slot: 'ES256.2', state: 'waiting' });
    const published = async () => (await jwks()).keys.some(({ kid }) => kid === next?.kid);
    await expect.poll(() => ofEach(published), soon).toEqual([true, true]);
    const after = await ofEach(() => signIn(issuer, cluster.browser()));
    for (const { access_token: issued } of after) expect(kidOf(issued)).toBe(first?.kid);
  });

  test('one that is old enough signs at all of them, and what was signed before stays good', async () => {
    const { issuer } = cluster;
    const before = await ofEach(() => signIn(issuer, cluster.browser()));
    // As if somebody had done it ten minutes ago.
    const told = await command(['keys', 'rotate'], -600_000);
    expect(told).toContain('new key: RS256.2');
    expect(told).toContain('new key: ES256.3');
    const [accessKey] = await listed('ES256');
    const [idKey] = await listed('RS256');
    const signing = async () => {
      const { status, body } = await redeem(issuer, await signInForCode(issuer, cluster.browser()));
      expect(status).toBe(200);
      return [kidOf(body.access_token), kidOf(body.id_token)];
    };
    const both = [accessKey?.kid, idKey?.kid];
    await expect.poll(() => ofEach(signing), soon).toEqual([both, both]);

    const after = await ofEach(() => signIn(issuer, cluster.browser()));
    for (const tokens of [...before, ...after]) {
      for (const set of await ofEach(jwks)) {
        const keys = createLocalJWKSet(set);
        await jwtVerify(tokens.access_token ?? '', keys, { issuer });
        await jwtVerify(tokens.id_token ?? '', keys, { issuer });
      }
      expect(await ofEach(() => userinfoStatus(tokens.access_token))).toEqual([200, 200]);
    }
    for (const { logs } of cluster.members) {
      expect(logs).toContainEqual(
        expect.objectContaining({ message: 'the signing keys have changed', level: 'info' }),
      );
    }
  });

  test('an ID token of before still signs out without a question', async () => {
    const { issuer } = cluster;
    const browser = cluster.browser();
    const { id_token: hint = '' } = await signIn(issuer, browser);
    // The rotation is as old as that: its successor signs at once.
    await command(['keys', 'rotate', '--alg', 'RS256'], -1_800_000);
    const [next] = await listed('RS256');
    expect(next).toMatchObject({ slot: 'RS256.3' });
    const published = async () => (await jwks()).keys.some(({ kid }) => kid === next?.kid);
    await expect.poll(() => ofEach(published), soon).toEqual([true, true]);
    const out = new URL(`${issuer}/oauth2/logout`);
    out.searchParams.set('id_token_hint', hint);
    out.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
    expect((await browser.get(out.href)).url).toBe('https://app.example.com/bye');
  });

  test('two that rotate at once make one key', async () => {
    const told = await Promise.all([0, 1].map(() => command(['keys', 'rotate', '--alg', 'ES256'])));
    for (const text of told) expect(text).toContain('ES256.4');
    expect(told.filter((text) => text.includes('There is a new key:'))).toHaveLength(1);
    expect((await listed('ES256')).map(({ slot }) => slot)).toEqual([
      'ES256.4',
      'ES256.3',
      'ES256.2',
      'ES256.1',
    ]);
  });
});

interface Written extends Record<string, unknown> {
  clients: { id: string }[];
}

const configOf = (place: number): Written =>
  JSON.parse(readFileSync(cluster.members[place]?.configFile ?? '', 'utf8')) as Written;

/** As container platforms do: another file takes its place. */
function replace(place: number, text: string): void {
  const file = cluster.members[place]?.configFile ?? '';
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function changeAll(change: (config: Written) => Written): void {
  for (const place of places) replace(place, JSON.stringify(change(configOf(place))));
}

const newcomer = {
  id: 'newcomer',
  name: 'The newcomer',
  secret: 'a-client-secret-of-tests-for-the-newcomer',
  grantTypes: ['client_credentials'],
  product: 'api',
};

async function newcomerStatus(): Promise<number> {
  const form = new URLSearchParams({
    client_id: newcomer.id,
    client_secret: newcomer.secret,
    grant_type: 'client_credentials',
  });
  return (await postForm(`${cluster.issuer}/oauth2/token`, form)).status;
}

const messages = (place: number, message: string) =>
  cluster.members[place]?.logs.filter((line) => line.message === message) ?? [];

describe('clients', { timeout: longestMs }, () => {
  test('one that is added to the file is known to all within seconds', async () => {
    expect(await ofEach(newcomerStatus)).toEqual([401, 401]);
    changeAll((config) => ({ ...config, clients: [...config.clients, newcomer] }));
    await expect.poll(() => ofEach(newcomerStatus), soon).toEqual([200, 200]);
    for (const place of places) {
      const lines = messages(place, 'the configuration has changed');
      expect(lines).toEqual([
        expect.objectContaining({ changed: ['clients'], clients_added: ['newcomer'] }),
      ]);
      expect(JSON.stringify(lines)).not.toContain(newcomer.secret);
    }
  });

  test('one that is removed is unknown at once, and its tokens are of no use here', async () => {
    const { issuer } = cluster;
    const removed = await signIn(issuer, cluster.browser(), { client: 'other' });
    const stays = await signIn(issuer, cluster.browser());
    changeAll((config) => ({
      ...config,
      clients: config.clients.filter(({ id }) => id !== 'other' && id !== newcomer.id),
    }));
    await expect.poll(() => ofEach(newcomerStatus), soon).toEqual([401, 401]);
    const used = await ofEach(() => refresh(issuer, 'other', removed.refresh_token));
    for (const { status, body } of used) {
      expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' });
    }
    expect(await ofEach(() => userinfoStatus(removed.access_token))).toEqual([401, 401]);
    expect(await ofEach(() => userinfoStatus(stays.access_token))).toEqual([200, 200]);
    expect((await refresh(issuer, 'app', stays.refresh_token)).status).toBe(200);
  });

  test('a broken file changes nothing, and is told of once', async () => {
    const good = JSON.stringify(configOf(0));
    const bad = { ...configOf(0), clients: [{ ...newcomer, product: 'nothing' }], prot: 1 };
    const message = 'the configuration is bad, and the old one stays';
    replace(0, JSON.stringify(bad));
    await expect.poll(() => messages(0, message), soon).toHaveLength(1);
    expect(messages(0, message)[0]).toMatchObject({ level: 'error' });
    expect(JSON.stringify(messages(0, message)[0]?.problems)).toMatch(/prot.*no product/);
    replace(0, '{ "issuer": ');
    await expect.poll(() => messages(0, message), soon).toHaveLength(2);
    await goTo(0);
    const machine = { grant_type: 'client_credentials' };
    expect((await token(cluster.issuer, 'machine', machine)).status).toBe(200);
    await goTo(...places);
    replace(0, good);
  });

  test('what needs a restart is told of, and the clients are taken up all the same', async () => {
    replace(
      1,
      JSON.stringify({
        ...configOf(1),
        registration: 'open',
        clients: [...configOf(1).clients, newcomer],
      }),
    );
    await expect
      .poll(() => messages(1, 'the configuration needs a restart'), soon)
      .toEqual([expect.objectContaining({ level: 'warn', changed: ['registration'] })]);
    await goTo(1);
    expect(await newcomerStatus()).toBe(200);
    // The other one has a file of its own.
    await goTo(0);
    expect(await newcomerStatus()).toBe(401);
    await goTo(...places);
    expect(messages(0, 'the configuration is bad, and the old one stays')).toHaveLength(2);
  });
});
