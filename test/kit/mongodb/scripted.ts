/**
 * A server that answers commands as a test says, in MongoDB's protocol: for what a real one does only
 * when it is in trouble.
 */

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { BSON } from 'mongodb';
import type { Document } from 'mongodb';
import { mongodbFraming } from '../proxy.ts';

export interface ScriptedMongodb {
  url: string;
  /** What it was asked, greetings apart. */
  commands: Document[];
  close(): Promise<void>;
}

/** @returns the answer to a command; undefined for the usual one: all is well, and there is nothing */
export type Script = (name: string, command: Document) => Document | undefined;

const usual: Record<string, Document> = {
  find: { cursor: { firstBatch: [], id: BSON.Long.fromNumber(0), ns: 'a.b' } },
  insert: { n: 1 },
  update: { n: 1, nModified: 1 },
  delete: { n: 1 },
};

const legacyQuery = 2004;
const headerBytes = 16;

export async function startScripted(
  script: Script,
  greeting: Document = {},
): Promise<ScriptedMongodb> {
  const commands: Document[] = [];
  const sockets = new Set<Socket>();
  const hello = { ismaster: true, helloOk: false, minWireVersion: 0, maxWireVersion: 13 };

  const answerTo = (command: Document): Document => {
    const [name = ''] = Object.keys(command);
    if (/^(hello|ismaster)$/i.test(name)) return { ...hello, ...greeting, ok: 1 };
    commands.push(command);
    return { ok: 1, ...(script(name, command) ?? usual[name]) };
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const messagesOf = mongodbFraming();
    socket.on('data', (chunk) => {
      for (const { bytes } of messagesOf(chunk)) socket.write(answered(bytes, answerTo));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}`,
    commands,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answered(bytes: Buffer, answerTo: (command: Document) => Document): Buffer {
  const request = bytes.readInt32LE(4);
  if (bytes.readInt32LE(12) === legacyQuery) {
    // Flags, the name of the collection with its zero, two numbers, then the command.
    const command = bytes.indexOf(0, headerBytes + 4) + 1 + 8;
    const body = Buffer.from(BSON.serialize(answerTo(BSON.deserialize(bytes.subarray(command)))));
    const head = Buffer.alloc(20);
    head.writeInt32LE(1, 16);
    return framed(request, 1, Buffer.concat([head, body]));
  }
  const body = BSON.serialize(answerTo(commandOf(bytes)));
  return framed(request, 2013, Buffer.concat([Buffer.alloc(5), body]));
}

/** The command is one section; long lists of it (documents, updates) are sections of their own. */
function commandOf(bytes: Buffer): Document {
  const command: Document = {};
  for (let at = headerBytes + 4; at < bytes.length;) {
    const isList = bytes[at] === 1;
    const size = bytes.readInt32LE(at + 1);
    const section = bytes.subarray(at + 1, at + 1 + size);
    if (isList) {
      const nameEnd = section.indexOf(0, 4);
      const list: Document[] = [];
      for (let from = nameEnd + 1; from < size; from += section.readInt32LE(from)) {
        list.push(BSON.deserialize(section.subarray(from, from + section.readInt32LE(from))));
      }
      command[section.toString('utf8', 4, nameEnd)] = list;
    } else {
      Object.assign(command, BSON.deserialize(section));
    }
    at += 1 + size;
  }
  return command;
}

function framed(request: number, operation: number, body: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeInt32LE(headerBytes + body.length, 0);
  header.writeInt32LE(request, 8);
  header.writeInt32LE(operation, 12);
  return Buffer.concat([header, body]);
}
