/**
 * O-1: people's access is ended while the process that ends it and tells of it is killed again and again. What was
 * acknowledged must arrive at each receiver, and nothing may arrive that is not in the store.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { ensureStream } from '../../dev/services/stream.ts';
import type { Kind } from '../../src/storage/kinds.ts';
import type { Store } from '../../src/storage/store.ts';
import { createKiller, examine, seededRandom } from './crashes.ts';
import type { Killer } from './crashes.ts';
import { encodings, startEventReceivers, webhookSecret } from './event_receivers.ts';
import type { Encoding, EventReceivers } from './event_receivers.ts';
import { startCluster } from './spawn.ts';
import type { Cluster } from './spawn.ts';
import { claimsOf, clients, revoke, signIn } from './world.ts';

export interface KillsOptions {
  kills: number;
  seed: number;
  /** After each so many kills. */
  progress?(kills: number): void;
}

export interface KillsReport {
  kills: number;
  acknowledged: number;
  /** As the store has them, looked up when all was over. */
  committed: number;
  /** Requests to end something, those included whose answers were lost. */
  asked: number;
  arrived: Record<Encoding, { events: number; deliveries: number; duplicates: number }>;
  /** What must not be: acknowledged and not arrived, arrived and not in the store. */
  wrong: string[];
}

/** A session at the app, and by what its access is ended. */
interface Life {
  sid: string;
  grant: string;
  /** @returns whether it was acknowledged */
  end(): Promise<boolean>;
}

const perKill = 3;
/** From the request to the last delivery it takes about so long: a kill falls into any of it. */
const windowMs = 80;
/** A process that died has its deliveries for half a minute; another one takes them over then. */
const longestWaitMs = 150_000;
const streamClient = { id: 'events', secret: 'a-client-secret-of-tests-for-the-events' };

export async function playKills({ kills, seed, progress }: KillsOptions): Promise<KillsReport> {
  const random = seededRandom(seed);
  const receivers = await startEventReceivers();
  let cluster: Cluster | undefined;
  try {
    cluster = await startCluster({ processes: 1, config: configOf(receivers) });
    const { issuer } = cluster;
    const owner = { issuer, clientId: streamClient.id, clientSecret: streamClient.secret };
    await ensureStream({ ...owner, authorization: 'Bearer kills' }, receivers.address('stream'));
    const killer = createKiller(cluster, random);
    const ended: Life[] = [];
    let asked = 0;
    while (killer.kills < kills) {
      const lives = await Promise.all(
        Array.from({ length: perKill }, () => live(cluster!, killer, random)),
      );
      const ends = lives.map(({ end }) =>
        killer.persist(async () => {
          asked += 1;
          return (await end()) || undefined;
        }),
      );
      await delay(random() * windowMs);
      await killer.strike();
      await Promise.all(ends);
      ended.push(...lives);
      if (killer.kills % 25 === 0) progress?.(killer.kills);
    }
    const missing = await untilArrived(receivers, ended);
    const judged = { committed: 0, wrong: missing };
    await examine(cluster, async (store) => {
      await judge(store, { receivers, ended, judged });
    });
    const arrived = Object.fromEntries(
      encodings.map((one) => [one, countsOf(receivers, one)]),
    ) as KillsReport['arrived'];
    return { kills: killer.kills, acknowledged: ended.length, asked, arrived, ...judged };
  } finally {
    await cluster?.close();
    await receivers.close();
  }
}

function configOf(receivers: EventReceivers) {
  const types = ['session.ended', 'grant.revoked'];
  return {
    clients: [
      ...clients.map((client) =>
        client.id === 'app'
          ? { ...client, backchannelLogoutUri: receivers.address('logout') }
          : client,
      ),
      {
        ...streamClient,
        name: 'The events',
        grantTypes: ['client_credentials' as const],
        ssf: true,
      },
    ],
    receivers: [{ id: 'kills', url: receivers.address('webhook'), types, secret: webhookSecret }],
    // No sign of life: what comes is about somebody.
    ssf: { heartbeat: 86_400 },
  };
}

/** Half of them revoke their token, half sign out. */
async function live(
  { issuer, browser: open }: Cluster,
  killer: Killer,
  random: () => number,
): Promise<Life> {
  const how = random() < 0.5 ? 'revoke' : 'sign out';
  const { browser, tokens } = await killer.persist(async () => {
    const browser = open();
    return { browser, tokens: await signIn(issuer, browser) };
  });
  const [, , grant = ''] = (tokens.refresh_token ?? '').split('.');
  const sid = String(claimsOf(tokens.id_token).sid);
  return {
    sid,
    grant,
    async end() {
      if (how === 'revoke')
        return (await revoke(issuer, 'app', tokens.refresh_token)).status === 200;
      const out = new URL(`${issuer}/oauth2/logout`);
      out.searchParams.set('id_token_hint', tokens.id_token ?? '');
      out.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
      const page = await browser.get(out.href);
      // Who comes a second time is nobody any more, and is told so by a page.
      return page.stopped || (page.status < 400 && page.text !== '');
    },
  };
}

/** @returns what has not arrived after all that time */
async function untilArrived(receivers: EventReceivers, ended: readonly Life[]): Promise<string[]> {
  const end = performance.now() + longestWaitMs;
  for (;;) {
    const missing = encodings.flatMap((encoding) => {
      const sids = new Set([...receivers.arrived[encoding].values()].map(({ sid }) => sid));
      const left = ended.filter(({ sid }) => !sids.has(sid));
      return left.map(({ sid }) => `${encoding}: ${sid} never arrived`);
    });
    if (missing.length === 0 || performance.now() > end) return missing;
    await delay(100);
  }
}

interface Judgement {
  receivers: EventReceivers;
  ended: readonly Life[];
  judged: { committed: number; wrong: string[] };
}

async function judge(store: Store, { receivers, ended, judged }: Judgement): Promise<void> {
  const dead = new Set<string>();
  for (const { grant, sid } of ended) {
    if ((await store.get('grant', grant))?.document.ended === undefined) {
      judged.wrong.push(`acknowledged, and the grant ${grant} lives`);
      continue;
    }
    judged.committed += 1;
    dead.add(sid);
  }
  for (const encoding of encodings) {
    for (const [id, { event, type, sid }] of receivers.arrived[encoding]) {
      const isKnown = sid === undefined || dead.has(sid);
      const isCommitted = isKnown && (event === undefined || (await hasCause(store, event)));
      if (!isCommitted)
        judged.wrong.push(`${encoding}: ${id} (${type}) arrived, and was never committed`);
    }
  }
}

/** Whether the document that the event was written with is there, and says the same. */
async function hasCause(store: Store, event: string): Promise<boolean> {
  const cause = (await store.get('notice', event))?.document.cause;
  if (cause === undefined) return false;
  const stored = await store.get(cause.kind as Kind, cause.id);
  if (stored === undefined || stored.version < cause.version) return false;
  const isMortal = cause.kind === 'grant' || cause.kind === 'session';
  return !isMortal || (stored.document as { ended?: object }).ended !== undefined;
}

function countsOf({ arrived }: EventReceivers, encoding: Encoding) {
  const all = [...arrived[encoding].values()];
  const deliveries = all.reduce((sum, { times }) => sum + times, 0);
  return { events: all.length, deliveries, duplicates: deliveries - all.length };
}
