/**
 * "Everything from before is over", for all users or for one app: what an operator says when a key was stolen. One
 * write decides. Every process looks at it each few seconds (`server.ts`) and refuses what is from before, at no
 * read more for a request; the documents are ended page by page, each with its own events.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { change } from '../directory/change.ts';
import type { Handler } from '../events/handlers.ts';
import { isEvent, newEvent } from '../events/types.ts';
import type { EventData } from '../events/types.ts';
import type { GrantDocument, SessionDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { NewEvent, PendingEvent, Store } from '../storage/store.ts';
import { grantBegunAt, isRefused, sessionBegunAt } from './begun.ts';
import type { Endings } from './endings.ts';

/** One scope: `all`, or `client:` and its id. */
interface Cutoff {
  /** Milliseconds. */
  before: number;
  reason: EventData['tokens.revoked_before']['reason'];
  /** The last user whose things were ended. */
  after?: string;
  done?: true;
}

type Scopes = Record<string, Cutoff>;

const documentId = 'cutoffs';
const everything = 'all';
const clientScope = (client: string) => `client:${client}`;
/** Users whose things are ended in one step: well within the time that a handler has. */
const usersAtOnce = 50;
const mostScopes = 200;

export interface CutoffDependencies {
  store: Store;
  clock: Clock;
  endings: Pick<Endings, 'user'>;
}

/** What this process knows: as of the last `refresh`. */
export interface Cutoffs {
  refresh(): Promise<void>;
  refusesGrant(grant: GrantDocument): boolean;
  refusesSession(session: SessionDocument): boolean;
  /** Of a token that a client has for itself. @param issuedAt seconds */
  refusesClient(client: string, issuedAt: number): boolean;
}

export function createCutoffs({ store }: { store: Store }): Cutoffs {
  let scopes: Scopes = {};
  const before = (scope: string) => scopes[scope]?.before;
  return {
    async refresh() {
      scopes = await read(store);
    },
    refusesGrant(grant) {
      const begunAt = grantBegunAt(grant);
      return [everything, clientScope(grant.client)].some((scope) =>
        isRefused(begunAt, before(scope)),
      );
    },
    refusesClient: (client, issuedAt) =>
      [everything, clientScope(client)].some((scope) => isRefused(issuedAt, before(scope))),
    refusesSession: (session) => isRefused(sessionBegunAt(session), before(everything)),
  };
}

/**
 * @param cutoff without a client: everything
 * @returns its scope, for `goOn`. An earlier moment than was decided before changes nothing
 * @throws {Problem} `time_invalid` (400): it is yet to come
 */
export async function decideCutoff(
  { store, clock }: Omit<CutoffDependencies, 'endings'>,
  cutoff: EventData['tokens.revoked_before'],
): Promise<string> {
  const { before, client, reason } = cutoff;
  if (before > clock()) {
    throw new Problem('time_invalid', 400, 'Only what was begun already can be ended.');
  }
  const scope = client === undefined ? everything : clientScope(client);
  const event = newEvent(clock, 'tokens.revoked_before', cutoff);
  await changeScopes(store, (scopes) => {
    if ((scopes[scope]?.before ?? 0) >= before) return undefined;
    return { scopes: trim({ ...scopes, [scope]: { before, reason } }), events: [event] };
  });
  return scope;
}

/**
 * Ends what the next users have of before, and writes down how far it came.
 * @returns whether there is more to do
 */
export async function goOn(
  { store, clock, endings }: CutoffDependencies,
  scope: string,
): Promise<boolean> {
  const cutoff = (await read(store))[scope];
  if (cutoff === undefined || cutoff.done === true) return false;
  const { before, reason, after } = cutoff;
  // Whoever has a session has an identity: the index of those is a list of all users.
  const options = { prefix: true, after, limit: usersAtOnce };
  const users = await store.find('user', 'identity', '', options);
  const client = scope === everything ? undefined : scope.slice(clientScope('').length);
  for (const { id } of users) await endings.user(id, reason, { before, client });
  const last = users.length < usersAtOnce ? undefined : users.at(-1)?.id;
  await changeScopes(store, (scopes) => {
    const present = scopes[scope];
    // Another process was faster, or a later moment was decided: it is theirs to go on.
    if (present?.before !== before || present.after !== after) return undefined;
    if (last === undefined)
      return { scopes: { ...scopes, [scope]: { before, reason, done: true } } };
    const event = newEvent(clock, 'cutoff.continued', { scope, before, after: last });
    return { scopes: { ...scopes, [scope]: { before, reason, after: last } }, events: [event] };
  });
  return last !== undefined;
}

/** A step for each event; the event of one is the beginning of the next. */
export function cutoffHandler(deps: CutoffDependencies): Handler {
  async function handle(event: PendingEvent): Promise<void> {
    if (isEvent(event, 'tokens.revoked_before')) {
      const { before, client } = event.data;
      const scope = client === undefined ? everything : clientScope(client);
      await step({ scope, before });
    } else if (isEvent(event, 'cutoff.continued')) await step(event.data);
  }
  async function step(at: { scope: string; before: number; after?: string }): Promise<void> {
    const present = (await read(deps.store))[at.scope];
    if (present?.before === at.before && present.after === at.after) await goOn(deps, at.scope);
  }
  return { name: 'cutoffs', types: ['tokens.revoked_before', 'cutoff.continued'], handle };
}

async function read(store: Store): Promise<Scopes> {
  return ((await store.get('meta', documentId))?.document.value ?? {}) as Scopes;
}

async function changeScopes(
  store: Store,
  decide: (scopes: Scopes) => { scopes: Scopes; events?: readonly NewEvent[] } | undefined,
): Promise<void> {
  const first = decide({});
  if (first !== undefined && (await store.get('meta', documentId)) === undefined) {
    try {
      const { scopes: value, events = [] } = first;
      await store.write('meta', documentId, { value }, { expect: 'absent', events });
      return;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
  await change(store, 'meta', documentId, ({ value }) => {
    const decision = decide((value ?? {}) as Scopes);
    return decision && { document: { value: decision.scopes }, events: decision.events ?? [] };
  });
}

/** The oldest of those that are done go first. */
function trim(scopes: Scopes): Scopes {
  const entries = Object.entries(scopes);
  const excess = entries.length - mostScopes;
  if (excess <= 0) return scopes;
  const done = entries.filter(([, { done: isDone }]) => isDone === true).slice(0, excess);
  const gone = new Set(done.map(([scope]) => scope));
  return Object.fromEntries(entries.filter(([scope]) => !gone.has(scope)));
}
