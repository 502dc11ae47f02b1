/** What a browser's EventSource does with an answer, and what a test wants to know of it. */

import { get } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { Browser } from '../../dev/walk.ts';

export interface ReceivedEvent {
  name: string;
  data: unknown;
  id: string;
  at: number;
}

export interface EventSource {
  status: number;
  headers: IncomingHttpHeaders;
  events: readonly ReceivedEvent[];
  /** As the browser sends it back. */
  lastId(): string;
  /** All that came. */
  text(): string;
  /** The next one that was not asked for yet. @throws when none comes */
  next(): Promise<ReceivedEvent>;
  /** When something like this has come. */
  said(what: string | RegExp): Promise<void>;
  /** When the server has ended it. */
  ended: Promise<void>;
  close(): void;
}

export interface OpenOptions {
  /** Whose cookies are sent. */
  browser?: Browser;
  headers?: Record<string, string>;
  method?: string;
  /** The process to ask, where it is not the issuer's own address. */
  port?: number;
  waitMs?: number;
}

/** Resolves when there is an answer. */
export function openEvents(issuer: string, options: OpenOptions = {}): Promise<EventSource> {
  const { browser, headers = {}, method = 'GET', port, waitMs = 15_000 } = options;
  const url = new URL('/session/events', issuer);
  const cookie = browser?.cookies.header({ url, sameSite: true, topLevelGet: false }) ?? '';
  const { promise, resolve, reject } = Promise.withResolvers<EventSource>();
  const request = get(
    {
      host: url.hostname,
      port: port ?? url.port,
      path: url.pathname,
      method,
      agent: false,
      headers: {
        host: url.host,
        accept: 'text/event-stream',
        ...(cookie === '' ? {} : { cookie }),
        ...headers,
      },
    },
    (response) => {
      let [text, asked] = ['', 0];
      const events: ReceivedEvent[] = [];
      const watchers = new Set<() => void>();
      const ended = Promise.withResolvers<void>();
      let over = false;
      const wake = () => {
        for (const watcher of watchers) watcher();
      };
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        events.push(...parse(text, events.length));
        wake();
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        over = true;
        ended.resolve();
        wake();
      });
      const until = (holds: () => boolean, what: string) =>
        new Promise<void>((done, fail) => {
          const timer = setTimeout(() => finish(false), waitMs);
          const finish = (well: boolean) => {
            clearTimeout(timer);
            watchers.delete(look);
            if (well) done();
            else fail(new Error(`no ${what} came: ${text}`));
          };
          const look = () => {
            if (holds()) finish(true);
            else if (over) finish(false);
          };
          watchers.add(look);
          look();
        });
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        events,
        lastId: () => /[^]*^id: (.*)$/m.exec(text)?.[1] ?? '',
        text: () => text,
        async next() {
          asked += 1;
          await until(() => events.length >= asked, 'further event');
          return events[asked - 1] as ReceivedEvent;
        },
        said: (what) => until(() => text.search(what) >= 0, String(what)),
        ended: ended.promise,
        close: () => request.destroy(),
      });
    },
  );
  request.on('error', reject);
  return promise;
}

/** HTML §9.2.6, as far as we use it: whole blocks that have data, behind the first `known` ones. */
function parse(text: string, known: number): ReceivedEvent[] {
  const blocks = text.split('\n\n').slice(0, -1);
  const read = blocks.map((block) => new Map(block.split('\n').map(field)));
  return read
    .filter((fields) => fields.has('data'))
    .slice(known)
    .map((fields) => ({
      name: fields.get('event') ?? 'message',
      data: JSON.parse(fields.get('data') ?? '') as unknown,
      id: fields.get('id') ?? '',
      at: performance.now(),
    }));
}

function field(line: string): [string, string] {
  const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
  return [name, value];
}
