/**
 * Signing in with somebody else's account: sends a browser to an upstream provider, and says whose
 * identity it comes back with. It promises that an identity was vouched for by the very provider that
 * the browser was sent to, in an answer to this very request, once. Who the identity is here, and
 * what it may do, is the directory's business; pages and cookies are the interactions'.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { sha256 } from '../base/secrets.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config.ts';
import type { Identity } from '../directory/users.ts';
import type { Store } from '../storage/store.ts';
import { createBreaker, Unanswered, within } from './breaker.ts';
import type { Breaker } from './breaker.ts';
import { notStarted, problemOf, reasonOf } from './failures.ts';
import { Untrusted } from './idtoken.ts';
import { createOauth2Upstream } from './oauth2.ts';
import { createOidcUpstream } from './oidc.ts';
import { resolveProvider } from './presets.ts';
import type { Provider, ProviderIcon } from './presets.ts';
import { quoted } from './profile.ts';
import { createTransactions, detailsOf } from './transactions.ts';
import type { Purpose, TransactionSecrets, Transactions } from './transactions.ts';
import type { Fetch, Upstream } from './upstream.ts';

export interface Federation {
  providers: { id: string; name: string; icon: ProviderIcon }[];
  /**
   * @returns where to send the browser
   * @throws {Problem} `provider_unknown` (404), `provider_unavailable` (503)
   */
  start(provider: string, options: StartOptions): Promise<{ url: string }>;
  /**
   * Takes the callback's query; single use.
   * @param browser the value of the cookie that binds a sign-in to its browser
   * @throws {Problem} `signin_expired` (400, 410), `signin_already_used` (409),
   *   `signin_other_browser` (403), `signin_cancelled` (400), `provider_unknown` (404),
   *   `domain_not_allowed` (403), `upstream_error` (502), `upstream_unavailable` (502, 503). Its
   *   `details` hold `interaction` (or `linking`) and `provider` as far as they are known.
   */
  finish(query: URLSearchParams, browser: string | undefined): Promise<Finished>;
}

export type Finished = { identity: Identity } & Purpose;

export type StartOptions = Purpose & {
  browser: string;
  loginHint?: string;
  prompt?: string;
};

export interface FederationDeps {
  config: Pick<Config, 'issuer' | 'providers' | 'lifetimes'>;
  store: Store;
  secrets: Secrets;
  fetch: Fetch;
  clock: Clock;
  log: Log;
  /** For all requests of one step of a sign-in together, in milliseconds. 5 s when not given. */
  exchangeMs?: number;
}

interface Entry {
  provider: Provider;
  upstream: Upstream;
  breaker: Breaker;
}

interface Room {
  entries: ReadonlyMap<string, Entry>;
  transactions: Transactions;
  redirectUri: string;
  exchangeMs: number;
  log: Log;
}

const maximumHintLength = 320;

export function createFederation(deps: FederationDeps): Federation {
  const { config, store, secrets, clock, log } = deps;
  const room: Room = {
    entries: new Map(
      config.providers.map((provider) => [provider.id, entryOf(resolveProvider(provider), deps)]),
    ),
    transactions: createTransactions({
      store,
      secrets,
      clock,
      lifetimeSeconds: config.lifetimes.transaction,
    }),
    redirectUri: `${config.issuer}/integrations/oauth2/callback`,
    exchangeMs: deps.exchangeMs ?? 5000,
    log,
  };
  return {
    providers: [...room.entries.values()].map(({ provider: { id, name, icon } }) => ({
      id,
      name,
      icon,
    })),
    start: (provider, options) => start(room, provider, options),
    finish: (query, browser) => finish(room, query, browser),
  };
}

function entryOf(provider: Provider, { fetch, clock, log }: FederationDeps): Entry {
  const breaker = createBreaker({ fetch, clock });
  const create = provider.type === 'oidc' ? createOidcUpstream : createOauth2Upstream;
  return { provider, breaker, upstream: create({ provider, fetch: breaker.fetch, clock, log }) };
}

/** A provider that cannot ask again who somebody is, asks at least which of its users it is. */
function promptFor({ prompts }: Provider, wanted: string | undefined): string | undefined {
  if (wanted === undefined || prompts.includes(wanted)) return wanted;
  return wanted === 'login' && prompts.includes('select_account') ? 'select_account' : undefined;
}

