/** None is lost and none sent twice in vain: crashes between any two writes, several processes, servers that fail. */

import { describe, expect, test } from 'vitest';
import { noMeasures } from '../../src/base/measures.ts';
import { createDispatcher } from '../../src/events/dispatcher.ts';
import { createCompose } from '../../src/mail/compose.ts';
import type { MailDirectory } from '../../src/mail/compose.ts';
import { mailHandler } from '../../src/mail/handler.ts';
import { MailOutbox } from '../../src/mail/outbox.ts';
import { MailProblem } from '../../src/mail/smtp.ts';
import type { Message } from '../../src/mail/smtp.ts';
import { createMailWorker } from '../../src/mail/worker.ts';
import type { Store } from '../../src/storage/store.ts';
import { openWorld } from '../events/world.ts';
import type { World } from '../events/world.ts';
import { faulty, Stopped } from '../kit/faults.ts';
import { testConfig } from '../kit/server.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

type Send = (message: Message) => Promise<void>;

/** One process: what it does with events, and what it sends. */
function processOver(world: World, store: Store, owner: string, send: Send) {
  const { clock, log } = world;
  const directory: MailDirectory = {
    user: (id) => store.get('user', id),
    account: async () => undefined,
    invitations: {
      get: async () => undefined,
      token: () => '',
      standing: async () => 'withdrawn',
    },
  };
  const outbox = new MailOutbox({ store, clock, random: () => 0.5, owner });
  const config = testConfig('https://id.example.com');
  const worker = createMailWorker({
    outbox,
    compose: createCompose({ directory, config: () => config }),
    smtp: { send, close: () => undefined },
    from: { name: '', address: 'id@example.com' },
    replyTo: undefined,
    host: 'id.example.com',
    clock,
    log,
    measures: noMeasures,
  });
  const handlers = [mailHandler({ directory, outbox })];
  const dispatcher = createDispatcher({ store, clock, log, handlers, owner });
  return { outbox, worker, dispatcher };
}

/** They ask to be deleted: one event, one e-mail. */
async function ask(world: World, name = 'ada'): Promise<void> {
  const user = `usr_${name}`;
  const deletion = { askedAt: world.now, dueAt: world.now + 14 * day };
  const person = { status: 'active' as const, identities: [], createdAt: world.now };
  const address = { email: `${name}@example.org`, emailVerified: true };
  const data = { user, at: deletion.dueAt };
  const events = [{ id: `evt_${name}`, type: 'user.deletion_asked', at: world.now, data }];
  await world.store.write(
    'user',
    user,
    { ...person, ...address, deletion },
    { expect: 'absent', events },
  );
}

const stateOf = async (world: World, name = 'ada') =>
  (await world.store.get('mail', `evt_${name}`))?.document;

describe('a process that stops at its k-th write', () => {
  test.each(['before', 'after'] as const)('%s it: the e-mail goes out, as one', async (mode) => {
    for (let k = 1; ; k += 1) {
      const world = await openWorld();
      await ask(world);
      const sent: Message[] = [];
      const send: Send = async (message) => void sent.push(message);
      const store = faulty(world.store, { stopAfterWrites: k, mode });
      const first = processOver(world, store, 'first', send);
      await first.dispatcher.drain().catch((error: unknown) => {
        if (!(error instanceof Stopped)) throw error;
      });
      await first.worker.drain();
      const { stopped } = store;
      world.now += 3 * minute;
      const second = processOver(world, world.store, 'second', send);
      await second.dispatcher.drain();
      await second.worker.drain();
      expect([k, sent.length >= 1 && sent.length <= 2]).toEqual([k, true]);
      // A mail server that has it already knows it by this.
      expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(1);
      expect((await stateOf(world))?.state).toBe('sent');
      // And it is over.
      world.now += day;
      await second.worker.drain();
      expect(sent.length).toBeLessThanOrEqual(2);
      if (!stopped) break;
    }
  });
});

test('two processes and fifty e-mails: each is sent once', async () => {
  const world = await openWorld();
  const sent: string[] = [];
  const send: Send = async ({ to }) => {
    await new Promise((resolve) => setImmediate(resolve));
    sent.push(to);
  };
  const names = Array.from({ length: 50 }, (_, index) => `n${index}`);
  for (const name of names) await ask(world, name);
  const both = ['a', 'b'].map((owner) => processOver(world, world.store, owner, send));
  await Promise.all(both.map(({ dispatcher }) => dispatcher.drain()));
  await Promise.all(both.map(({ worker }) => worker.drain()));
  expect(sent.toSorted()).toEqual(names.map((name) => `${name}@example.org`).toSorted());
});

