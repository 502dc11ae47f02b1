/** What a running process takes up of a changed configuration, and what is left to its next start. */

import { isDeepStrictEqual } from 'node:util';
import type { Config } from './schema.ts';

/** All that is about apps and pages. Everything else is built once for the process. */
export const changeable = [
  'clients',
  'products',
  'roles',
  'people',
  'receivers',
  'returnOrigins',
  'signup',
  'signin',
  'signout',
  'claims',
  'brand',
] as const satisfies readonly (keyof Config)[];

/** They hang together with how plans are sold, so that what is taken up by itself would not be a good whole. */
export const withPlans: readonly (keyof Config)[] = ['products', 'clients', 'signup'];

export interface Changes {
  /** The present configuration with all that is taken up. */
  config: Config;
  /** Keys that are taken up. */
  taken: string[];
  /** Keys that have changed, too, and need a restart. */
  left: string[];
  /** By list and what became of them, such as `clients_added`. For the log: nothing but ids. */
  ids: Record<string, string[]>;
}

export function changesBetween(present: Config, next: Config): Changes {
  const changed = (Object.keys({ ...present, ...next }) as (keyof Config)[]).filter(
    (key) => !isDeepStrictEqual(present[key], next[key]),
  );
  const held = sellsOtherwise(present, next, changed) ? withPlans : [];
  const taken = changeable.filter((key) => changed.includes(key) && !held.includes(key));
  return {
    config: { ...present, ...Object.fromEntries(taken.map((key) => [key, next[key]])) },
    taken,
    left: changed.filter((key) => !taken.some((one) => one === key)),
    ids: {
      ...changedIds('clients', present.clients, next.clients),
      ...changedIds('products', present.products, next.products),
      ...changedIds('receivers', present.receivers, next.receivers),
    },
  };
}

/** Who is let in by choosing a plan needs one: that comes, and goes, with the restart, too. */
function sellsOtherwise(
  present: Config,
  next: Config,
  changed: readonly (keyof Config)[],
): boolean {
  if (changed.includes('stripe')) return true;
  const isCheckout = [present, next].map(({ registration }) => registration === 'checkout');
  return isCheckout[0] !== isCheckout[1];
}

interface Entry {
  id: string;
}

function changedIds(
  list: string,
  present: readonly Entry[],
  next: readonly Entry[],
): Record<string, string[]> {
  const before = new Map(present.map((entry) => [entry.id, entry]));
  const after = new Map(next.map((entry) => [entry.id, entry]));
  const changes = {
    added: next.filter(({ id }) => !before.has(id)),
    removed: present.filter(({ id }) => !after.has(id)),
    changed: next.filter((entry) => {
      const old = before.get(entry.id);
      return old !== undefined && !isDeepStrictEqual(old, entry);
    }),
  };
  return Object.fromEntries(
    Object.entries(changes)
      .filter(([, entries]) => entries.length > 0)
      .map(([how, entries]) => [`${list}_${how}`, entries.map(({ id }) => id)]),
  );
}
