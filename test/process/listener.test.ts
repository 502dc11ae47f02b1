/** The listener alone: what it refuses, and that its end cuts nobody off and waits for nobody idle. */

import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { createLog } from '../../src/base/log.ts';
import { listen } from '../../src/listener.ts';
import type { Listener, Place } from '../../src/listener.ts';

const place: Place = { port: 0, host: '127.0.0.1' };
const open: Listener[] = [];
const agents: Agent[] = [];
let written = '';

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await Promise.all(open.splice(0).map((listener) => listener.drain()));
  written = '';
});

const log = createLog({
  level: 'debug',
  clock: Date.now,
  write: (line) => {
    written += line;
  },
});

async function listening(callback: RequestListener): Promise<Listener> {
  const listener = await listen(callback, place, log);
  open.push(listener);
  return listener;
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return agent;
}

async function ask(
  port: number,
  agent: Agent,
): Promise<{ response: IncomingMessage; body: string; reused: boolean }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = get({ port, host: '127.0.0.1', agent }, resolve).on('error', reject);
  const response = await promise;
  return { response, body: await text(response), reused: request.reusedSocket };
}

/** Connects and says `words`; resolves with all that was heard when the connection is closed. */
async function dial(port: number, words = ''): Promise<{ heard: Promise<string> }> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let said = '';
  socket.on('data', (chunk: string) => {
    said += chunk;
  });
  const heard = new Promise<string>((resolve) => {
    socket.on('error', () => resolve(said));
    socket.on('close', () => resolve(said));
  });
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
  });
  socket.write(words);
  return { heard };
}

test('a request under way at the end is answered, and told that the connection closes', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  const listener = await listening((_request, response) => asked.resolve(response));
  const answer = ask(listener.port, keepAlive());
  const response = await asked.promise;

  const drained = listener.drain();
  response.end('done');

  const heard = await answer;
  expect(heard.body).toBe('done');
  expect(heard.response.headers.connection).toBe('close');
  await drained;
  expect(written).toBe('');
});

test('an answer that had begun at the end is sent to its last byte', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  const listener = await listening((_request, response) => {
    response.write('first ');
    asked.resolve(response);
  });
  const answer = ask(listener.port, keepAlive());
  const response = await asked.promise;

  const drained = listener.drain();
  response.end('last');

  expect((await answer).body).toBe('first last');
  await drained;
  expect(written).toBe('');
});

test('connections that are idle, or never said a word, do not hold up the end', async () => {
  const listener = await listening((_request, response) => response.end('done'));
  await ask(listener.port, keepAlive());
  const silent = await dial(listener.port);
  // The answer to a later connection says that the silent one has been taken.
  await ask(listener.port, keepAlive());

  await listener.drain();

  expect(await silent.heard).toBe('');
  expect(written).toBe('');
});

test('a request that comes over a connection taken just before the end is answered', async () => {
  const listener = await listening((_request, response) => response.end('done'));
  const socket = connect(listener.port, '127.0.0.1');
  await once(socket, 'connect');

  const drained = listener.drain();
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => (said += text));
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'close');

  expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*connection: close[^]*done/i);
  await drained;
  expect(written).toBe('');
});

test('until a balancer has noticed, all is taken and no connection is closed under it', async () => {
  const listener = await listening((_request, response) => response.end('done'));
  const idle = keepAlive();
  await ask(listener.port, idle);

  let ended = false;
  const drained = listener.drain(1000).then(() => {
    ended = true;
  });
  const before = await ask(listener.port, idle);
  const fresh = await ask(listener.port, keepAlive());

  for (const { response, body } of [before, fresh]) {
    expect(body).toBe('done');
    expect(response.headers.connection).toBe('close');
  }
  expect([before.reused, fresh.reused]).toEqual([true, false]);
  expect(ended).toBe(false);
  await drained;
  await expect(ask(listener.port, keepAlive())).rejects.toThrow('ECONNREFUSED');
});

test('after the end no connection is taken', async () => {
  const listener = await listening((_request, response) => response.end('done'));
  await listener.drain();

  await expect(ask(listener.port, keepAlive())).rejects.toThrow('ECONNREFUSED');
});

test('a head of more than 16 KiB is refused', async () => {
  const listener = await listening((_request, response) => response.end('done'));

  const { heard } = await dial(
    listener.port,
    `GET / HTTP/1.1\r\nHost: a\r\nB: ${'c'.repeat(17_000)}\r\n\r\n`,
  );

  expect(await heard).toMatch(/^HTTP\/1\.1 431 /);
});

test('a port that is taken, and an address that is elsewhere, are told in words', async () => {
  const listener = await listening((_request, response) => response.end('done'));
  const refusal = (where: Place) =>
    listen((_request, response) => response.end(), where, log).catch((error: unknown) => error);

  const taken = await refusal({ ...place, port: listener.port });
  expect(taken).toBeInstanceOf(Problem);
  expect(taken).toMatchObject({ code: 'port_taken', message: expect.stringContaining('--port') });
  expect(await refusal({ ...place, host: '192.0.2.1' })).toMatchObject({
    code: 'host_unknown',
    message: expect.stringContaining('192.0.2.1'),
  });
});
