import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';

/** A server on loopback that is there for one test file. */
export interface Listening {
  port: number;
  close(): Promise<void>;
}

export function listen(handler: RequestListener, host = '127.0.0.1'): Promise<Listening> {
  return opened(createServer({ requestTimeout: 0 }, handler), host);
}

export function listenTls(
  identity: { key: string; cert: string },
  handler: RequestListener,
): Promise<Listening> {
  return opened(createTlsServer(identity, handler), '127.0.0.1');
}

async function opened(
  server: Server & { closeAllConnections(): void },
  host: string,
): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
