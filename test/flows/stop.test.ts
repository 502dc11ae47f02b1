/** `SIGTERM` while requests keep coming: what was taken is answered, and the next process goes on. */

import { afterEach, expect, test } from 'vitest';
import { startCluster } from '../kit/spawn.ts';
import type { Cluster, SpawnedServer } from '../kit/spawn.ts';
import { startSteadyClients } from '../kit/steady.ts';
import { signIn } from '../kit/world.ts';

const longestMs = 90_000;
const restarts = 3;

let cluster: Cluster | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

for (const keepAlive of [true, false]) {
  const how = keepAlive ? 'that keep their connections' : 'with a connection for each request';
  test(`at SIGTERM no request of clients ${how} fails`, { timeout: longestMs }, async () => {
    const here = (cluster = await startCluster({ processes: 2 }));
    const { issuer } = here;
    const refreshTokens: string[] = [];
    for (let client = 0; client < 8; client += 1) {
      const tokens = await signIn(issuer, here.browser(), { client: 'spa' });
      refreshTokens.push(tokens.refresh_token ?? '');
    }
    const clients = startSteadyClients({ issuer, refreshTokens, keepAlive, sendAgain: true });
    const stopped: SpawnedServer[] = [];
    for (let round = 0; round < restarts; round += 1) {
      const place = round % 2;
      const [leaving] = here.members.slice(place, place + 1);
      await clients.more(40);
      // As a balancer does: the new one is there, no new connection goes to the old one, then it ends.
      await here.restart(place);
      leaving?.kill('SIGTERM');
      if (leaving !== undefined) stopped.push(leaving);
      expect(await leaving?.stopped).toBe(0);
    }
    await clients.more(40);
    await clients.stop();
    process.stderr.write(`\n${clients.answered} answered, ${clients.sentAgain} sent again\n`);
    expect(clients.wrong).toEqual([]);
    for (const { logs } of stopped) {
      // Behind what is said of the store at the start.
      const start = logs.findIndex(({ message }) => message === 'listening');
      const messages = logs
        .slice(start)
        .filter(({ level }) => level === 'warn' || level === 'error');
      expect(messages).toEqual([]);
      expect(logs.at(-1)?.message).toBe('stopped');
    }
  });
}
