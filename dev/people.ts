/**
 * The people of the development world, known to both development upstreams, to the demo and to the
 * tests. What each has at Tollgate is the seed's business; it keeps to what is said here.
 *
 * - `ada`: three accounts, so that she has to choose;
 * - `grace`: exactly one account, so that nothing is asked;
 * - `linus`: only an account that is closed;
 * - `nora`: never seen before.
 */

export interface Person {
  /** Names the person in forms (`person=ada`) and in tests. */
  key: string;
  name: string;
  email: string;
  /** What the upstream says about the address. */
  emailVerified: boolean;
  locale?: string;
  /** Shown on the page that chooses a person. */
  about: string;
  /** `sub` at the OpenID Connect upstream. */
  subject: string;
  /** More claims of the ID token, such as `hd`. */
  claims?: Readonly<Record<string, unknown>>;
  /** Numeric id and changeable login name at the GitHub-like upstream. */
  github: { id: number; login: string };
}

export type PersonKey = 'ada' | 'grace' | 'linus' | 'nora';

export const people: Readonly<Record<PersonKey, Person>> = {
  ada: {
    key: 'ada',
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    emailVerified: true,
    locale: 'en-GB',
    about: 'Member of three accounts',
    subject: 'person-ada-1815',
    github: { id: 1815, login: 'ada' },
  },
  grace: {
    key: 'grace',
    name: 'Grace Hopper',
    email: 'grace@example.com',
    emailVerified: true,
    locale: 'en-US',
    about: 'Member of exactly one account',
    subject: 'person-grace-1906',
    github: { id: 1906, login: 'grace' },
  },
  linus: {
    key: 'linus',
    name: 'Linus Pauling',
    email: 'linus@example.com',
    emailVerified: true,
    about: 'Has only a closed account',
    subject: 'person-linus-1901',
    github: { id: 1901, login: 'linus' },
  },
  nora: {
    key: 'nora',
    name: 'Nora Newcomer',
    email: 'nora@example.com',
    emailVerified: true,
    about: 'Nobody has seen her before',
    subject: 'person-nora-2001',
    github: { id: 2001, login: 'nora' },
  },
};

/** The same, as the list that the upstreams show. */
export const everybody: readonly Person[] = Object.values(people);
