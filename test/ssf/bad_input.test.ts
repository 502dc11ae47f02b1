/** Input of every wrong kind: modules `…-with-broken-input` and `…-with-invalid-body`. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { poll, push, startSsfWorld } from './world.ts';
import type { Api, ApiAnswer, SsfWorld } from './world.ts';

let world: SsfWorld;
let api: Api;
let id: string;

beforeAll(async () => {
  world = await startSsfWorld();
  api = world.api();
  id = (await api.create()).body.stream_id;
});

afterAll(() => world.close());

const refusedAt = (answer: ApiAnswer, field: string) => {
  expect(answer.body.error).toMatchObject({ code: 'field_invalid', field });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
};

const takers: [string, string][] = [
  ['POST', '/ssf/streams'],
  ['PATCH', '/ssf/streams'],
  ['PUT', '/ssf/streams'],
  ['POST', '/ssf/status'],
  ['POST', '/ssf/verify'],
  ['POST', '/ssf/subjects/add'],
  ['POST', '/ssf/subjects/remove'],
  ['POST', '/ssf/poll/ID'],
];

describe.each(takers)('%s %s', (method, path) => {
  const send = (body: string, headers?: Record<string, string>) =>
    api.call(method, path.replace('ID', id), body, headers);

  test('create with broken input, update and replace with invalid body: 400', async () => {
    const broken = [';{ broken', '', '[]', '1', 'null', '"text"', '{"a":', '{} {}', '[{}]'];
    for (const body of [...broken, '['.repeat(30_000), '{"a":'.repeat(10_000)]) {
      const answer = await send(body);
      expect(answer.status).toBe(400);
      expect(answer.body.error.code).toBe('json_expected');
    }
  });

  test('T77 what is too long, or compressed, is refused unread', async () => {
    const long = await send(JSON.stringify({ description: 'x'.repeat(70_000) }));
    expect(long.status).toBe(413);
    expect(long.body.error.code).toBe('body_too_large');
    const compressed = await send('{}', { 'content-encoding': 'gzip' });
    expect(compressed.status).toBe(415);
  });

  test('T75 what every object has by birth is nothing that was sent', async () => {
    const rest = '"__proto__":{"stream_id":"x","status":"paused"},"constructor":1';
    const answer = await send(`{"returnImmediately":true,${rest}}`);
    expect([200, 201, 400]).toContain(answer.status);
    if (answer.status === 400) refusedAt(answer, 'stream_id');
    if (answer.status === 201)
      await api.call('DELETE', `/ssf/streams?stream_id=${answer.body.stream_id}`);
  });
});

test('wrong types are told by field, when a stream is made, updated or replaced', async () => {
  const wrong: [string, unknown][] = [
    ['delivery', 'push'],
    ['delivery', []],
    ['delivery', null],
    ['delivery.method', { method: 'push', endpoint_url: 'https://a.example.com' }],
    ['delivery.method', {}],
    ['delivery.method', { method: 1 }],
    ['delivery.endpoint_url', { method: push }],
    ['delivery.endpoint_url', { method: push, endpoint_url: 1 }],
    ['delivery.authorization_header', { ...at('https://a.example.com'), authorization_header: 1 }],
    ['delivery.authorization_header', withHeader('Bearer a\r\nHost: b')],
    ['delivery.authorization_header', withHeader('')],
    ['delivery.authorization_header', withHeader('Bearer ü')],
    ['delivery.authorization_header', withHeader('x'.repeat(3000))],
    ['events_requested', 'all'],
    ['events_requested', [1]],
    ['events_requested', { 0: 'a' }],
    ['events_requested', Array.from({ length: 51 }, (_, index) => `urn:${index}`)],
    ['events_requested', ['x'.repeat(301)]],
    ['description', 1],
    ['description', 'x'.repeat(1001)],
  ];
  for (const [field, value] of wrong) {
    const name = field.split('.')[0] ?? '';
    refusedAt(await api.create({ [name]: value }), field);
    for (const method of ['PATCH', 'PUT']) {
      const body = { stream_id: id, [name]: value };
      refusedAt(await api.call(method, '/ssf/streams', body), field);
    }
  }
  for (const method of ['PATCH', 'PUT']) {
    refusedAt(await api.call(method, '/ssf/streams', {}), 'stream_id');
    refusedAt(await api.call(method, '/ssf/streams', { stream_id: 1 }), 'stream_id');
  }
});

const at = (url: string) => ({ method: push, endpoint_url: url });
const withHeader = (header: string) => ({
  ...at('https://a.example.com'),
  authorization_header: header,
});

test('an address to push to is https, and leads to no network that is not allowed', async () => {
  const wrong = [
    'nothing',
    '/events',
    'ftp://a.example.com/',
    'javascript:alert(1)',
    'https://user:password@a.example.com/',
    'https://a.example.com/#fragment',
    'https://10.0.0.1/events',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/events',
    'https://[::ffff:10.0.0.1]/events',
    'https://0x0a000001/events',
    'http://203.0.113.7/events',
    'http://93.184.216.34/events',
    `https://a.example.com/${'x'.repeat(2048)}`,
  ];
  for (const url of wrong)
    refusedAt(await api.create({ delivery: at(url) }), 'delivery.endpoint_url');
  const right = [
    'https://a.example.com:8443/events?a=b',
    'http://127.0.0.1:9/',
    'http://localhost:9',
  ];
  for (const url of right) {
    const { status, body } = await api.create({ delivery: at(url) });
    expect(status).toBe(201);
    await api.call('DELETE', `/ssf/streams?stream_id=${body.stream_id}`);
  }
});

test('status, verification and subjects: wrong types are told by field', async () => {
  const wrong: [string, string, object][] = [
    ['/ssf/status', 'stream_id', { status: 'paused' }],
    ['/ssf/status', 'status', { stream_id: 'ID' }],
    ['/ssf/status', 'status', { stream_id: 'ID', status: 'on' }],
    ['/ssf/status', 'status', { stream_id: 'ID', status: ['paused'] }],
    ['/ssf/status', 'reason', { stream_id: 'ID', status: 'paused', reason: 1 }],
    ['/ssf/status', 'reason', { stream_id: 'ID', status: 'paused', reason: 'x'.repeat(501) }],
    ['/ssf/verify', 'stream_id', { state: 'a' }],
    ['/ssf/verify', 'state', { stream_id: 'ID', state: 1 }],
    ['/ssf/verify', 'state', { stream_id: 'ID', state: 'x'.repeat(2049) }],
    ['/ssf/subjects/add', 'subject', { stream_id: 'ID' }],
    ['/ssf/subjects/add', 'subject', { stream_id: 'ID', subject: 'ada' }],
    ['/ssf/subjects/add', 'verified', { stream_id: 'ID', subject: {}, verified: 'yes' }],
    ['/ssf/subjects/add', 'subject.format', { stream_id: 'ID', subject: {} }],
    ['/ssf/subjects/add', 'subject.email', { stream_id: 'ID', subject: { format: 'email' } }],
    ['/ssf/subjects/remove', 'subject.sub', subject({ format: 'iss_sub', iss: 'a' })],
    ['/ssf/subjects/remove', 'subject', subject({ format: 'complex' })],
    ['/ssf/subjects/remove', 'subject.user', subject({ format: 'complex', user: 'ada' })],
    ['/ssf/subjects/remove', 'subject.identifiers', subject({ format: 'aliases' })],
    [
      '/ssf/subjects/remove',
      'subject.identifiers',
      subject({ format: 'aliases', identifiers: [1] }),
    ],
    ['/ssf/subjects/remove', 'subject', subject({ format: 'opaque', id: 'x'.repeat(2000) })],
    ['/ssf/subjects/remove', 'subject', subject({ format: 'made-up', deep: { er: 1 } })],
  ];
  for (const [path, field, body] of wrong) {
    const sent = JSON.stringify(body).replace('"ID"', JSON.stringify(id));
    refusedAt(await api.call('POST', path, sent), field);
  }
  refusedAt(await api.call('GET', '/ssf/status'), 'stream_id');
  const twice = await api.call('GET', `/ssf/status?stream_id=${id}&stream_id=${id}`);
  expect([twice.status, twice.body.error.code]).toEqual([400, 'parameter_repeated']);
});

const subject = (of: object) => ({ stream_id: 'ID', subject: of });

test('T68 a poll with wrong types is told by field, and changes nothing', async () => {
  const wrong: [string, object][] = [
    ['maxEvents', { maxEvents: '1' }],
    ['maxEvents', { maxEvents: -1 }],
    ['maxEvents', { maxEvents: 1.5 }],
    ['returnImmediately', { returnImmediately: 1 }],
    ['ack', { ack: 'evt_1' }],
    ['ack', { ack: [1] }],
    ['setErrs', { setErrs: [] }],
    ['evt_1', { setErrs: { evt_1: 'bad' } }],
    ['err', { setErrs: { evt_1: {} } }],
  ];
  for (const [field, body] of wrong) refusedAt(await api.poll(id, body), field);
});

test('what is not known is passed over', async () => {
  const made = await api.create({ format: 'email', delivery: { method: poll, more: 1 }, more: [] });
  expect(made.status).toBe(201);
  const { stream_id: other } = made.body;
  expect((await api.call('PATCH', '/ssf/streams', { stream_id: other, more: 1 })).status).toBe(200);
  expect((await api.poll(other, { returnImmediately: true, more: 1 })).body).toEqual({
    sets: {},
    moreAvailable: false,
  });
});

test('`since` and `after` of recent events are what they are said to be', async () => {
  refusedAt(await api.call('GET', '/ssf/recent?since=yesterday'), 'since');
  refusedAt(await api.call('GET', '/ssf/recent?since=-1'), 'since');
  refusedAt(await api.call('GET', "/ssf/recent?after=evt_'"), 'after');
});
