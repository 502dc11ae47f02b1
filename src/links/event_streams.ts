/**
 * Answers that go on: server-sent events (HTML §9.2) to pages, as many as a process may keep, each for a while. The
 * browser connects again by itself, so any of them may be ended at any time, and all are when the process stops.
 */

import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import { clearInterval, setInterval } from 'node:timers';
import type { Clock } from '../base/clock.ts';

export interface SentEvent {
  /** Absent: only the id is taken note of. */
  name?: string;
  id: string;
  data?: object;
}

export interface EventStream {
  /** The answer's body. */
  body: Readable;
  send(event: SentEvent): void;
  /** The browser connects again, after this time where one is given. */
  end(retryMs?: number): void;
  /** However it ends. */
  onEnd(done: () => void): void;
}

export interface EventStreams {
  /** @returns `undefined` when this process has as many as it may */
  open(session: string): EventStream | undefined;
  readonly size: number;
  start(): void;
  /** Ends all; whoever connects from now on is sent away to try again. */
  hangUp(): void;
}

export interface EventStreamsOptions {
  clock: Clock;
  /** At this process. */
  most: number;
  mostOfSession?: number;
  lifetimeMs?: number;
  /** Proxies end connections on which nothing is said, most of them after 60 s. */
  heartbeatMs?: number;
  tickMs?: number;
  random?: () => number;
}

/** A browser does not ask again sooner. With jitter, since many are ended together. */
const leastRetryMs = 1000;
const retrySpreadMs = 3000;
/** For one that had to make room: so that tabs do not push each other out all the time. */
const crowdedRetryMs = 60_000;
/** Of what is sent so little is ever under way, unless nobody reads. */
const mostBuffered = 16 * 1024;

interface Open extends EventStream {
  session: string;
  endsAt: number;
  saidAt: number;
  write(text: string): void;
}

export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const {
    clock,
    most,
    mostOfSession = 5,
    lifetimeMs = 30 * 60 * 1000,
    heartbeatMs = 25_000,
    tickMs = 1000,
    random = Math.random,
  } = options;
  const all = new Set<Open>();
  let hungUp = false;
  let ticking: NodeJS.Timeout | undefined;

  function begin(session: string): Open {
    const body = new PassThrough();
    const dones: (() => void)[] = [];
    const ended = () => {
      all.delete(stream);
      for (const done of dones.splice(0)) done();
    };
    const stream: Open = {
      body,
      session,
      // Not all of those that came together go together.
      endsAt: clock() + lifetimeMs * (0.9 + random() / 10),
      saidAt: clock(),
      write(text) {
        if (body.writableEnded || body.destroyed) return;
        stream.saidAt = clock();
        body.write(text);
        if (body.readableLength + body.writableLength > mostBuffered) body.destroy();
      },
      send({ name, id, data }) {
        const lines = [
          ...(name === undefined ? [] : [`event: ${name}`]),
          `id: ${id}`,
          ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}`]),
        ];
        stream.write(`${lines.join('\n')}\n\n`);
      },
      end(retryMs) {
        if (retryMs !== undefined) stream.write(`retry: ${retryMs}\n\n`);
        body.end();
        // Not when the last of it has arrived: that is up to who reads, or does not.
        ended();
      },
      onEnd: (done) => {
        if (body.writableEnded || body.destroyed) done();
        else dones.push(done);
      },
    };
    body.once('close', ended);
    stream.write(`retry: ${leastRetryMs + Math.floor(random() * retrySpreadMs)}\n\n`);
    return stream;
  }

  function tick(): void {
    const now = clock();
    for (const stream of all) {
      if (now >= stream.endsAt) stream.end();
      // A comment.
      else if (now - stream.saidAt >= heartbeatMs) stream.write(':\n\n');
    }
  }

  return {
    get size() {
      return all.size;
    },
    open(session) {
      if (all.size >= most && !hungUp) return undefined;
      const stream = begin(session);
      if (hungUp) {
        stream.end();
        return stream;
      }
      const ofSession = [...all].filter((other) => other.session === session);
      if (ofSession.length >= mostOfSession) ofSession[0]?.end(crowdedRetryMs);
      all.add(stream);
      return stream;
    },
    start() {
      if (hungUp || ticking !== undefined) return;
      ticking = setInterval(tick, tickMs);
      ticking.unref();
    },
    hangUp() {
      hungUp = true;
      clearInterval(ticking);
      for (const stream of all) stream.end();
    },
  };
}
