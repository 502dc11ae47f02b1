/**
 * One running server: its store, its listener, its workers, and a stop that loses nothing. A signal
 * lets requests under way finish; what they caused is in the outbox, so what is left over is done by
 * another process or by the next start.
 */

import { createServer as createListener } from 'node:http';
import type { RequestListener, Server as Listener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from './base/clock.ts';
import type { Clock } from './base/clock.ts';
import { Problem } from './base/errors.ts';
import { createLog } from './base/log.ts';
import type { Log } from './base/log.ts';
import type { Config } from './config.ts';
import type { Store } from './storage/store.ts';

/** Requests that take longer are cut off at a stop: an orchestrator kills after 30 s. */
const drainMs = 10_000;

/** Against clients that send slowly in order to hold connections (Slowloris), and against large heads. */
const listenerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // Longer than the 60 s of most load balancers, or they write into a connection that is closing.
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
};

/** Resolves when it listens; from then on signals end the process. */
export async function serve(config: Config, version: string): Promise<void> {
  const clock = systemClock;
  const log = createLog({ level: config.logLevel, clock, write: writeLine });
  watchDefects(log);
  const store = await openStore(config.store, { clock, log });
  const { createServer } = await import('./server.ts');
  const server = await createServer({ config, store, clock, log });
  const listener = await listen(server.callback, config).catch(async (error: unknown) => {
    await server.stop();
    await store.close();
    throw error;
  });
  server.start();
  log.info('listening', { ...describe(listener), issuer: config.issuer, version, runtime: runtime() });

  onSignals(log, async () => {
    server.leave();
    await drain(listener, log);
    await server.stop();
    await store.close();
  });
}

/** Drivers are imported on demand: a process loads the one that it uses. */
async function openStore(address: string, deps: { clock: Clock; log: Log }): Promise<Store> {
  const [scheme, ...rest] = address.split(':');
  if (scheme !== 'sqlite') {
    throw new Problem('store_unknown', 500, `There is no store for ${String(scheme)}: addresses.`);
  }
  const { openSqlite } = await import('./storage/sqlite.ts');
  return openSqlite({ path: rest.join(':'), ...deps });
}

function listen(callback: RequestListener, { port, host }: Config): Promise<Listener> {
  const listener = createListener(listenerOptions, callback);
  return new Promise((resolve, reject) => {
    listener.once('error', (error: NodeJS.ErrnoException) => reject(unusable(error, port, host)));
    listener.listen(port, host, () => resolve(listener));
  });
}

function unusable(error: NodeJS.ErrnoException, port: number, host: string): Problem {
  const place = `port ${port} of ${host}`;
  const options = { cause: error };
  switch (error.code) {
    case 'EADDRINUSE':
      return new Problem(
        'port_taken',
        500,
        `Another program listens on ${place}. Stop it, or choose another port with --port.`,
        options,
      );
    case 'EACCES':
      return new Problem(
        'port_forbidden',
        500,
        `This user may not listen on ${place}. Choose a port above 1023 with --port.`,
        options,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new Problem(
        'host_unknown',
        500,
        `This machine has no address ${host}. Choose another with --host, such as 127.0.0.1.`,
        options,
      );
    default:
      return new Problem(
        'cannot_listen',
        500,
        `Listening on ${place} failed: ${error.message}`,
        options,
      );
  }
}

function describe(listener: Listener): { address: string; port: number } {
  const { address, port } = listener.address() as AddressInfo;
  return { address, port };
}

function runtime(): string {
  const { deno, node } = process.versions;
  return deno === undefined ? `node ${node}` : `deno ${deno}`;
}

/** No new connections; those under way finish, within a bound. */
async function drain(listener: Listener, log: Log): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    listener.close(() => resolve());
  });
  listener.closeIdleConnections();
  const timer = setTimeout(() => {
    log.warn('requests were cut off at the stop', { after_ms: drainMs });
    listener.closeAllConnections();
  }, drainMs);
  await closed;
  clearTimeout(timer);
}

/** The first signal stops in order, the second at once. */
function onSignals(log: Log, stop: () => Promise<void>): void {
  let stopping = false;
  const handle = (signal: NodeJS.Signals) => {
    if (stopping) {
      log.warn('stopped at once', { signal });
      process.exit(1);
    }
    stopping = true;
    log.info('stopping', { signal });
    stop().then(
      () => {
        log.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.error('the stop failed', { error });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}

/** After a defect nothing is known of the process's state: it ends, and its supervisor starts it anew. */
function watchDefects(log: Log): void {
  const end = (message: string) => (error: unknown) => {
    log.error(message, { error });
    process.exit(1);
  };
  process.on('uncaughtException', end('uncaught exception'));
  process.on('unhandledRejection', end('unhandled rejection'));
  // A reader of the log that went away (`| head`) is no reason to stop serving.
  process.stdout.on('error', () => undefined);
}

function writeLine(line: string): void {
  process.stdout.write(line);
}
