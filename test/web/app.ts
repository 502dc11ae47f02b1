import { request as httpRequest, createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import Koa, { type Middleware } from 'koa';
import { createLog, type Log } from '../../src/base/log.ts';

/** A bare Koa application on loopback, with what tests ask of it. */
export interface RunningApp {
  app: Koa;
  port: number;
  send(path: string, options?: SendOptions): Promise<Answer>;
  /** Writes these bytes and reads until the server ends the connection. */
  raw(text: string): Promise<string>;
  close(): Promise<void>;
}

export interface SendOptions {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json(): Record<string, unknown>;
}

export async function run(
  middlewares: readonly Middleware[],
  app: Koa = new Koa(),
): Promise<RunningApp> {
  app.silent = true;
  for (const middleware of middlewares) app.use(middleware);
  const handle = app.callback();
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    app,
    port,
    send: (path, options = {}) => send(port, path, options),
    raw: (text) => raw(port, text),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(port: number, path: string, options: SendOptions): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { method = 'GET', headers = {}, body } = options;
  const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false });
  let answered = false;
  sent.on('response', (response) => {
    answered = true;
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text,
        json: () => JSON.parse(text) as Record<string, unknown>,
      });
    });
  });
  // A server that refuses early may close while the body is still under way.
  sent.on('error', (error) => (answered ? undefined : reject(error)));
  sent.end(body);
  return promise;
}

function raw(port: number, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('close', () => resolve(received));
  socket.on('error', (error) => (received === '' ? reject(error) : undefined));
  return promise;
}

/** A log that keeps its records. */
export function recording(): { log: Log; records: Record<string, unknown>[] } {
  const records: Record<string, unknown>[] = [];
  const write = (line: string) => void records.push(JSON.parse(line) as Record<string, unknown>);
  return { records, log: createLog({ level: 'debug', clock: () => Date.now(), write }) };
}
