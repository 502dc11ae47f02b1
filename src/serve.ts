/**
 * One running server: its store, its listener, its workers, and a stop that loses nothing. A signal
 * lets requests under way finish; what they caused is in the outbox, so what is left over is done by
 * another process or by the next start.
 */

import { systemClock } from './base/clock.ts';
import { createLog } from './base/log.ts';
import type { Log } from './base/log.ts';
import type { Metrics } from './base/metrics.ts';
import type { Config } from './config.ts';
import { billingWarnings } from './config/billing_rules.ts';
import type { ConfigSource } from './config/source.ts';
import { watchConfig } from './config/watch.ts';
import { listen } from './listener.ts';
import type { Listener } from './listener.ts';
import { serveMetrics } from './metrics_listener.ts';
import { openStores } from './stores.ts';

/** Resolves when it listens; from then on signals end the process. */
export async function serve(source: ConfigSource, version: string): Promise<void> {
  const config = await source.load();
  const clock = systemClock;
  const log = createLog({ level: config.logLevel, clock, write: writeLine });
  watchDefects(log);
  for (const warning of billingWarnings(config)) log.warn(warning);
  const store = await openStores(config, { clock, log });
  const { createServer } = await import('./server.ts');
  const metrics = await measuring(config, version);
  const server = await createServer({
    config,
    store,
    clock,
    log,
    ...(metrics === undefined ? {} : { measures: metrics }),
  });
  const configWatch = watchConfig({
    source,
    config,
    log,
    take: (next) => server.reconfigure(next),
  });
  let metricsListener: Listener | undefined;
  const close = async () => {
    await Promise.all([configWatch.stop(), server.stop(), metricsListener?.drain()]);
    await store.close();
  };
  const listening = async () => {
    if (metrics !== undefined) metricsListener = await serveMetrics(metrics, config, log);
    return listen(server.callback, config, log);
  };
  const listener = await listening().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  // Before it is said that it listens: whoever hears that may signal at once.
  onSignals(log, async () => {
    const isWatched = server.leave();
    // Requests first: they may still need the outgoing fetch, and what they write wakes the workers.
    await listener.drain(isWatched ? config.stopDelaySeconds * 1000 : 0, server.hangUp);
    await close();
  });
  server.start();
  configWatch.start();
  const { address, port } = listener;
  log.info('listening', { address, port, issuer: config.issuer, version, runtime: runtime() });
}

/** Its package is loaded only where somebody wants to know. */
async function measuring(config: Config, version: string): Promise<Metrics | undefined> {
  if (config.metrics === undefined) return undefined;
  const { createMetrics } = await import('./base/metrics.ts');
  const metrics = createMetrics();
  metrics.set('tollgate_build_info', { version, runtime: runtime() }, 1);
  return metrics;
}

function runtime(): string {
  const { deno, node } = process.versions;
  return deno === undefined ? `node ${node}` : `deno ${deno}`;
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
