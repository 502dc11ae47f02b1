/** What a refresh, a sign-in and a start cost beside the bare library, in the same run. */

import type { StoreName } from '../test/kit/store_names.ts';
import { countRequests } from './counts.ts';
import {
  cpuMicroseconds,
  get,
  median,
  post,
  residentMegabytes,
  start,
  untilReady,
} from './processes.ts';
import type { Process, Runtime } from './processes.ts';
import { clientSecret, freePort, install } from './tollgate.ts';
import type { Installation } from './tollgate.ts';

const families = 32;
const rounds = 5;
const refreshesPerRound = 1_600;
const signIns = 150;
const starts = 5;

interface Round {
  perSecond: number;
  cpuMicroseconds: number;
}

/** Chained refreshes: each family goes on from where it is. */
async function refreshRound(
  servers: readonly { port: number; pid: number }[],
  tokens: string[],
  issuer?: string,
): Promise<Round> {
  const each = Math.floor(refreshesPerRound / tokens.length);
  const cpu = () => servers.reduce((sum, { pid }) => sum + cpuMicroseconds(pid), 0);
  const cpuBefore = cpu();
  const startedAt = performance.now();
  await Promise.all(
    tokens.map(async (_token, index) => {
      for (let count = 0; count < each; count += 1) {
        const { port = 0 } = servers[(index + count) % servers.length] ?? {};
        const form = {
          client_id: 'app',
          client_secret: clientSecret,
          grant_type: 'refresh_token',
          refresh_token: tokens[index] ?? '',
        };
        const { status, text } = await post(port, '/oauth2/token', form, issuer);
        if (status !== 200) throw new Error(`${status} ${text}`);
        tokens[index] = (JSON.parse(text) as { refresh_token: string }).refresh_token;
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const done = each * tokens.length;
  return {
    perSecond: done / seconds,
    cpuMicroseconds: (cpu() - cpuBefore) / done,
  };
}

async function startBare(
  runtime: Runtime,
  keys: string,
): Promise<{ process: Process; port: number }> {
  const port = await freePort();
  const process = start(runtime, 'bench/bare.ts', [], {
    BENCH_PORT: String(port),
    BENCH_KEYS: keys,
    BENCH_SECRET: clientSecret,
  });
  await untilReady(port, '/ready');
  return { process, port };
}

/** Several at once, as people come. */
async function signInRate(
  installation: Installation,
): Promise<{ perSecond: number; tokens: string[] }> {
  const tokens: string[] = [];
  let left = signIns;
  const startedAt = performance.now();
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      tokens.push((await installation.signIn()).refresh);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return { perSecond: signIns / ((performance.now() - startedAt) / 1000), tokens };
}

async function measureStart(
  installation: Installation,
  runtime: Runtime,
): Promise<[number, number]> {
  const times: number[] = [];
  const sizes: number[] = [];
  for (let count = 0; count < starts; count += 1) {
    const { process, startMs } = await installation.run(runtime);
    times.push(startMs);
    await new Promise((resolve) => setTimeout(resolve, 300));
    sizes.push(residentMegabytes(process.pid));
    await process.stop();
  }
  return [median(times), median(sizes)];
}

/** A second process beside the first one: each request of a family goes to the other one. */
async function twoProcesses(
  runtime: Runtime,
  installation: Installation,
  first: number,
  tokens: string[],
): Promise<Round> {
  const port = await freePort();
  const { process: second } = await installation.run(runtime, port);
  const servers = [
    { port: installation.port, pid: first },
    { port, pid: second.pid },
  ];
  const results: Round[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    results.push(await refreshRound(servers, tokens, installation.issuer));
  }
  await second.stop();
  const counted = results.slice(1);
  return {
    perSecond: median(counted.map(({ perSecond }) => perSecond)),
    cpuMicroseconds: median(counted.map((one) => one.cpuMicroseconds)),
  };
}

async function measure(runtime: Runtime, storeName: StoreName): Promise<void> {
  const installation = await install(storeName);
  const [startMs, restMegabytes] = await measureStart(installation, runtime);
  const tollgate = (await installation.run(runtime)).process;
  const bare = await startBare(runtime, installation.keys);
  const signedIn = await signInRate(installation);
  const ours = signedIn.tokens.slice(0, families);
  const theirs = await Promise.all(
    ours.map(
      async () => (JSON.parse((await get(bare.port, '/families')).text) as { token: string }).token,
    ),
  );

  // The first round warms both up and is not counted.
  const pairs: { ours: Round; theirs: Round }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const theirRound = await refreshRound([{ port: bare.port, pid: bare.process.pid }], theirs);
    const ourRound = await refreshRound([{ port: installation.port, pid: tollgate.pid }], ours);
    if (round > 0) pairs.push({ ours: ourRound, theirs: theirRound });
  }
  const together = await twoProcesses(runtime, installation, tollgate.pid, ours);
  const of = (pick: (pair: { ours: Round; theirs: Round }) => number) => median(pairs.map(pick));
  console.log(`
${runtime}
  refreshes, CPU per refresh     ${of((pair) => pair.ours.cpuMicroseconds).toFixed(0)} µs; bare library ${of((pair) => pair.theirs.cpuMicroseconds).toFixed(0)} µs; ratio ${of((pair) => pair.ours.cpuMicroseconds / pair.theirs.cpuMicroseconds).toFixed(2)}
  refreshes per second           ${of((pair) => pair.ours.perSecond).toFixed(0)}; bare library ${of((pair) => pair.theirs.perSecond).toFixed(0)}; ratio ${of((pair) => pair.ours.perSecond / pair.theirs.perSecond).toFixed(2)}
  … with two processes           ${together.perSecond.toFixed(0)}, ${together.cpuMicroseconds.toFixed(0)} µs of CPU for each
  sign-ins per second            ${signedIn.perSecond.toFixed(0)} (through the development upstream, which shares the machine)
  start to the first 200         ${startMs.toFixed(0)} ms (median of ${starts})
  memory at rest                 ${restMegabytes.toFixed(0)} MB
  memory after the load          ${residentMegabytes(tollgate.pid).toFixed(0)} MB; bare library ${residentMegabytes(bare.process.pid).toFixed(0)} MB`);
  await tollgate.stop();
  await bare.process.stop();
  await installation.close();
}

export async function measureRefreshes(
  storeName: StoreName,
  runtimes: readonly Runtime[],
): Promise<void> {
  console.log(
    `Refreshes: ${families} families, ${rounds} rounds of ${refreshesPerRound}, medians of pairs. ${storeName}, durable, against a Map.`,
  );
  for (const runtime of runtimes) await measure(runtime, storeName);
  await countRequests(storeName);
}
