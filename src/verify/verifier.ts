/**
 * What a service needs of Tollgate: it checks access tokens without asking anybody, hears of it when access
 * ends before a token does, and answers clients that it refuses. On `jose` alone, and on what
 * Node, Deno, Bun and Workers all have: Web Crypto, fetch, Request and Response.
 *
 *   const tollgate = verifier({ issuer: 'https://id.example.com', audience: 'https://api.example.com' });
 *   const claims = await tollgate.check(request);
 */

import { Access } from './access.ts';
import type { AccessClaims } from './claims.ts';
import { Denylist } from './denylist.ts';
import { Inbox } from './inbox.ts';
import { pause, poll } from './poll.ts';
import type { PollOptions } from './poll.ts';
import type { Presentation } from './presented.ts';
import { receive } from './receive.ts';
import { fetchRecent } from './recent.ts';
import { Seen } from './seen.ts';
import { readOptions } from './settings.ts';
import type { Settings, VerifierOptions } from './settings.ts';
import { Silence } from './silence.ts';
import { MemoryStore, safeStore } from './store.ts';
import { checkToken } from './token.ts';
import type { Demands } from './token.ts';

export interface Verifier {
  /**
   * Checks an access token, given bare, in headers, or in a request.
   * @throws {VerifyError} `token_missing`, `token_invalid`, `token_expired`, `token_revoked`, `token_stale`,
   *   `token_bound`, `proof_invalid` (401); `insufficient_scope`, `insufficient_plan` (403);
   *   `keys_unavailable`, `deny_unavailable` (503)
   */
  check(input: Presentation, demands?: Demands): Promise<AccessClaims>;
  /** Takes an event in any of the encodings that are configured, and answers its sender. Never rejects. */
  receive(request: Request): Promise<Response>;
  /**
   * At start: fetches the keys and, with `clientSecret`, what was missed. Whether to go on when it
   * rejects is the service's to decide: tokens that were revoked of late may then be taken.
   * @throws {VerifyError} `keys_unavailable`, `recent_unavailable`, `deny_unavailable`
   */
  ready(): Promise<void>;
  /**
   * Fetches events, where they are not pushed, until the signal is given. Never rejects.
   * With several issuers it speaks to the first.
   */
  poll(options: PollOptions): Promise<void>;
}

const usualMaximumRules = 100_000;
const maximumSeen = 100_000;
const usualSilenceSeconds = 900;

/** @throws {TypeError} when an option is wrong */
export function verifier(options: VerifierOptions): Verifier {
  const settings = readOptions(options);
  const { denylist, seen } = stores(options, settings);
  const { silenceSeconds = usualSilenceSeconds } = options;
  // Logout tokens come when somebody signs out, and never else.
  const streams = options.stream !== undefined || options.webhook !== undefined;
  const { warn, now } = settings;
  const silence = new Silence({ limitSeconds: streams ? silenceSeconds : Infinity, now, warn });
  const inbox = new Inbox({ settings, denylist, seen, silence, onEvent: options.onEvent });
  const accesses = settings.issuers.map((issuer) => new Access(settings, issuer));

  async function recent(access: Access, index: number): Promise<void> {
    const keys = settings.issuers[index];
    if (keys === undefined) return;
    await keys.load();
    if (!access.configured) return;
    const seconds = denylist.reachSeconds;
    await fetchRecent({ settings, inbox, access, issuer: keys.issuer, seconds });
    silence.heard();
  }

  return {
    check(input, demands = {}) {
      silence.look();
      return checkToken({ settings, denylist, seen }, input, demands);
    },
    receive: (request) => receive({ settings, inbox }, request),
    async ready() {
      await Promise.all(accesses.map(recent));
    },
    async poll(wanted) {
      const [access] = accesses;
      if (access === undefined) return;
      const { random } = Math;
      await poll({ settings, inbox, silence, access, wait: pause, random }, wanted);
    },
  };
}

/** Ids of events are kept apart from rules, so that many of the one never push out the other. */
function stores(options: VerifierOptions, settings: Settings): { denylist: Denylist; seen: Seen } {
  const { now, warn, toleranceSeconds } = settings;
  const { maximumRules = usualMaximumRules } = options;
  const full = () =>
    warn('denylist_full', `There are more than ${maximumRules} rules: the oldest was dropped.`);
  const rules = options.denylist ?? new MemoryStore(maximumRules, now, full);
  const ids = options.denylist ?? new MemoryStore(maximumSeen, now);
  return {
    denylist: new Denylist({ store: safeStore(rules, warn), now, toleranceSeconds }),
    seen: new Seen(safeStore(ids, warn)),
  };
}
