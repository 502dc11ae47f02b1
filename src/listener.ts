/** The listening socket: bounds on what a connection may cost, and an end that cuts nobody off. */

import { createServer } from 'node:http';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from './base/errors.ts';
import type { Log } from './base/log.ts';

/** Requests that take longer are cut off at a stop: orchestrators kill after 30 s, or 10 s more. */
const drainMs = 10_000;
/**
 * To its client a connection that the kernel has taken is one that we have taken: they are let in
 * before the door is shut.
 */
const takingMs = 100;
/**
 * The request of a connection that was just taken is still on its way. Longer ones are browsers', which
 * connect ahead and send nothing.
 */
const silentMs = 1_000;

/** Against clients that send slowly in order to hold connections (Slowloris), and against large heads. */
const bounds = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // Longer than the 60 s of most load balancers, or they write into a connection that is closing.
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
};

export interface Place {
  port: number;
  host: string;
  /** How an operator changes them; the options of the command line when not given. */
  options?: { port: string; host: string };
}

export interface Listener {
  address: string;
  port: number;
  /**
   * Takes no new connection once `noticeMs` are over (at once when not given), and resolves when those under way
   * have got their answers.
   * @param hangUp ends answers that would go on for ever: whoever connects again gets to another process
   */
  drain(noticeMs?: number, hangUp?: () => void): Promise<void>;
}

/** @throws {Problem} with a sentence for the operator that names the port or the address */
export async function listen(callback: RequestListener, place: Place, log: Log): Promise<Listener> {
  const server = createServer(bounds, callback);
  const connections = track(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(unusable(error, place)));
    server.listen(place.port, place.host, resolve);
  });
  // Of one connection that could not be taken (no file descriptor left): the others go on.
  server.on('error', (error) => log.error('the listener failed', { error }));
  const { address, port } = server.address() as AddressInfo;
  return {
    address,
    port,
    drain: async (noticeMs, hangUp) => drain({ server, connections, log, noticeMs, hangUp }),
  };
}

interface Connections {
  /** From now on a connection ends with the next answer. */
  leave(): void;
  /** And so does one that waits for none. */
  finish(): void;
  /** Ends those that never said a word. */
  endSilent(): void;
}

function track(server: Server): Connections {
  const sockets = new Set<Socket>();
  const busy = new Set<ServerResponse>();
  let [leaving, finishing] = [false, false];
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // Before the server's own: it may answer at once.
  server.prependListener('request', (_request, response: ServerResponse) => {
    busy.add(response);
    if (leaving) response.setHeader('Connection', 'close');
    response.once('close', () => {
      busy.delete(response);
      if (finishing) setImmediate(() => server.closeIdleConnections());
    });
  });
  return {
    leave() {
      leaving = true;
      for (const response of busy) {
        if (!response.headersSent) response.setHeader('Connection', 'close');
      }
    },
    finish() {
      finishing = true;
      server.closeIdleConnections();
    },
    endSilent() {
      // To the server a connection is idle only after its first request.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    },
  };
}

interface Draining {
  server: Server;
  connections: Connections;
  log: Log;
  noticeMs: number | undefined;
  hangUp: (() => void) | undefined;
}

async function drain({ server, connections, log, noticeMs = 0, hangUp }: Draining): Promise<void> {
  connections.leave();
  // A balancer that has not heard of it yet may be sending over any of its connections.
  if (noticeMs > 0) await delay(noticeMs);
  connections.finish();
  await delay(takingMs);
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  hangUp?.();
  const silent = setTimeout(connections.endSilent, silentMs);
  const timer = setTimeout(() => {
    log.warn('requests were cut off at the stop', { after_ms: drainMs });
    server.closeAllConnections();
  }, drainMs);
  await closed;
  clearTimeout(silent);
  clearTimeout(timer);
}

function unusable(error: NodeJS.ErrnoException, { port, host, options }: Place): Problem {
  const { port: portOption, host: hostOption } = options ?? { port: '--port', host: '--host' };
  const place = `port ${port} of ${host}`;
  const problem = (code: string, message: string) =>
    new Problem(code, 500, message, { cause: error });
  switch (error.code) {
    case 'EADDRINUSE':
      return problem(
        'port_taken',
        `Another program listens on ${place}. Stop it, or choose another port with ${portOption}.`,
      );
    case 'EACCES':
      return problem(
        'port_forbidden',
        `This user may not listen on ${place}. Choose a port above 1023 with ${portOption}.`,
      );
    case 'EADDRNOTAVAIL':
    case 'EINVAL': // Deno's word for the same.
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return problem(
        'host_unknown',
        `This machine has no address ${host}. Choose another with ${hostOption}, such as 127.0.0.1.`,
      );
    default:
      return problem('cannot_listen', `Listening on ${place} failed: ${error.message}`);
  }
}
