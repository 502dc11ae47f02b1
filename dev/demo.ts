/**
 * `npm run demo`: the whole world on a laptop. `--story` plays what people do in it, without a
 * browser, and ends.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { createLog } from '../src/base/log.ts';
import { demoStores, ServerMissing, startDatabases } from './database_servers.ts';
import type { DatabasesOptions, DemoStore } from './database_servers.ts';
import { people } from './people.ts';
import { freePortBase, portCount, portsFrom, takenPorts } from './ports.ts';
import { NoTravel, travel } from './time_travel.ts';
import type { Ports } from './ports.ts';
import type { World } from './world.ts';

const usage = `npm run demo -- [options]

  --port-base N   Listen at N and the ${portCount - 1} ports behind it (4400)
  --fresh         Begin anew: forget what was done in the demo before
  --store NAME    Keep everything in sqlite (the default), in mongodb, or in redis beside sqlite.
                  The server is started where there is one on this machine, or named by
                  TOLLGATE_STORE (mongodb://…) and TOLLGATE_HOT (redis://…)
  --story         Play the story without a browser, on free ports, and end
  --around ISSUER Start only what is around a Tollgate: a sign-in provider, an empty Stripe and a mail
                  server, for your own configuration at that address (http://localhost:4400)
  --advance SPAN  Move the clock of the running demo's Stripe on (1h, 13d, 2w, 1m, 1y), say what
                  became of subscriptions and tokens, and end; several, one after the other
  --verbose       Print what Tollgate logs
  --help          Print this`;

const usualBase = 4400;
const folder = fileURLToPath(new URL('../data/', import.meta.url));

/** A mistake that whoever started this can mend: told without a stack. */
class UsageError extends Error {}

interface Options {
  base: number | undefined;
  fresh: boolean;
  store: DemoStore;
  story: boolean;
  around: string | undefined;
  advance: string[];
  verbose: boolean;
}