test('what a process hangs on is taken over, and its late word counts', async () => {
  const world = await openWorld();
  await ask(world);
  const sent: Message[] = [];
  const held = Promise.withResolvers<void>();
  const slow = processOver(world, world.store, 'slow', async (message) => {
    sent.push(message);
    await held.promise;
  });
  await slow.dispatcher.drain();
  const slowly = slow.worker.drain();
  await expect.poll(() => sent.length).toBe(1);
  const other = processOver(
    world,
    world.store,
    'other',
    async (message) => void sent.push(message),
  );
  await other.worker.drain();
  expect(sent).toHaveLength(1);
  world.now += 3 * minute;
  await other.worker.drain();
  held.resolve();
  await slowly;
  expect(sent).toHaveLength(2);
  expect(sent[0]?.messageId).toBe(sent[1]?.messageId);
  expect((await stateOf(world))?.state).toBe('sent');
});

test('one that takes long holds up no other', async () => {
  const world = await openWorld();
  const sent: string[] = [];
  const held = Promise.withResolvers<void>();
  const one = processOver(world, world.store, 'one', async ({ to }) => {
    if (to.startsWith('slow')) await held.promise;
    sent.push(to);
  });
  await ask(world, 'slow');
  await one.dispatcher.drain();
  for (const name of ['ada', 'grace', 'nora', 'linus', 'ken']) await ask(world, name);
  await one.dispatcher.drain();
  const drained = one.worker.drain();
  await expect.poll(() => sent.length).toBe(5);
  held.resolve();
  await drained;
  expect(sent).toHaveLength(6);
});

describe('a server that does not take it', () => {
  const failing = async (problem: MailProblem) => {
    const world = await openWorld();
    await ask(world);
    let tries = 0;
    const send: Send = async () => {
      tries += 1;
      throw problem;
    };
    const one = processOver(world, world.store, 'one', send);
    await one.dispatcher.drain();
    await one.worker.drain();
    return { world, ...one, tries: () => tries };
  };

  test('for good: given up at once, until an operator wants it tried again', async () => {
    const { world, worker, outbox, tries } = await failing(
      new MailProblem('smtp_550', { isFinal: true }),
    );
    expect(await stateOf(world)).toMatchObject({ state: 'dead', problem: 'smtp_550' });
    world.now += day;
    await worker.drain();
    expect(tries()).toBe(1);
    expect(await outbox.retry('evt_ada')).toBe(true);
    await worker.drain();
    expect(tries()).toBe(2);
    expect(await outbox.retry('evt_nobody')).toBe(false);
  });

  test('for now: tried again later and later, and given up after days', async () => {
    const { world, worker, tries } = await failing(new MailProblem('smtp_451'));
    await worker.drain();
    expect(tries()).toBe(1);
    const begun = world.now;
    for (let step = 0; step < 200 && (await stateOf(world))?.state === 'waiting'; step += 1) {
      world.now = Math.max(world.now, (await stateOf(world))?.dueAt ?? 0);
      await worker.drain();
    }
    expect(await stateOf(world)).toMatchObject({ state: 'dead', problem: 'smtp_451' });
    expect(tries()).toBe(80);
    const days = (world.now - begun) / day;
    expect(days).toBeGreaterThan(2.5);
    expect(days).toBeLessThan(4);
  });

  test('because it is away: the others wait too, and all go out when it is back', async () => {
    const world = await openWorld();
    let isUp = false;
    let tries = 0;
    const send: Send = async () => {
      tries += 1;
      if (!isUp) throw new MailProblem('server_unreachable', { isServer: true });
    };
    const names = Array.from({ length: 30 }, (_, index) => `n${index}`);
    const one = processOver(world, world.store, 'one', send);
    for (const name of names) await ask(world, name);
    await one.dispatcher.drain();
    await one.worker.drain();
    expect(tries).toBeLessThanOrEqual(4);
    isUp = true;
    world.now += 2 * minute;
    await one.worker.drain();
    const states = await world.store.list('mail');
    expect(new Set(states.map(({ document }) => document.state))).toEqual(new Set(['sent']));
    expect(states).toHaveLength(30);
  });
});

test('what was sent is forgotten after thirty days', async () => {
  const world = await openWorld();
  await ask(world);
  const one = processOver(world, world.store, 'one', async () => undefined);
  await one.dispatcher.drain();
  await one.worker.drain();
  world.now += 29 * day;
  await one.worker.drain();
  expect((await stateOf(world))?.state).toBe('sent');
  world.now += 2 * day;
  await one.worker.drain();
  expect(await stateOf(world)).toBeUndefined();
});

test('the log names ids, and neither addresses nor links', async () => {
  const world = await openWorld();
  await ask(world);
  const one = processOver(world, world.store, 'one', async () => undefined);
  await one.dispatcher.drain();
  await one.worker.drain();
  expect(world.lines).toContainEqual({
    level: 'info',
    message: 'an e-mail is sent',
    fields: { mail_id: 'evt_ada', template: 'deletion' },
  });
  expect(JSON.stringify(world.lines)).not.toMatch(/@|https?:/);
});
