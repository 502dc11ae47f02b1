import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { failures } from '../../src/web/failure.ts';
import { readBody, readForm, singleQuery } from '../../src/web/form.ts';
import { html } from '../../src/web/html.ts';
import { recording, run, type RunningApp } from './app.ts';

const { log, records } = recording();
let app: RunningApp;

beforeAll(async () => {
  app = await run([
    failures({ log, renderFailure: ({ message }) => html`${message}` }),
    async (ctx) => {
      if (ctx.path === '/query') ctx.body = [...singleQuery(ctx)];
      else if (ctx.path === '/bytes') ctx.body = (await readBody(ctx, 1000)).toString('hex');
      else {
        const form = await readForm(ctx, ctx.path === '/small' ? 100 : undefined);
        if ((await readForm(ctx)) !== form) throw new Error('not the same form');
        ctx.body = [...form];
      }
    },
  ]);
});
beforeEach(() => {
  records.length = 0;
});
afterAll(() => app.close());

const urlencoded = 'application/x-www-form-urlencoded';

async function post(body: string | Buffer, path = '/', headers: Record<string, string> = {}) {
  const answer = await app.send(path, {
    method: 'POST',
    body,
    headers: { 'content-type': urlencoded, ...headers },
  });
  const code = answer.status < 400 ? undefined : (answer.json()['error'] as { code: string }).code;
  return { status: answer.status, code, answer };
}

describe('a form', () => {
  it('is read as browsers write it', async () => {
    const pair = fc.tuple(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.string({ unit: 'grapheme' }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(pair, { selector: ([name]) => name, maxLength: 10 }),
        async (fields) => {
          const { answer } = await post(new URLSearchParams(fields).toString());
          expect(JSON.parse(answer.text)).toEqual(fields);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is flat, and no name means anything', async () => {
    const { answer } = await post('__proto__=a&constructor=b&a%5Bb%5D=c&empty&=nameless&&');
    expect(JSON.parse(answer.text)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['a[b]', 'c'],
      ['empty', ''],
      ['', 'nameless'],
    ]);
  });

  it('T14 is refused when a parameter comes twice', async () => {
    for (const body of ['a=1&b=2&a=1', 'a&a', 'a=1&%61=2', '__proto__=1&__proto__=2']) {
      const { code, answer } = await post(body);
      expect(code).toBe('parameter_repeated');
      expect(answer.json()['error']).toMatchObject({
        parameter: body.startsWith('_') ? '__proto__' : 'a',
      });
    }
  });

  it('is refused when it cannot be read', async () => {
    for (const body of [
      'a=%',
      'a=%zz',
      'a=%c3%28',
      'a=%ff',
      '%e0%80=1',
      Buffer.from([97, 61, 0xff]),
    ]) {
      expect(await post(body)).toMatchObject({ status: 400, code: 'form_unreadable' });
    }
  });

  it('is nothing but a form', async () => {
    for (const type of [
      'application/json',
      'multipart/form-data; boundary=x',
      'text/plain',
      '',
      `${urlencoded}; charset=utf-16`,
    ]) {
      expect(await post('a=1', '/', { 'content-type': type })).toMatchObject({
        status: 415,
        code: 'form_expected',
      });
    }
    for (const type of [
      `${urlencoded}; charset=UTF-8`,
      urlencoded.toUpperCase(),
      `${urlencoded};charset="utf-8"`,
    ]) {
      expect((await post('a=1', '/', { 'content-type': type })).status).toBe(200);
    }
    expect((await post('a=1', '/', { 'content-encoding': 'gzip' })).status).toBe(415);
  });
});

describe('T77 a body', () => {
  it('has a limit, announced or not', async () => {
    expect((await post('a'.repeat(100), '/small')).status).toBe(200);
    expect(await post('a'.repeat(101), '/small')).toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
    const chunked = { 'transfer-encoding': 'chunked' };
    expect((await post('a'.repeat(100), '/small', chunked)).status).toBe(200);
    const { status, answer } = await post('a'.repeat(101), '/small', chunked);
    expect([status, answer.headers['connection']]).toEqual([413, 'close']);
    expect((await post('a'.repeat(64 * 1024), '/')).status).toBe(200);
    expect((await post('a'.repeat(64 * 1024 + 1), '/')).status).toBe(413);
  });

  it('is not waited for when it is announced as too large', async () => {
    const head = `POST /small HTTP/1.1\r\nHost: x\r\nContent-Type: ${urlencoded}\r\nContent-Length: 9999999\r\n\r\n`;
    expect(await app.raw(head)).toMatch(/^HTTP\/1\.1 413 /);
    const endless = `POST /small HTTP/1.1\r\nHost: x\r\nContent-Type: ${urlencoded}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await app.raw(`${endless}200\r\n${'a'.repeat(512)}\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('has at most 200 fields', async () => {
    const fields = (count: number) => Array.from({ length: count }, (_, i) => `f${i}=1`).join('&');
    expect((await post(fields(200))).status).toBe(200);
    expect(await post(fields(201))).toMatchObject({ status: 400, code: 'form_unreadable' });
    expect((await post('&'.repeat(60_000))).status).toBe(400);
  });

  it('that breaks off is a refusal, not a defect', async () => {
    const socket = connect(app.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${urlencoded}\r\nContent-Length: 50\r\n\r\na=1`,
    );
    await new Promise((resolve) => socket.on('connect', resolve));
    setTimeout(() => socket.destroy(), 20);
    await expect.poll(() => records.length).toBe(1);
    expect(records[0]).toMatchObject({ level: 'info', status: 400, error_code: 'body_incomplete' });
  });

  it('can be had as bytes', async () => {
    const { answer } = await post(Buffer.from([0, 255, 10]), '/bytes', { 'content-type': 'x/y' });
    expect(answer.text).toBe('00ff0a');
    expect((await post('', '/bytes')).answer.text).toBe('');
  });
});

describe('a query', () => {
  it('T14 is read by the same rules', async () => {
    const good = await app.send('/query?a=1&b=%C3%A4+x');
    expect(JSON.parse(good.text)).toEqual([
      ['a', '1'],
      ['b', 'ä x'],
    ]);
    const repeated = await app.send('/query?client_id=a&state=x&client_id=b');
    expect([repeated.status, repeated.json()['error']]).toMatchObject([
      400,
      { code: 'parameter_repeated', parameter: 'client_id' },
    ]);
    expect((await app.send('/query?a=%ff')).status).toBe(400);
  });
});
