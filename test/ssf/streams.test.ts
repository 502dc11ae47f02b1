/** The configuration endpoint: modules `stream-control-…`. */

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AuditDocument } from '../../src/storage/documents.ts';
import { poll, push, startSsfWorld, types } from './world.ts';
import type { Api, SsfWorld } from './world.ts';

let world: SsfWorld;
let api: Api;
let rival: Api;
const url = 'https://receiver.example.com/events';
const at = '/ssf/streams';
const requested = [types.sessionRevoked, types.credentialChange, types.deviceComplianceChange];
const delivered = [types.sessionRevoked, types.credentialChange];

beforeAll(async () => {
  world = await startSsfWorld();
  api = world.api();
  rival = world.api('rival');
});

beforeEach(async () => {
  for (const owner of [api, rival]) {
    for (const { stream_id: id } of (await owner.call('GET', at)).body) {
      await owner.call('DELETE', `${at}?stream_id=${id}`);
    }
  }
});

afterAll(() => world.close());

const get = (id: string, owner = api) => owner.call('GET', `${at}?stream_id=${id}`);
const remove = (id: string, owner = api) => owner.call('DELETE', `${at}?stream_id=${id}`);
const pushed = (more: object = {}) => ({ delivery: { method: push, endpoint_url: url, ...more } });

describe('a stream', () => {
  test('T64 stream-control-happy-path: made, read, updated, replaced, deleted', async () => {
    const wish = {
      description: 'The CRM',
      events_requested: requested,
      ...pushed({ authorization_header: 'Bearer given' }),
    };
    const made = await api.create(wish);
    expect(made.status).toBe(201);
    const id = made.body.stream_id;
    const expected = {
      stream_id: id,
      iss: world.issuer,
      aud: 'receiver',
      events_supported: expect.arrayContaining([types.sessionRevoked]),
      events_requested: requested,
      events_delivered: delivered,
      delivery: { method: push, endpoint_url: url },
      min_verification_interval: 10,
      description: 'The CRM',
    };
    expect(made.body).toEqual(expected);
    expect((await get(id)).body).toEqual(expected);
    expect((await api.call('GET', `/ssf/status?stream_id=${id}`)).body).toEqual({
      stream_id: id,
      status: 'enabled',
    });

    const updated = await api.call('PATCH', at, { stream_id: id, description: 'Another' });
    expect(updated.status).toBe(200);
    expect(updated.body).toEqual({ ...expected, description: 'Another' });

    const replaced = await api.call('PUT', at, { stream_id: id, ...pushed() });
    expect(replaced.status).toBe(200);
    expect(replaced.body).toMatchObject({ stream_id: id, delivery: expected.delivery });
    expect(replaced.body).not.toHaveProperty('description');
    expect(replaced.body).not.toHaveProperty('events_requested');
    expect(replaced.body.events_delivered).toEqual(replaced.body.events_supported);

    for (const status of ['enabled', 'paused', 'disabled']) {
      const answer = await api.status(id, status);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ stream_id: id, status });
    }

    const gone = await remove(id);
    expect(gone.status).toBe(204);
    expect(gone.text).toBe('');
    expect((await get(id)).status).toBe(404);
  });

  test('T64 without a delivery it is polled, at an address of ours', async () => {
    const { status, body } = await api.create();
    expect(status).toBe(201);
    const { stream_id: id, delivery } = body;
    expect(delivery).toEqual({ method: poll, endpoint_url: `${world.issuer}/ssf/poll/${id}` });
    expect(body.events_delivered).toEqual(body.events_supported);
    const wished = await api.create({ delivery: { method: poll, endpoint_url: 'https://a.b/c' } });
    expect(wished.body.delivery.endpoint_url).toMatch(`${world.issuer}/ssf/poll/`);
  });

  test('T64 stream-control-error-create-stream-with-duplicate-config: another one', async () => {
    const first = await api.create(pushed());
    const second = await api.create(pushed());
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.body.stream_id).not.toBe(second.body.stream_id);
    const list = await api.call('GET', at);
    expect(list.status).toBe(200);
    expect(list.body).toEqual([first.body, second.body]);
  });

  test('T64 of nobody else is not there: read, changed, deleted, polled, verified', async () => {
    const { body } = await api.create();
    const id = body.stream_id;
    const tried = [
      await get(id, rival),
      await rival.call('PATCH', at, { stream_id: id, description: 'Mine' }),
      await rival.call('PUT', at, { stream_id: id }),
      await remove(id, rival),
      await rival.call('GET', `/ssf/status?stream_id=${id}`),
      await rival.status(id, 'disabled'),
      await rival.call('POST', '/ssf/verify', { stream_id: id }),
      await rival.call('POST', '/ssf/subjects/add', { stream_id: id, subject: opaque('a') }),
      await rival.call('POST', '/ssf/subjects/remove', { stream_id: id, subject: opaque('a') }),
      await rival.poll(id),
    ];
    for (const answer of tried) {
      expect(answer.status).toBe(404);
      expect(answer.body.error).toEqual({
        code: 'stream_not_found',
        message: 'There is no such stream.',
        request_id: expect.any(String),
      });
    }
    expect((await rival.call('GET', at)).body).toEqual([]);
    expect((await get(id)).body).toEqual(body);
  });

  test('T64 read-, update-, replace-, delete-unknown-stream: 404', async () => {
    const { body } = await api.create();
    const id = body.stream_id;
    await remove(id);
    const answers = [
      await get(id),
      await get(''),
      await api.call('PATCH', at, { stream_id: id, ...pushed() }),
      await api.call('PUT', at, { stream_id: id, ...pushed() }),
      await remove(id),
      await api.call('DELETE', at),
      await api.status(id, 'paused'),
    ];
    for (const { status } of answers) expect(status).toBe(404);
  });
});

