/**
 * The rooms that commands about people and accounts work on: the very functions that pages call, on the store of the running
 * processes. A command decides, does what follows for whoever is signed in, and writes down who is to be told; the
 * running processes do the rest of what its events ask for, and all of it where it ends too early.
 */

import { randomToken } from '../base/ids.ts';
import { noMeasures } from '../base/measures.ts';
import { openBilling } from '../billing/billing.ts';
import { telling } from '../command_deliveries.ts';
import { withStores } from '../command_store.ts';
import type { CommandDeps } from '../command_store.ts';
import type { Config } from '../config.ts';
import { createDirectory } from '../directory/directory.ts';
import type { Directory } from '../directory/directory.ts';
import type { Seats } from '../directory/seats.ts';
import { wants } from '../events/handlers.ts';
import { announcing } from '../events/outbox.ts';
import { linkClientId, signupClientId } from '../oidc/clients.ts';
import { createEndings } from '../oidc/endings.ts';
import type { Endings } from '../oidc/endings.ts';
import type { Kind } from '../storage/kinds.ts';
import { createUnitOfWork } from '../storage/work.ts';

export interface AdminRooms extends CommandDeps {
  directory: Directory;
  endings: Endings;
  /** What follows from what was written: access ends, receivers are told. What fails is left to the running processes. */
  follow(): Promise<void>;
}

/** No user has one of these ids: a client's token has its own id as `sub`. */
export function reservedIds({ clients }: Pick<Config, 'clients'>): Set<string> {
  return new Set([linkClientId, signupClientId, ...clients.map(({ id }) => id)]);
}

export async function withRooms<T>(
  config: Config,
  work: (rooms: AdminRooms) => Promise<T>,
): Promise<T> {
  return withStores(config, async (deps) => {
    const { store: told, tell } = telling(deps);
    const changed = new Map<string, { kind: Kind; id: string }>();
    const store = announcing(told, (events = []) => {
      for (const { kind, document: id } of events) changed.set(`${kind}/${id}`, { kind, id });
    });
    const all = { ...deps, store };
    const seats = seatsOf(all);
    const people = () => ({ ...config.people, roles: config.roles });
    const { registration } = config;
    const directory = createDirectory({
      ...all,
      seats,
      registration,
      reservedIds: reservedIds(config),
      people,
    });
    const endings = createEndings({ ...all, work: createUnitOfWork(store) });
    seats.know(directory);
    const follow = async () => {
      try {
        // What follows may cause more: a map is gone through with what is added to it meanwhile.
        for (const { kind, id } of changed.values()) {
          for (const event of await store.pending(100, { of: { kind, id } })) {
            for (const handler of [...directory.handlers, endings.handler]) {
              if (wants(handler, event)) await handler.handle(event);
            }
          }
        }
        await tell();
      } catch (error) {
        deps.log.warn('what follows is left to the running processes', { error });
      }
    };
    try {
      return await work({ ...all, directory, endings, follow });
    } finally {
      await seats.close();
    }
  });
}

/** Billing is opened when somebody needs a seat: most commands have nothing to do with Stripe. */
function seatsOf(deps: CommandDeps): Seats & {
  know(directory: Directory): void;
  close(): Promise<void>;
} {
  const { config } = deps;
  let known: Directory | undefined;
  let opened: ReturnType<typeof openBilling> | undefined;
  const seats = async () => {
    if (known === undefined) throw new Error('the directory is not made yet');
    opened ??= openBilling({
      ...deps,
      config: () => config,
      first: config,
      fetch: undefined,
      measures: noMeasures,
      owner: randomToken(),
      directory: known,
    });
    return (await opened)?.seats;
  };
  return {
    take: async (account, user) => (await seats())?.take(account, user),
    arrived: async (account, user) => (await seats())?.arrived(account, user),
    giveBack: async (account, user) => (await seats())?.giveBack(account, user),
    know(directory) {
      known = directory;
    },
    close: async () => (await opened)?.stop(),
  };
}
