/** How sign-ins end: where people come back from an upstream provider, and where it is found who they are. */

import { Problem } from './base/errors.ts';
import type { Measures } from './base/measures.ts';
import type { Directory } from './directory/directory.ts';
import type { Federation } from './federation/federation.ts';

interface Rooms {
  directory: Directory;
  federation: Federation;
}

export function measuredSignIns({ directory, federation }: Rooms, measures: Measures): Rooms {
  const providers = new Set<unknown>(federation.providers.map(({ id }) => id));
  const count = (provider: string, outcome: 'signed_in' | 'refused' | 'failed') =>
    measures.count('tollgate_sign_ins_total', { provider, outcome });
  const outcomeOf = (error: unknown) =>
    error instanceof Problem && error.status < 500 ? 'refused' : 'failed';
  return {
    federation: {
      ...federation,
      async finish(query, browser) {
        try {
          return await federation.finish(query, browser);
        } catch (error) {
          const named = error instanceof Problem ? error.details.provider : undefined;
          // Of an answer that nobody asked for it is not known whose it is.
          count(providers.has(named) ? String(named) : 'unknown', outcomeOf(error));
          throw error;
        }
      },
    },
    directory: {
      ...directory,
      async signIn(identity, how) {
        try {
          const signedIn = await directory.signIn(identity, how);
          count(identity.provider, 'signed_in');
          return signedIn;
        } catch (error) {
          count(identity.provider, outcomeOf(error));
          throw error;
        }
      },
    },
  };
}