const opaque = (id: string) => ({ format: 'opaque', id });

describe('what is changed', () => {
  test('T64 a PATCH leaves what it does not name, and takes away what it names as null', async () => {
    const made = await api.create({ description: 'A', events_requested: requested, ...pushed() });
    const id = made.body.stream_id;
    const one = await api.call('PATCH', at, { stream_id: id, events_requested: delivered });
    expect(one.body).toEqual({ ...made.body, events_requested: delivered });
    const two = await api.call('PATCH', at, { stream_id: id, description: null });
    expect(two.body).not.toHaveProperty('description');
    const three = await api.call('PATCH', at, { stream_id: id, delivery: { method: poll } });
    expect(three.body.delivery.method).toBe(poll);
    expect(three.body.events_requested).toEqual(delivered);
  });

  test('T64 what only we may say must be as it is, and may be repeated', async () => {
    const { body } = await api.create({ events_requested: requested });
    const again = await api.call('PUT', at, body);
    expect(again.status).toBe(200);
    expect(again.body).toEqual(body);
    const wrong = {
      iss: 'https://other.example.com',
      aud: 'rival',
      events_supported: [],
      events_delivered: [types.tokenClaimsChange],
      min_verification_interval: 1,
    };
    const strange = { stream_id: body.stream_id, aud: [{ toString: 1 }], events_delivered: [{}] };
    expect((await api.call('PATCH', at, strange)).status).toBe(400);
    for (const [name, value] of Object.entries(wrong)) {
      for (const method of ['PATCH', 'PUT']) {
        const answer = await api.call(method, at, { ...body, [name]: value });
        expect(answer.status).toBe(400);
        expect(answer.body.error).toMatchObject({ code: 'field_invalid', field: name });
      }
    }
    expect((await get(body.stream_id)).body).toEqual(body);
  });

  test('the authorization header is sealed, shown to nobody, and never sent elsewhere', async () => {
    const header = 'Bearer a-secret-of-the-receiver';
    const made = await api.create(pushed({ authorization_header: header }));
    const id = made.body.stream_id;
    expect(made.text).not.toContain('a-secret');
    expect((await get(id)).text).not.toContain('a-secret');
    const stored = async () => (await world.store.get('stream', id))?.document.authorization;
    expect(await stored()).toBeTruthy();
    expect(JSON.stringify(await world.store.get('stream', id))).not.toContain('a-secret');
    // Who repeats what he has read keeps it; another address does not get it.
    await api.call('PATCH', at, { stream_id: id, ...pushed() });
    expect(await stored()).toBeTruthy();
    const elsewhere = { delivery: { method: push, endpoint_url: `${url}/other` } };
    await api.call('PATCH', at, { stream_id: id, ...elsewhere });
    expect(await stored()).toBeUndefined();
    await api.call('PATCH', at, { stream_id: id, ...pushed({ authorization_header: header }) });
    await api.call('PUT', at, { stream_id: id, ...pushed() });
    expect(await stored()).toBeUndefined();
    expect(world.log.lines.map((line) => JSON.stringify(line)).join()).not.toContain('a-secret');
  });

  test('each change leaves an audit record, which says whose stream it is', async () => {
    const write = vi.spyOn(world.store, 'write');
    const { body } = await api.create({ description: 'not to be kept' });
    await remove(body.stream_id);
    await world.server.dispatcher.drain();
    const records = write.mock.calls.flatMap(([kind, , document]) =>
      kind === 'audit' ? [document as AuditDocument] : [],
    );
    write.mockRestore();
    for (const type of ['stream.created', 'stream.removed']) {
      const data = records.find((record) => record.type === type)?.data;
      expect(data).toEqual({ stream: body.stream_id, client: 'receiver' });
    }
  });
});

describe('bounds', () => {
  test('a client has ten streams at most, however fast it asks', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => api.create()));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 201 || status === 409)).toBe(true);
    const list = (await api.call('GET', at)).body as unknown[];
    expect(list.length).toBeLessThanOrEqual(10);
    while ((await api.create()).status === 201) expect(true).toBe(true);
    expect((await api.call('GET', at)).body).toHaveLength(10);
    const tooMany = await api.create();
    expect(tooMany.status).toBe(409);
    expect(tooMany.body.error.code).toBe('streams_too_many');
    // Those of others do not count.
    expect((await rival.create()).status).toBe(201);
  });

  test('two who change a stream at once both get their way', async () => {
    const { body } = await api.create(pushed());
    const id = body.stream_id;
    const answers = await Promise.all([
      api.call('PATCH', at, { stream_id: id, description: 'Together' }),
      api.call('PATCH', at, { stream_id: id, events_requested: delivered }),
      api.status(id, 'paused'),
      api.call('POST', '/ssf/subjects/remove', { stream_id: id, subject: opaque('a') }),
      api.call('POST', '/ssf/verify', { stream_id: id }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 204, 204]);
    const { body: after } = await get(id);
    expect(after).toMatchObject({ description: 'Together', events_requested: delivered });
    expect((await api.call('GET', `/ssf/status?stream_id=${id}`)).body.status).toBe('paused');
  });

  test('one that is deleted while it is changed stays deleted', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { body } = await api.create(pushed());
      const id = body.stream_id;
      const [gone, ...others] = await Promise.all([
        remove(id),
        api.status(id, 'paused'),
        api.call('PATCH', at, { stream_id: id, description: 'A' }),
        api.status(id, 'enabled'),
      ]);
      expect(gone?.status).toBe(204);
      for (const { status } of others) expect([200, 404]).toContain(status);
      expect((await get(id)).status).toBe(404);
    }
  });
});
