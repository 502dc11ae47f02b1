/** The sample app's own sessions: what its server keeps for a browser. Any session library does as well. */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IDToken } from 'openid-client';

export interface Session {
  /** Sign-ins that are under way, by state: one for each tab. */
  pending: Map<string, { nonce: string; verifier: string; after: string }>;
  tokens?: { access: string; refresh: string | undefined; id: string; claims: IDToken };
  /** What the service answered last. */
  answer?: unknown;
}

export interface Sessions {
  /** The browser's; a new one where it has none. */
  of(request: IncomingMessage, response: ServerResponse): Session;
  /** A new name, so that one that somebody knew before is of no use from now on (session fixation). */
  rename(session: Session, response: ServerResponse): void;
  end(session: Session): void;
}

const mostSessions = 1000;

/**
 * In memory: a restart signs everybody out of the app.
 * @param cookieName its own for each app: those on one host share cookies, whatever their ports
 */
export function createSessions(cookieName: string): Sessions {
  const sessions = new Map<string, Session>();
  const pattern = new RegExp(`(?:^|; )${cookieName}=([\\w-]+)`);

  function begin(session: Session, response: ServerResponse): void {
    const id = randomBytes(16).toString('base64url');
    keep(sessions, id, session, mostSessions);
    // Behind https add `; Secure`, and call it `__Host-…`.
    response.setHeader('set-cookie', `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Lax`);
  }

  function end(session: Session): void {
    for (const [id, one] of sessions) if (one === session) sessions.delete(id);
  }

  return {
    of(request, response) {
      const id = pattern.exec(request.headers.cookie ?? '')?.[1] ?? '';
      const present = sessions.get(id);
      if (present !== undefined) return present;
      const session: Session = { pending: new Map() };
      begin(session, response);
      return session;
    },
    rename(session, response) {
      end(session);
      begin(session, response);
    },
    end,
  };
}

/** The oldest go. */
export function keep<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
