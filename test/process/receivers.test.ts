/** `tollgate receivers` and `tollgate events`, beside a running process, which sends. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openStores } from '../../src/stores.ts';
import { newEvent } from '../../src/events/types.ts';
import { config, inConfigured, run, start } from './program.ts';

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

async function listener() {
  const got: { type: string; id: string; signature: string }[] = [];
  const answer = { status: 204 };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { headers } = request;
      const { type } = JSON.parse(body) as { type: string };
      const [id, signature] = [headers['webhook-id'], headers['webhook-signature']].map(String);
      got.push({ type, id: id ?? '', signature: signature ?? '' });
      response.writeHead(answer.status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { got, answer, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events` };
}

test('a receiver that a command adds is told, shown, switched off and on, and told again', async () => {
  const { got, answer, url } = await listener();
  const outgoing = { allowPrivate: ['127.0.0.0/8'] };
  await inConfigured({ outgoing, store: 'sqlite:./tollgate.db' }, async (folder) => {
    const command = async (...words: string[]) => {
      const ended = await run({ folder, parameters: [...words, ...config] });
      expect(ended.errors).toBe('');
      return ended.output;
    };
    const program = start({ folder, parameters: config });
    await program.listening();
    const added = await command(
      'receivers',
      'add',
      'crm',
      '--url',
      url,
      '--type',
      'user.*',
      '--json',
    );
    expect(JSON.parse(added)).toMatchObject({
      receiver: 'webhook:crm',
      secret: expect.stringMatching(/^whsec_/),
    });
    expect(await command('receivers', 'test', 'crm')).toContain('it answered 204');
    expect(got.map(({ type }) => type)).toEqual(['ping']);

    const store = await openStores(
      { store: `sqlite:${folder}/tollgate.db`, hot: undefined },
      { clock: Date.now, log: silent },
    );
    onTestFinished(() => store.close());
    const happen = async () => {
      const event = newEvent(Date.now, 'user.disabled', { user: 'usr_1' });
      await store.write('meta', 'somebody', { value: 1 }, { expect: 'any', events: [event] });
      return event.id;
    };
    const first = await happen();
    // The process finds what others wrote after a few seconds.
    await vi.waitFor(() => expect(got.map(({ id }) => id)).toContain(first), { timeout: 15_000 });
    await vi.waitFor(
      async () => expect(await command('events', 'show', first)).toContain('delivered'),
      15_000,
    );
    expect(await command('events', 'list')).toContain(first);

    const rotated = await command('receivers', 'rotate-secret', 'crm');
    expect(rotated).toContain('whsec_');
    expect(await command('receivers', 'test', 'crm', '--json')).toContain('"status": 204');
    expect(got.at(-1)?.signature.split(' ')).toHaveLength(2);

    answer.status = 410;
    await command('events', 'replay', first);
    await vi.waitFor(
      async () => expect(await command('receivers', 'status', 'crm')).toMatch(/disabled .*gone/),
      15_000,
    );
    answer.status = 204;
    await command('receivers', 'enable', 'crm');
    const before = got.length;
    expect(await command('events', 'replay', '--dead', '--receiver', 'crm')).toContain(
      '1 deliveries',
    );
    await vi.waitFor(() => expect(got.length).toBeGreaterThan(before), { timeout: 15_000 });
    expect(got.at(-1)?.id).toBe(first);
    program.signal('SIGTERM');
    expect((await program.ended).code).toBe(0);
  });
}, 90_000);

test.each([
  ['an action that there is not', ['receivers', 'ad'], 2, '"ad"'],
  ['a receiver without a name', ['receivers', 'test'], 2, 'needs an id'],
  ['one without an address', ['receivers', 'add', 'crm'], 2, '--url'],
  [
    'an address that is not secure',
    ['receivers', 'add', 'crm', '--url', 'http://a.example.com/'],
    1,
    'https://',
  ],
  ['a receiver that there is not', ['receivers', 'enable', 'crm'], 1, 'no receiver "webhook:crm"'],
  ['an event that there is not', ['events', 'show', 'evt_1'], 1, 'no event "evt_1"'],
  ['sending nothing again', ['events', 'replay'], 2, '--since'],
  ['a type that there is not', ['events', 'list', '--type', 'user.disable'], 2, 'user.disabled'],
  ['a time that is none', ['events', 'list', '--since', 'noon'], 2, '2027-01-02T03:04:05Z'],
])('%s is told in plain words', async (_name, parameters, code, told) => {
  await inConfigured({ store: 'sqlite:./tollgate.db' }, async (folder) => {
    const ended = await run({ folder, parameters: [...parameters, ...config] });
    expect(ended).toMatchObject({ code, output: '' });
    expect(ended.errors).toContain(told);
    expect(ended.errors).not.toMatch(/^\s+at .+:\d+/m);
  });
});
