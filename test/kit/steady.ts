/** Clients that refresh on and on while a test does something to the processes that answer them. */

import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

interface Outcome {
  status: number;
  body: Record<string, string>;
}

/** Whether the request left over a connection that had served one before, and whether the answer had begun. */
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
    response.on('end', () => {
      try {
        resolve({
          status: response.statusCode ?? 0,
          body: JSON.parse(text) as Record<string, string>,
        });
      } catch {
        resolve({ status: response.statusCode ?? 0, body: { text } });
      }
    });
  });
  request.end(body);
  return promise;
}

export interface SteadyOptions {
  issuer: string;
  /** One client for each. */
  refreshTokens: readonly string[];
  keepAlive: boolean;
  /**
   * A connection may close while the next request is on its way: clients send it again. Not so where the
   * answer had begun, or where the connection was new.
   */
  sendAgain: boolean;
}

export interface SteadyClients {
  readonly answered: number;
  readonly sentAgain: number;
  /** All that should not have been. */
  wrong: unknown[];
  /** Resolves when so many more have been answered. */
  more(count: number): Promise<void>;
  stop(): Promise<void>;
}

const longestWaitMs = 60_000;

export function startSteadyClients(options: SteadyOptions): SteadyClients {
  const { issuer, refreshTokens, keepAlive, sendAgain } = options;
  const agent = keepAlive ? new Agent({ keepAlive: true }) : false;
  const wrong: unknown[] = [];
  let answered = 0;
  let again = 0;
  let ended = false;

  async function client(first: string): Promise<void> {
    let latest = first;
    while (!ended) {
      try {
        const { status, body } = await refreshOver(agent, issuer, latest);
        if (status !== 200) wrong.push([status, body]);
        latest = body.refresh_token ?? latest;
        answered += 1;
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        const { message, begun, reused } = error;
        if (!sendAgain || begun || !reused) wrong.push([message, { begun, reused }]);
        again += 1;
      }
    }
  }

  const clients = refreshTokens.map(client);
  return {
    get answered() {
      return answered;
    },
    get sentAgain() {
      return again;
    },
    wrong,
    async more(count) {
      const goal = answered + count;
      const latest = Date.now() + longestWaitMs;
      while (answered < goal) {
        if (Date.now() > latest) throw new Error(`${goal - answered} answers did not come`);
        await delay(5);
      }
    },
    async stop() {
      ended = true;
      await Promise.all(clients);
      if (agent !== false) agent.destroy();
    },
  };
}
