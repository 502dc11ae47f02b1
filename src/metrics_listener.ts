/** `GET /metrics`, at an address of its own: what is measured is for the operator, and nothing of it is for browsers. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from './base/log.ts';
import type { Metrics } from './base/metrics.ts';
import type { Config } from './config.ts';
import { listen } from './listener.ts';
import type { Listener } from './listener.ts';

const defaults = { host: '127.0.0.1', port: 0 };
const options = { port: '`metrics.port`', host: '`metrics.host`' };

/** @throws {Problem} when it cannot listen there */
export async function serveMetrics(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  config: Pick<Config, 'metrics'>,
  log: Log,
): Promise<Listener> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const [path] = (request.url ?? '').split('?');
    if (path !== '/metrics') return void response.writeHead(404).end();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return void response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text),
      (error: unknown) => {
        log.error('the metrics could not be told', { error });
        response.writeHead(500).end();
      },
    );
  };
  const listener = await listen(answer, { ...(config.metrics ?? defaults), options }, log);
  log.info('metrics can be fetched', {
    metrics_address: listener.address,
    metrics_port: listener.port,
  });
  return listener;
}
