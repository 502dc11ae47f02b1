/** TXT records, asked of a server on loopback that answers what a test says. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { createTextFinder } from '../../src/base/dns.ts';
import type { FindTexts } from '../../src/base/dns.ts';

const socket = createSocket('udp4');
let find: FindTexts;

/** By name: the texts, each in parts; or a code of RFC 1035 §4.1.1; or silence. */
const zone: Record<string, string[][] | number> = {
  '_tollgate.office.example': [['tollgate-domain=', 'abc'], ['v=spf1 -all']],
  'empty.example': [],
  'none.example': 3,
  'broken.example': 2,
};

beforeAll(async () => {
  socket.on('message', (message, { port, address }) => {
    const answer = answerTo(message);
    if (answer !== undefined) socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const servers = [`127.0.0.1:${socket.address().port}`];
  find = createTextFinder({ servers, mostMs: 1000 });
});
afterAll(() => {
  socket.close();
});

/** RFC 1035 §4: the header, the question as it came, and a record for each text. */
function answerTo(message: Buffer): Buffer | undefined {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('ascii', at + 1, at + 1 + length));
    at += length + 1;
  }
  const found = zone[labels.join('.')];
  if (found === undefined) return undefined;
  const [texts, code] = typeof found === 'number' ? [[], found] : [found, 0];
  const header = Buffer.from(message.subarray(0, 12));
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(texts.length, 6);
  header.writeUInt32BE(0, 8);
  const records = texts.map((parts) => {
    const data = Buffer.concat(
      parts.map((part) => Buffer.from([part.length, ...Buffer.from(part)])),
    );
    return Buffer.concat([Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, data.length]), data]);
  });
  return Buffer.concat([header, message.subarray(12, at + 5), ...records]);
}

test('each text is whole', async () => {
  expect((await find('_tollgate.office.example')).toSorted()).toEqual([
    'tollgate-domain=abc',
    'v=spf1 -all',
  ]);
});

test('there are none where there is no record, or no such name', async () => {
  expect(await find('empty.example')).toEqual([]);
  expect(await find('none.example')).toEqual([]);
});

test('a server that fails is no answer; on Deno, which answers both alike, there is no record', async () => {
  if ('Deno' in globalThis) expect(await find('broken.example')).toEqual([]);
  else await isNoAnswer('broken.example');
});

test('a server that says nothing is no answer', () => isNoAnswer('silent.example'));

async function isNoAnswer(name: string): Promise<void> {
  const problem = await find(name).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  expect(problem).toMatchObject({ code: 'dns_unavailable', status: 503 });
}
