/**
 * Stands between a store and its server, and is what is wrong with the network: it cuts the connection
 * at the n-th request, before the server gets it or once it has (the answer is lost), or says nothing.
 */

import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';

export interface Message {
  bytes: Buffer;
  /** Not counted: what a driver sends of its own accord, such as its greeting. */
  counts: boolean;
}

/** For each connection its own: takes what arrives, gives whole messages. */
export type Framing = () => (chunk: Buffer) => Message[];

export interface Cut {
  /** 1 for the next request. */
  at: number;
  /** `before` the server gets it, or `after`: then its answer is lost. */
  mode: 'before' | 'after';
}

export interface Proxy {
  port: number;
  /** So many requests came since it was started, or since the last `cutAt`. */
  readonly requests: number;
  /** What the server answered since then, in bytes. */
  readonly answered: number;
  /** Whether the cut has been reached. */
  readonly wasCut: boolean;
  /** Once, and of that connection alone: the others and new ones go on. */
  cutAt(cut: Cut | undefined): void;
  /** Takes everything and delivers nothing, in either direction. */
  hang(): void;
  /** Ends all connections, and takes none. */
  refuse(): void;
  restore(): void;
  close(): Promise<void>;
}

export interface Target {
  host?: string;
  port: number;
}

/** Listens on loopback. */
export async function startProxy(
  { host = '127.0.0.1', port }: Target,
  framing: Framing,
): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let requests = 0;
  let answered = 0;
  let cut: Cut | undefined;
  let wasCut = false;
  let hanging = false;
  let refusing = false;

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    // That the other side is gone is what this is for.
    socket.on('error', () => {});
  };

  const server = createServer((near) => {
    if (refusing) return void near.destroy();
    const far = connect(port, host);
    const messagesOf = framing();
    let lost = false;
    keep(near);
    keep(far);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.on('data', (chunk) => {
      if (hanging) return;
      for (const { bytes, counts } of messagesOf(chunk)) {
        if (lost) return;
        if (counts) requests += 1;
        if (!counts || requests !== cut?.at) {
          far.write(bytes);
          continue;
        }
        const { mode } = cut;
        cut = undefined;
        wasCut = true;
        lost = true;
        if (mode === 'before') near.destroy();
        // The server has done what was asked when it answers.
        else far.write(bytes, () => far.once('data', () => near.destroy()));
      }
    });
    far.on('data', (chunk) => {
      answered += chunk.length;
      if (!hanging && !lost) near.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    get answered() {
      return answered;
    },
    get wasCut() {
      return wasCut;
    },
    cutAt(next) {
      requests = 0;
      answered = 0;
      wasCut = false;
      cut = next;
    },
    hang() {
      hanging = true;
    },
    refuse() {
      refusing = true;
      for (const socket of sockets) socket.destroy();
    },
    /** What was swallowed is missing: those connections are of no use any more. */
    restore() {
      if (hanging) for (const socket of sockets) socket.destroy();
      hanging = false;
      refusing = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const mongodbHeader = 16;
/** Of the operation that carries every command; the older one is used to greet. */
const mongodbCommand = 2013;

/** MongoDB's: each message begins with its length. Watching the server is not counted. */
export const mongodbFraming: Framing = () => {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const messages: Message[] = [];
    while (rest.length >= mongodbHeader && rest.length >= rest.readInt32LE(0)) {
      const bytes = rest.subarray(0, rest.readInt32LE(0));
      rest = rest.subarray(bytes.length);
      const greets = bytes.includes('hello\0') || bytes.includes('ismaster\0');
      messages.push({ bytes, counts: bytes.readInt32LE(12) === mongodbCommand && !greets });
    }
    return messages;
  };
};