async function start(
  { entries, transactions, redirectUri, exchangeMs, log }: Room,
  id: string,
  { browser, loginHint, prompt, ...options }: StartOptions,
): Promise<{ url: string }> {
  const { linking, interaction } = options;
  const purpose: Purpose = linking === undefined ? { interaction } : { linking };
  const entry = entries.get(id);
  if (entry === undefined) throw unknownProvider(detailsOf(purpose));
  const { provider, upstream, breaker } = entry;
  const context = { ...detailsOf(purpose), provider: id };
  const begun = transactions.begin({ provider: id, issuer: provider.issuer, browser, purpose });
  const request = {
    redirectUri,
    state: begun.state,
    nonce: begun.nonce,
    challenge: sha256(begun.verifier),
    loginHint: (loginHint?.length ?? 0) <= maximumHintLength ? loginHint : undefined,
    prompt: promptFor(provider, prompt),
  };
  const url = await within(exchangeMs, breaker.fetch, async (fetch) => {
    // Nobody is sent to a provider whose answer we could not fetch.
    breaker.check();
    return upstream.authorize(request, fetch);
  }).catch((error: unknown) => {
    log.warn('a sign-in could not be started', { provider: id, reason: reasonOf(error) });
    throw notStarted(error, provider, context);
  });
  await begun.save();
  return { url: url.href };
}

async function finish(
  room: Room,
  query: URLSearchParams,
  browser: string | undefined,
): Promise<Finished> {
  const transaction = await room.transactions.find(onlyState(query), browser);
  const { purpose } = transaction;
  const context = { ...detailsOf(purpose), provider: transaction.provider };
  const entry = room.entries.get(transaction.provider);
  if (entry === undefined) throw unknownProvider(context);
  // Before the transaction is used up: the page can be loaded again when the pause is over.
  if (!query.has('error')) checkAlive(entry, context);
  const kept = await transaction.claim();
  try {
    return { identity: await identify(room, entry, kept, query), ...purpose };
  } catch (error) {
    const problem = problemOf(error, entry.provider, context);
    const level = problem.code === 'signin_cancelled' ? 'info' : 'warn';
    room.log[level]('a sign-in at a provider failed', {
      provider: transaction.provider,
      problem: problem.code,
      reason: reasonOf(error),
      ...saidByUpstream(query),
    });
    throw problem;
  }
}

function checkAlive({ breaker, provider }: Entry, context: Record<string, unknown>): void {
  try {
    breaker.check();
  } catch (error) {
    throw problemOf(error, provider, context);
  }
}

async function identify(
  { redirectUri, exchangeMs }: Room,
  { provider, upstream, breaker }: Entry,
  kept: TransactionSecrets,
  parameters: URLSearchParams,
): Promise<Identity> {
  checkAnswer(provider, kept, parameters);
  const answer = { ...kept, parameters, redirectUri, state: onlyState(parameters) };
  return within(exchangeMs, breaker.fetch, (fetch) => upstream.identify(answer, fetch));
}

/** Twice is as bad as not at all: which of the two would the others look at? (T14) */
function onlyState(query: URLSearchParams): string {
  const [state, ...more] = query.getAll('state');
  if (state !== undefined && state !== '' && more.length === 0) return state;
  throw new Problem('signin_expired', 400, 'This address belongs to no sign-in. Start again.');
}

/** What can be judged without asking anybody. The code is not sent anywhere before this. */
function checkAnswer(provider: Provider, kept: TransactionSecrets, query: URLSearchParams): void {
  // The provider's id means another server now (F17).
  if (kept.issuer !== provider.issuer) throw unknownProvider({});
  for (const name of ['code', 'iss', 'error']) {
    if (query.getAll(name).length > 1) throw new Untrusted(`${name} is there twice`);
  }
  const issuer = query.get('iss');
  // An answer of another provider, that wants its code sent here, or ours there (F5, T27).
  if (issuer !== null && !sameIssuer(issuer, provider)) throw new Untrusted('another issuer');
  if (query.get('error') === 'access_denied') {
    throw new Problem(
      'signin_cancelled',
      400,
      `You did not sign in with ${provider.name}. Try again, or sign in another way.`,
    );
  }
  if (query.get('error') === 'temporarily_unavailable') throw new Unanswered('it said so');
  if (query.has('error')) throw new Untrusted('the provider answered an error');
  if (!query.get('code')) throw new Untrusted('the answer holds no code');
}

/** The exact comparison with discovery follows in the client library; here, before any request. */
function sameIssuer(issuer: string, provider: Provider): boolean {
  const bare = (text: string) => text.replace(/\/$/, '');
  return provider.responseIssuers.some((known) => bare(known) === bare(issuer));
}

/** Bounded, and in characters that do nothing (F10). */
function saidByUpstream(query: URLSearchParams): Record<string, unknown> {
  if (!query.has('error')) return {};
  return {
    upstream_error: quoted(query.get('error'), 60),
    upstream_description: quoted(query.get('error_description')),
  };
}

function unknownProvider(details: Record<string, unknown>): Problem {
  return new Problem(
    'provider_unknown',
    404,
    'This way to sign in is not offered any more. Choose another one.',
    { details },
  );
}