function readOptions(parameters: string[]): Options | undefined {
  let values;
  try {
    ({ values } = parseArgs({
      args: parameters,
      options: {
        'port-base': { type: 'string' },
        fresh: { type: 'boolean', default: false },
        store: { type: 'string', default: 'sqlite' },
        story: { type: 'boolean', default: false },
        around: { type: 'string' },
        advance: { type: 'string', multiple: true, default: [] },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${reason}\n\n${usage}`);
  }
  if (values.help) return undefined;
  const text = values['port-base'];
  const base = text === undefined ? undefined : Number(text);
  if (base !== undefined && !(/^\d+$/.test(text ?? '') && base >= 1024 && base <= 65_500)) {
    throw new UsageError(`--port-base takes a number from 1024 to 65500, not ${text}.`);
  }
  const store = demoStores.find((one) => one === values.store);
  if (store === undefined) {
    throw new UsageError(`--store takes ${demoStores.join(', ')}, not ${values.store}.`);
  }
  const { fresh, story, around, advance, verbose } = values;
  if (around !== undefined && !/^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/.test(around)) {
    throw new UsageError(
      `--around takes the issuer of your configuration, which is on this machine for as long as you try: ` +
        `http://localhost:4400, not ${around}.`,
    );
  }
  return { base, store, fresh, story, around, advance, verbose };
}

interface Opening {
  databases: DatabasesOptions;
  /** What Stripe knows; in memory where nothing is to be kept. */
  stripeFile?: string;
  verbose: boolean;
}

async function open(base: number, opening: Opening): Promise<World> {
  const { databases, stripeFile, verbose } = opening;
  const ports = portsFrom(base);
  await refuseTaken(ports, base);
  const log = createLog({
    level: verbose ? 'debug' : 'warn',
    clock: systemClock,
    write: (line) => void process.stderr.write(line),
  });
  // Loaded when it is needed: mistakes are told at once.
  const { startWorld } = await import('./world.ts');
  const { store, hot, close } = await startDatabases(databases);
  try {
    const world = await startWorld({ ports, store, hot, stripeFile, clock: systemClock, log });
    return {
      ...world,
      async close() {
        await world.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function refuseTaken(ports: Partial<Ports>, base: number): Promise<void> {
  const taken = await takenPorts(ports);
  if (taken.length === 0) return;
  const others = base + 1000 > 65_500 ? 5400 : base + 1000;
  throw new UsageError(
    `Ports ${base} to ${base + portCount - 1} are needed. Taken: ${taken.join(', ')}. ` +
      `Stop what listens there, or use others: --port-base ${others}`,
  );
}

/** The upstreams' addresses are part of who people are, so each base has its own. */
async function databasesOf(
  base: number,
  kind: DemoStore,
  fresh: boolean,
): Promise<{ databases: DatabasesOptions; stripeFile: string }> {
  await mkdir(folder, { recursive: true });
  const name = base === usualBase ? 'demo' : `demo-${base}`;
  // Beside Redis it is another file: in the one of all the sessions would be missing.
  const file = `${folder}${name}${kind === 'redis' ? '-redis' : ''}.db`;
  const own = `${folder}${name}-${kind}`;
  // Each store has its own: customers of one are unknown in the other.
  const stripeFile = `${folder}${name}-${kind}-stripe.json`;
  if (fresh) {
    for (const end of ['', '-wal', '-shm']) await rm(file + end, { force: true });
    await rm(stripeFile, { force: true });
    await rm(own, { recursive: true, force: true });
  }
  const databases = { kind, folder: own, file, name: `tollgate_${name}`, env: process.env };
  return { databases, stripeFile };
}

function introduction(world: World): string {
  const { ada, grace, linus, nora } = people;
  const { webhooks, logout, stream } = world.services.present;
  const { issuer, oidcApp, linksApp, partnerApp, stripe, mail } = world;
  return `
Tollgate is running, with a world around it.

  ${oidcApp}   sample app, OpenID Connect
  ${linksApp}   sample app, links only
  ${partnerApp}   somebody else's app, which asks before it knows you
  ${webhooks.url}   service that is told by webhooks; the sample apps call it (GET /api/me)
  ${logout.url}   service that is told by logout tokens
  ${stream.url}   service that is told by a stream of security events
  ${stripe.url}/dashboard   Stripe, simulated: its clock, subscriptions, events
  ${mail.url}   e-mails: whatever is sent ends here
  ${issuer}   Tollgate (/.well-known/openid-configuration)
  ${issuer}/account   what people do themselves: profile, devices, accounts, their data
  ${issuer}/account/members   who belongs to an account; an invitation's e-mail ends at ${mail.url}
  ${issuer}/apps   the apps that somebody can open

The pages of the services show what they heard and whom they refused of late.
Sign in as one of these; no password is asked:

  ${ada.name.padEnd(14)}  three accounts: Acme (trial), Globex (past due), Initech (active)
  ${grace.name.padEnd(14)}  one account: Pied Piper, on the free plan
  ${linus.name.padEnd(14)}  only Hooli, which is closed
  ${nora.name.padEnd(14)}  not here yet: she signs up, ${issuer}/signup?product=${world.product}

No money moves. Time at Stripe can be moved on, there or by \`npm run demo -- --advance 13d\`:
trials end, invoices fail or are paid, and tokens say so. Tollgate's own clock stays as it is.

Ctrl-C stops it. \`npm run demo -- --help\` lists the options.
`;
}

async function run({ base = usualBase, store, fresh, verbose }: Options): Promise<void> {
  const world = await open(base, { ...(await databasesOf(base, store, fresh)), verbose });
  process.stdout.write(introduction(world));
  untilStopped(world);
}

async function runAround(issuer: string, { base = usualBase, fresh }: Options): Promise<void> {
  const { upstreamOidc, stripe, mail, smtp } = portsFrom(base);
  const ports = { upstreamOidc, stripe, mail, smtp };
  await refuseTaken(ports, base);
  await mkdir(folder, { recursive: true });
  const stripeFile = `${folder}around-${base}-stripe.json`;
  if (fresh) await rm(stripeFile, { force: true });
  const { startAround } = await import('./around.ts');
  const around = await startAround({ issuer, ports, stripeFile, clock: systemClock });
  process.stdout.write(around.introduction);
  untilStopped(around);
}

function untilStopped(running: { close(): Promise<void> }): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    process.stdout.write('\nStopping.\n');
    running.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

async function story({ base, store, verbose }: Options): Promise<void> {
  const { playStory } = await import('./story.ts');
  // The people of a story are new: at a server that was there before they need a place of their own.
  const name = `tollgate_story_${randomBytes(4).toString('hex')}`;
  const databases = { kind: store, folder: undefined, file: ':memory:', name, env: process.env };
  const world = await open(base ?? (await freePortBase()), { databases, verbose });
  try {
    const passed = await playStory(world, (text) => void process.stdout.write(`${text}\n`));
    process.exitCode = passed ? 0 : 1;
  } finally {
    await world.close();
  }
}

function advance({ base = usualBase, advance: spans }: Options): Promise<void> {
  const { stripe } = portsFrom(base);
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  return travel(`http://127.0.0.1:${stripe}`, spans, say);
}

function fail(error: unknown): never {
  const kinds = [UsageError, ServerMissing, NoTravel];
  const expected = kinds.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (expected ? error.message : error.stack) : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(expected ? 2 : 1);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(`${usage}\n`);
  else if (options.advance.length > 0) await advance(options);
  else if (options.around !== undefined) await runAround(options.around, options);
  else await (options.story ? story(options) : run(options));
} catch (error) {
  fail(error);
}
