/** What apps are told of a sign-out, without a web server for each: made from the events as the deliveries are. */

import { createSecrets } from '../../src/base/secrets.ts';
import { clientReceivers } from '../../src/events/client_receivers.ts';
import { openKeyring } from '../../src/oidc/keyring.ts';
import { createSign } from '../../src/oidc/signing.ts';
import type { PendingEvent } from '../../src/storage/store.ts';
import { testSecret } from '../kit/server.ts';
import type { World } from '../kit/world.ts';

export interface Told {
  /** What the receivers of this world are told of these events: by receiver. */
  logoutTokens(events: readonly PendingEvent[]): Promise<[string, string][]>;
  /** Runs it, and answers the events about the user that it wrote and that followed. */
  eventsOf(act: () => Promise<unknown>, user?: string): Promise<PendingEvent[]>;
}

export async function openTold(world: World): Promise<Told> {
  const { store, log, issuer, config, server } = world;
  const { lifetimes, clients } = config;
  const clock = Date.now;
  const secrets = createSecrets([testSecret]);
  // As the server has them: by the same configuration, with the same keys.
  const sign = createSign(await openKeyring({ store, secrets, clock, log, lifetimes }));
  const source = clientReceivers({ issuer, clients: () => clients, sign, clock });
  const records = (user: string) => store.find('audit', 'user', user, { limit: 1000 });

  return {
    async logoutTokens(events) {
      const told: [string, string][] = [];
      const receivers = await source.all();
      for (const { id, type, at, data, version, kind, document } of events) {
        const notice = { type, at, data, cause: { kind, id: document, version }, expiresAt: at };
        for (const receiver of receivers) {
          for (const wanted of receiver.wants(id, notice)) {
            const delivery = { notice: id, receiver: receiver.id, lane: '', type, ...wanted };
            const state = { state: 'waiting', attempts: 0, createdAt: at } as const;
            const { body } = await receiver.encode(id, notice, { ...delivery, ...state });
            told.push([receiver.id, new URLSearchParams(body).get('logout_token') ?? '']);
          }
        }
      }
      return told;
    },

    async eventsOf(act, user = 'usr_ada') {
      const before = new Set((await records(user)).map(({ id }) => id));
      await act();
      await server.dispatcher.drain();
      return (await records(user))
        .filter(({ id }) => !before.has(id))
        .map(({ id, document: { type, at, data } }) => ({
          id,
          type,
          at,
          data,
          version: 1,
          kind: 'session',
          document: 'cause',
        }));
    },
  };
}
