/** Whom a security event is about, in the formats of RFC 9493. Services compare these with what their tokens say. */

interface IssuerSubject {
  format: 'iss_sub';
  iss: string;
  sub: string;
}

interface Opaque {
  format: 'opaque';
  id: string;
}

/** One person at large; or a person, an account and a session, as far as they are given: all of them at once. */
export type Subject =
  | IssuerSubject
  | Opaque
  | { format: 'complex'; user?: IssuerSubject; tenant?: Opaque; session?: Opaque };

export interface Parts {
  user?: string | undefined;
  /** Id of the account. */
  tenant?: string | undefined;
  /** `sid` of the tokens. */
  session?: string | undefined;
}

export function userSubject(iss: string, sub: string): IssuerSubject {
  return { format: 'iss_sub', iss, sub };
}

export function opaqueSubject(id: string): Opaque {
  return { format: 'opaque', id };
}

export function complexSubject(issuer: string, { user, tenant, session }: Parts): Subject {
  return {
    format: 'complex',
    ...(user === undefined ? {} : { user: userSubject(issuer, user) }),
    ...(tenant === undefined ? {} : { tenant: opaqueSubject(tenant) }),
    ...(session === undefined ? {} : { session: opaqueSubject(session) }),
  };
}
