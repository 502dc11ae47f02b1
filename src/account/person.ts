/** Who is signed in at a browser, and may act: the one answer for pages, and for whoever comes back from a provider. */

import type { ParameterizedContext } from 'koa';
import type { Directory } from '../directory/directory.ts';
import type { StoredUser } from '../directory/users.ts';
import type { LinkOidc } from '../oidc/links.ts';
import { linkCookie } from '../web/cookies.ts';
import type { Cookies } from '../web/cookies.ts';

export interface PersonDependencies {
  oidc: Pick<LinkOidc, 'subject' | 'signedInAt'>;
  cookies: Cookies;
  directory: Pick<Directory, 'user'>;
}

export interface Person {
  user: string;
  person: StoredUser['document'];
  /** The uid of the session at this browser. */
  session: string;
}

/** @returns nothing where nobody is, or somebody who is not active */
export async function findPerson(
  ctx: ParameterizedContext,
  { oidc, cookies, directory }: PersonDependencies,
): Promise<Person | undefined> {
  const found = await oidc.subject(ctx, cookies.read(ctx, linkCookie));
  if (found === undefined || found.over) return undefined;
  const { user, session } = found.subject;
  const person = (await directory.user(user))?.document;
  if (person?.status !== 'active') return undefined;
  const signedInAt = (await oidc.signedInAt(session)) ?? 0;
  // What is from before is being ended, and refused until that is done; in whole seconds, as everywhere.
  const { revokedBefore = 0 } = person;
  if (signedInAt < revokedBefore - (revokedBefore % 1000)) return undefined;
  return { user, person, session };
}
