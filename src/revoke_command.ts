/**
 * `tollgate revoke`: an operator ends access, beside the running processes, on the store that they share. It decides
 * and does what follows, and writes down who is to be told, so that running processes send it with their next look. They
 * do the rest of what the events in the outbox ask for, and all of it where this process ends too early.
 */

import { confirm, count, living, unknown } from './command_confirm.ts';
import { telling } from './command_deliveries.ts';
import { withStores } from './command_store.ts';
import type { CommandDeps } from './command_store.ts';
import type { Config } from './config.ts';
import { createDirectory } from './directory/directory.ts';
import type { EventData } from './events/types.ts';
import { decideCutoff, goOn } from './oidc/cutoffs.ts';
import type { CutoffDependencies } from './oidc/cutoffs.ts';
import { createEndings } from './oidc/endings.ts';
import { createUnitOfWork } from './storage/work.ts';

export type RevokeTarget =
  | { what: 'user' | 'account' | 'session' | 'client'; id: string }
  | { what: 'everything'; before: number };

export interface RevokeAsked {
  target: RevokeTarget;
  /** Without a question. */
  yes: boolean;
  /** For programs. */
  json: boolean;
}

/** What is found, and how it is ended. */
interface Plan {
  sentence: string;
  /** Living ones; absent where nobody has counted them. */
  sessions?: number;
  grants?: number;
  carryOut(): Promise<void>;
}

/** @returns what is to be printed */
export async function revoke(config: Config, asked: RevokeAsked): Promise<string> {
  return withStores(config, async (deps) => {
    const { store, tell } = telling(deps);
    const plan = await planOf({ ...deps, store }, asked.target);
    if (!asked.yes) await confirm(plan.sentence, (line) => void process.stderr.write(line));
    await plan.carryOut();
    await tell().catch((error: unknown) => deps.log.warn('telling is left to others', { error }));
    const { sessions, grants } = plan;
    if (asked.json)
      return `${JSON.stringify({ ...asked.target, sessions, grants }, undefined, 2)}\n`;
    return `${plan.sentence}\nDone. Running processes send the notices within seconds.\n`;
  });
}

async function planOf(deps: CommandDeps, target: RevokeTarget): Promise<Plan> {
  const { config, store, clock } = deps;
  const endings = createEndings({ store, clock, work: createUnitOfWork(store) });
  const directory = createDirectory({ ...deps, registration: config.registration });
  switch (target.what) {
    case 'user': {
      const { id } = target;
      if ((await store.get('user', id)) === undefined) throw unknown('user', id);
      const sessions = await living(store, 'session', 'user', id);
      const grants = await living(store, 'grant', 'user', id);
      const sentence = `Ends ${count(sessions, 'session')} and ${count(grants, 'grant')} of the user ${id}.`;
      const carryOut = async () => {
        const before = await directory.revokeUser(id, 'operator');
        await endings.user(id, 'operator', { before });
      };
      return { sentence, sessions, grants, carryOut };
    }
    case 'account': {
      const { id } = target;
      if ((await store.get('account', id)) === undefined) throw unknown('account', id);
      const grants = await living(store, 'grant', 'account', id);
      const sentence = `Ends ${count(grants, 'grant')} for the account ${id}. Its members stay signed in.`;
      const carryOut = async () => {
        const before = await directory.revokeAccount(id);
        await endings.account(id, 'operator', { before });
      };
      return { sentence, grants, carryOut };
    }
    case 'session': {
      const { id } = target;
      const session = (await store.get('session', id))?.document;
      if (session === undefined) throw unknown('session', id);
      const sessions = session.ended === undefined ? 1 : 0;
      const grants = await living(store, 'grant', 'session', id);
      const sentence = `Ends the session ${id} of the user ${session.user ?? '(nobody)'} and its ${count(grants, 'grant')}.`;
      return { sentence, sessions, grants, carryOut: () => endings.session(id, 'operator') };
    }
    case 'client': {
      const client = target.id;
      const isKnown = config.clients.some(({ id }) => id === client);
      const hint = isKnown ? '' : ' (which is not in the configuration)';
      const sentence = `Ends every grant of the client ${client}${hint}, of everybody.`;
      const cutoff = { before: clock(), client, reason: 'operator' } as const;
      return cutoffPlan({ store, clock, endings }, sentence, cutoff);
    }
    case 'everything': {
      const { before } = target;
      const moment = new Date(before).toISOString();
      const sentence = `Ends every session and every grant from before ${moment}, of everybody.`;
      const cutoff = { before, reason: 'key_compromise' } as const;
      return cutoffPlan({ store, clock, endings }, sentence, cutoff);
    }
  }
}

/** Everybody's: nobody counts that beforehand. */
function cutoffPlan(
  deps: CutoffDependencies,
  sentence: string,
  cutoff: EventData['tokens.revoked_before'],
): Plan {
  return {
    sentence,
    async carryOut() {
      const scope = await decideCutoff(deps, cutoff);
      while (await goOn(deps, scope));
    },
  };
}
