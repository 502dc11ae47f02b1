/**
 * Somebody who is signed in comes back from a provider with one more identity. It becomes theirs where all of this is
 * so still: the same browser, the same sign-in here, the same person, who is active. Whoever is brought to follow
 * somebody else's way to a provider, or signed in as somebody else meanwhile, gains and loses nothing.
 */

import type { ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import type { Directory } from '../directory/directory.ts';
import type { Identity } from '../directory/users.ts';
import type { Linking } from '../federation/transactions.ts';
import { findPerson } from './person.ts';
import type { PersonDependencies } from './person.ts';

export interface AddingDependencies extends PersonDependencies {
  directory: Pick<Directory, 'user' | 'linkIdentity'>;
}

const here = '/account/identities';

/**
 * For the callback of providers.
 * @returns what answers where to go on, or throws: a Problem `linking_over` (403), or those of `linkIdentity`
 */
export function identityAdding(deps: AddingDependencies) {
  return async (
    ctx: ParameterizedContext,
    { identity, linking }: { identity: Identity; linking: Linking },
  ): Promise<string> => {
    const person = await findPerson(ctx, deps);
    if (person?.user !== linking.user || person.session !== linking.session) {
      throw new Problem('linking_over', 403, 'Somebody else signed in here meanwhile.', {
        details: { linking: true },
      });
    }
    try {
      const isNew = await deps.directory.linkIdentity(person.user, identity);
      return `${here}?done=${isNew ? 'added' : 'known'}`;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { code, status, message, cause, retryAfterSeconds } = error;
      const details = { ...error.details, linking: true };
      throw new Problem(code, status, message, { cause, retryAfterSeconds, details });
    }
  };
}
