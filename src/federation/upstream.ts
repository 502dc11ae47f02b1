/** What the room asks of an upstream provider, whatever its protocol: two questions. */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Identity } from '../directory/users.ts';
import type { Provider } from './presets.ts';

/** The part of `fetch` that is used here. The composition root passes the guarded one. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface AuthorizationRequest {
  redirectUri: string;
  state: string;
  nonce: string;
  /** PKCE, S256. */
  challenge: string;
  loginHint?: string | undefined;
  prompt?: string | undefined;
}

/** What came back, and what was kept for it. */
export interface AuthorizationAnswer {
  parameters: URLSearchParams;
  redirectUri: string;
  state: string;
  nonce: string;
  verifier: string;
}

export interface UpstreamDeps {
  provider: Provider;
  /** Without the deadline of one exchange: for what several exchanges share. */
  fetch: Fetch;
  clock: Clock;
  log: Log;
}

export interface Upstream {
  /** The address to send the browser to. */
  authorize(request: AuthorizationRequest, fetch: Fetch): Promise<URL>;
  /** Redeems the code, and judges everything that is said about the person. */
  identify(answer: AuthorizationAnswer, fetch: Fetch): Promise<Identity>;
}
