/** `SIGTERM` while requests keep coming: what was taken is answered, and the next process goes on. */

import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startCluster } from '../kit/spawn.ts';
import type { Cluster, SpawnedServer } from '../kit/spawn.ts';
import { signIn } from '../kit/world.ts';

const longestMs = 90_000;
const restarts = 3;

let cluster: Cluster | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

interface Outcome {
  status: number;
  body: Record<string, string>;
}

/** Whether the request left over a connection that had served one before. */
class Unanswered extends Error {
  readonly reused: boolean;
  readonly begun: boolean;

  constructor(cause: Error, { reused, begun }: { reused: boolean; begun: boolean }) {
    super(cause.message, { cause });
    this.reused = reused;
    this.begun = begun;
  }
}

/** @throws {Unanswered} */
function refreshOver(agent: Agent | false, issuer: string, refreshToken: string): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const body = new URLSearchParams({
    client_id: 'spa',
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
  }).toString();
  const headers = {
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': String(body.length),
  };
  let begun = false;
  const request = httpRequest(`${issuer}/oauth2/token`, { method: 'POST', agent, headers });
  const fail = (cause: Error) =>
    reject(new Unanswered(cause, { reused: request.reusedSocket, begun }));
  request.on('error', fail);
  request.on('response', (response) => {
    begun = true;
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    response.on('error', fail);
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        body: JSON.parse(text) as Record<string, string>,
      }),
    );
  });
  request.end(body);
  return promise;
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await delay(5);
};

for (const keepAlive of [true, false]) {
  const how = keepAlive ? 'that keep their connections' : 'with a connection for each request';
  test(`at SIGTERM no request of clients ${how} fails`, { timeout: longestMs }, async () => {
    const here = (cluster = await startCluster({ processes: 2 }));
    const agent = keepAlive ? new Agent({ keepAlive: true }) : false;
    const tokens = [];
    for (let client = 0; client < 8; client += 1) {
      tokens.push((await signIn(here.issuer, here.browser(), { client: 'spa' })).refresh_token);
    }
    let answered = 0;
    let reconnected = 0;
    let ended = false;
    const wrong: unknown[] = [];

    async function client(first: string): Promise<void> {
      let latest = first;
      while (!ended) {
        try {
          const { status, body } = await refreshOver(agent, here.issuer, latest);
          if (status !== 200) wrong.push([status, body]);
          latest = body.refresh_token ?? latest;
          answered += 1;
        } catch (error) {
          if (!(error instanceof Unanswered)) throw error;
          // A connection may close while the next request is on its way: clients send it again. Not so
          // where the answer had begun, or where the connection was new.
          if (error.begun || !error.reused) wrong.push([error.message, error.begun, error.reused]);
          reconnected += 1;
        }
      }
    }

    const clients = tokens.map((one) => client(one ?? ''));
    const stopped: SpawnedServer[] = [];
    for (let round = 0; round < restarts; round += 1) {
      const place = round % 2;
      const [leaving] = here.members.slice(place, place + 1);
      const goal = answered + 40;
      await until(() => answered >= goal);
      // As a balancer does: the new one is there, no new connection goes to the old one, then it ends.
      await here.restart(place);
      leaving?.kill('SIGTERM');
      if (leaving !== undefined) stopped.push(leaving);
      expect(await leaving?.stopped).toBe(0);
    }
    const goal = answered + 40;
    await until(() => answered >= goal);
    ended = true;
    await Promise.all(clients);
    if (agent !== false) agent.destroy();
    process.stderr.write(`\n${answered} answered, ${reconnected} sent again\n`);
    expect(wrong).toEqual([]);
    for (const { logs } of stopped) {
      const messages = logs.filter(({ level }) => level === 'warn' || level === 'error');
      expect(messages).toEqual([]);
      expect(logs.at(-1)?.message).toBe('stopped');
    }
  });
}
