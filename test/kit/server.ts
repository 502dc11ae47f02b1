/** Tollgate within the test's own process, on a free port of loopback, with all that it needs. */

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { configSchema } from '../../src/config.ts';
import type { Config, ConfigInput } from '../../src/config.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { FindTexts } from '../../src/base/dns.ts';
import type { Log, LogFields } from '../../src/base/log.ts';
import type { Measures } from '../../src/base/measures.ts';
import { createServer } from '../../src/server.ts';
import type { Server } from '../../src/server.ts';
import type { Store } from '../../src/storage/store.ts';
import { openEmpty } from './places.ts';

export interface LogLine {
  level: string;
  message: string;
  fields: LogFields;
}

export interface TestLog extends Log {
  lines: LogLine[];
}

export function recordingLog(): TestLog {
  const lines: LogLine[] = [];
  const record =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  return {
    lines,
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
}

export const testSecret = 'a secret of tests with thirty-two bytes or more';

export type ConfigChanges = Partial<ConfigInput>;

/** A configuration that is complete but for the changes. */
export function testConfig(issuer: string, changes: ConfigChanges = {}): Config {
  return configSchema.parse(testConfigInput(issuer, changes));
}

/** The same, as an operator writes it. */
export function testConfigInput(issuer: string, changes: ConfigChanges = {}): ConfigInput {
  return {
    issuer,
    host: '127.0.0.1',
    port: 0,
    store: 'sqlite::memory:',
    secrets: [testSecret],
    providers: [],
    products: [{ id: 'api', name: 'API', audience: 'https://api.example.com' }],
    signin: { success: 'https://app.example.com/' },
    signout: { success: 'https://app.example.com/bye' },
    outgoing: { allowPrivate: ['127.0.0.0/8'] },
    limits: { perAddressPerMinute: 1_000_000 },
    ...changes,
  };
}

export interface StartOptions {
  config?: ConfigChanges | ((issuer: string) => ConfigChanges);
  /** Closed with the server when the server opened it itself. */
  store?: Store;
  clock?: Clock;
  log?: Log;
  measures?: Measures;
  findTexts?: FindTexts;
}

export interface RunningServer {
  issuer: string;
  port: number;
  config: Config;
  server: Server;
  store: Store;
  log: TestLog;
  close(): Promise<void>;
}

export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const clock = options.clock ?? Date.now;
  const log = recordingLog();
  let listener: Server['callback'] | undefined;
  const http = createHttpServer((request, response) => listener?.(request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const { config: changes = {} } = options;
  const config = testConfig(issuer, typeof changes === 'function' ? changes(issuer) : changes);
  const store = options.store ?? (await openEmpty(clock));
  const { measures, findTexts } = options;
  const server = await createServer({
    config,
    store,
    clock,
    log: options.log ?? log,
    ...(measures === undefined ? {} : { measures }),
    ...(findTexts === undefined ? {} : { findTexts }),
  });
  listener = server.callback;
  server.start();
  return {
    issuer,
    port,
    config,
    server,
    store,
    log,
    async close() {
      http.close();
      http.closeAllConnections();
      await server.stop();
      if (options.store === undefined) await store.close();
    },
  };
}
