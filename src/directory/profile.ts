/**
 * What somebody says about themselves: it stands over what their provider says, until they take it back. Nothing
 * else of a user is theirs to type: an address is only ever what a provider vouches for.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newEvent } from '../events/types.ts';
import type { UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { change } from './change.ts';
import { requireName, usableLocale } from './names.ts';
import { requireActive, userUnknown } from './users.ts';

export type OwnField = 'name' | 'locale';

/** What is left out stays as it is. */
export interface ProfileChange {
  name?: string;
  /** A language tag (BCP 47); empty: they say none. */
  locale?: string;
}

export interface Profiles {
  /**
   * What is typed as it is already stays the provider's word.
   * @returns whether anything is different now
   * @throws {Problem} `name_invalid`, `locale_invalid` (400), `user_unknown` (404), `user_disabled` (403)
   */
  changeProfile: (user: string, wanted: ProfileChange) => Promise<boolean>;
  /** Their provider's word counts again, for all that they typed. @throws {Problem} as above */
  forgetOwnProfile: (user: string) => Promise<boolean>;
}

export function createProfiles({ store, clock }: { store: Store; clock: Clock }): Profiles {
  async function write(
    user: string,
    decide: (present: UserDocument) => UserDocument | undefined,
  ): Promise<boolean> {
    const changed = await change(store, 'user', user, (present) => {
      requireActive(present);
      const document = decide(present);
      if (document === undefined) return undefined;
      return { document, events: [newEvent(clock, 'user.changed', { user })] };
    });
    if (changed === undefined) throw userUnknown();
    return changed.written;
  }

  return {
    async changeProfile(user, { name, locale }) {
      const wanted = {
        ...(name === undefined ? {} : { name: requireName(name) }),
        ...(locale === undefined ? {} : { locale: requireLocale(locale) }),
      };
      return write(user, (present) => typed(present, wanted));
    },

    forgetOwnProfile: (user) =>
      write(user, (present) => {
        const { own, said = {}, ...rest } = present;
        // What the provider never said stays: it is said at the next sign-in, if ever.
        return own === undefined ? undefined : { ...rest, ...said };
      }),
  };
}

function typed(
  present: UserDocument,
  wanted: { name?: string; locale?: string | undefined },
): UserDocument | undefined {
  const fields = (['name', 'locale'] as const).filter(
    (field) => field in wanted && wanted[field] !== present[field],
  );
  if (fields.length === 0) return undefined;
  const own = new Set<OwnField>(present.own);
  const said = { ...present.said };
  const next = { ...present };
  for (const field of fields) {
    const { [field]: before } = present;
    if (!own.has(field) && before !== undefined) said[field] = before;
    own.add(field);
    const { [field]: value } = wanted;
    if (value === undefined) delete next[field];
    else next[field] = value;
  }
  return { ...next, own: [...own], ...(Object.keys(said).length > 0 ? { said } : {}) };
}

function requireLocale(value: string): string | undefined {
  if (value === '') return undefined;
  const locale = usableLocale(value);
  if (locale !== undefined) return locale;
  throw new Problem('locale_invalid', 400, 'This is not a language.', {
    details: { field: 'locale' },
  });
}
