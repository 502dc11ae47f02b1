/** Several processes behind one address: each new connection goes to the next one. */

import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';

export interface Balancer {
  port: number;
  /** The ports that are gone to, in turn. May be changed while it runs. */
  setBackends(ports: readonly (number | undefined)[]): Promise<void>;
  close(): Promise<void>;
}

export async function startBalancer(): Promise<Balancer> {
  let backends: readonly (number | undefined)[] = [];
  let turn = 0;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Either side may break off: that is what some tests are about.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((client) => {
    keep(client);
    const port = backends[turn % backends.length];
    turn += 1;
    if (port === undefined) return void client.destroy();
    const backend = connect(port, '127.0.0.1');
    keep(backend);
    backend.on('close', () => client.destroy());
    client.on('close', () => backend.destroy());
    client.pipe(backend).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    setBackends(ports) {
      backends = ports;
      return Promise.resolve();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
