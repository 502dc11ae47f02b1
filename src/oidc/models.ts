/**
 * Where the library's models are bent to our tokens: how ids are made, and the few places in which the
 * library decides by check-then-act. Each is a method that it calls on itself; nothing of it is copied.
 */

import { Provider } from 'oidc-provider';
import type { Clock } from '../base/clock.ts';
import { randomToken } from '../base/ids.ts';
import { sha256 } from '../base/secrets.ts';
import type { Secrets } from '../base/secrets.ts';
import { Conflict } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';
import type { UnitOfWork } from '../storage/work.ts';
import { grantBoundToken } from './tokens.ts';
import type { Tokens } from './tokens.ts';

declare module 'oidc-provider' {
  interface Grant {
    /** The account that its tokens act for. */
    account?: string;
    /** The uid of the session that it came from. */
    sessionUid?: string;
  }
  interface ClientAuthorizationState {
    /** The id of the Grant that this client last had for each account. */
    accounts?: Record<string, string>;
    /** The account that the person last chose for this client. */
    chosen?: string;
    /** The id of the Grant that this client was last answered for. */
    last?: string;
  }
}

export interface ModelDependencies {
  work: UnitOfWork;
  tokens: Tokens;
  secrets: Secrets;
  store: Store;
  clock: Clock;
  /** Scopes that mean something here; others are dropped by the authorization endpoint. */
  knownScopes: ReadonlySet<string>;
}

interface GrantBound {
  jti?: string;
  grantId?: string;
  format?: string;
  scope?: string;
}

interface SessionLike {
  accountId?: string;
  loginTs?: number;
  loginAccount(details: object): void;
  uid: string;
  jti: string;
  touched: boolean;
  presentedGeneration: number;
  sidFor(client: string, value?: string): string | undefined;
}

interface Model<T> {
  prototype: T;
  IN_PAYLOAD: string[];
}

interface SessionModel extends Model<SessionLike & Record<string, unknown>> {
  new (payload?: object): SessionLike;
  instantiate(payload?: { jti?: string; presentedGeneration?: number }): SessionLike;
}

interface Models {
  Session: SessionModel;
  Grant: Model<object>;
  AuthorizationCode: Model<GrantBound & { generateTokenId(): string }>;
  RefreshToken: Model<GrantBound & { generateTokenId(): string; scopes: Set<string> }>;
  AccessToken: Model<GrantBound & { generateTokenId(): string }>;
  ReplayDetection: { unique(issuer: string, jti: string, exp: number): Promise<boolean> };
  Client: { prototype: { includeSid(): boolean } };
}

export function shapeModels(provider: Provider, dependencies: ModelDependencies): void {
  const models = provider as unknown as Models;
  shapeSession(models.Session, dependencies);
  shapeGrant(models.Grant);
  shapeCode(models.AuthorizationCode);
  shapeRefreshToken(models.RefreshToken, dependencies);
  shapeAccessToken(models.AccessToken);
  shapeReplayDetection(models.ReplayDetection, dependencies);
  // Every ID token says its session, so that a logout notice can name it (Back-Channel Logout §2.1).
  models.Client.prototype.includeSid = () => true;
}

function shapeSession(Session: SessionModel, { tokens, secrets }: ModelDependencies): void {
  Session.instantiate = function instantiate(payload) {
    const session = payload === undefined ? new this() : new this(payload);
    if (payload?.jti === undefined) session.jti = tokens.sessionCookie(session.uid, 1, session);
    Object.defineProperty(session, 'presentedGeneration', {
      value: payload?.presentedGeneration ?? 1,
    });
    return session;
  };
  // One step on from the cookie that the browser showed, unless a parallel request went there already:
  // five tabs come to one cookie. The library's own would forget the old id and delete the session.
  Session.prototype.resetIdentifier = function resetIdentifier(this: SessionLike) {
    const present = tokens.parseSessionCookie(this.jti)?.generation ?? 1;
    const next = Math.max(present, this.presentedGeneration + 1);
    this.jti = tokens.sessionCookie(this.uid, next, this);
    this.touched = true;
  };
  // The cookie is bound to the sign-in: one that was made before it is no longer this session's.
  const { loginAccount } = Session.prototype;
  Session.prototype.loginAccount = function login(this: SessionLike, details: object) {
    loginAccount.call(this, details);
    const present = tokens.parseSessionCookie(this.jti)?.generation ?? 1;
    this.jti = tokens.sessionCookie(this.uid, present, this);
  };
  // Derived, so that two requests at once for one client name the session alike.
  Session.prototype.ensureClientContainer = function ensure(this: SessionLike, client: string) {
    if (this.sidFor(client) === undefined) {
      this.sidFor(client, secrets.mac('sid', JSON.stringify([this.uid, client])));
    }
  };
}

function shapeGrant(Grant: Model<object>): void {
  const fields = [...Grant.IN_PAYLOAD, 'account', 'sessionUid'];
  Object.defineProperty(Grant, 'IN_PAYLOAD', { get: () => fields });
}

function shapeCode(AuthorizationCode: Models['AuthorizationCode']): void {
  AuthorizationCode.prototype.generateTokenId = function generate() {
    return grantBoundToken('tgc', grantOf(this));
  };
}

function grantOf({ grantId }: GrantBound): string {
  if (grantId === undefined) throw new Error('a token without a grant');
  return grantId;
}

function shapeRefreshToken(
  RefreshToken: Models['RefreshToken'],
  { work, tokens, knownScopes }: ModelDependencies,
): void {
  RefreshToken.prototype.generateTokenId = function generate() {
    const id = grantOf(this);
    const grant = work.current().peek('grant', id);
    if (grant === undefined) throw new Error('a refresh token without its grant');
    const rotated = Provider.ctx?.oidc.entities.RotatedRefreshToken as GrantBound | undefined;
    const parent = tokens.parseRefreshToken(rotated?.jti ?? '');
    if (parent === undefined) return tokens.refreshToken(id, randomToken(8), 1, grant.salt);
    // The next one; or, for a second tab that shows a superseded one, the present one again.
    const present = grant.families?.[parent.family]?.generation ?? parent.generation;
    const generation = Math.max(present, parent.generation + 1);
    return tokens.refreshToken(id, parent.family, generation, grant.salt);
  };
  // Some client libraries repeat the whole scope that they once asked for. What the authorization
  // endpoint dropped without a word is dropped here too; what it would have refused is refused.
  Object.defineProperty(RefreshToken.prototype, 'scopes', {
    get(this: GrantBound) {
      const scopes = new Set(this.scope?.split(' '));
      for (const scope of Provider.ctx?.oidc.requestParamScopes ?? []) {
        if (scope === 'offline_access' || !knownScopes.has(scope)) scopes.add(scope);
      }
      return scopes;
    },
  });
}

function shapeAccessToken(AccessToken: Models['AccessToken']): void {
  const original = AccessToken.prototype.generateTokenId;
  AccessToken.prototype.generateTokenId = function generate() {
    // The library's own sets the format too.
    const id = original.call(this);
    if (this.grantId === undefined) return id;
    // A JWT's `jti` leads to its grant as well: userinfo asks it whether it still stands.
    return this.format === 'jwt' ? `${this.grantId}.${id}` : grantBoundToken('tga', this.grantId);
  };
}

function shapeReplayDetection(
  ReplayDetection: Models['ReplayDetection'],
  { store, clock }: ModelDependencies,
): void {
  // Inserted at once: the library's own is find, then save, and lets two in parallel pass.
  ReplayDetection.unique = async (issuer, jti, exp) => {
    const expiresAt = Math.max(exp * 1000, clock() + 1000);
    try {
      const id = sha256(JSON.stringify([issuer, jti]));
      await store.write('replay', id, { expiresAt }, { expect: 'absent' });
      return true;
    } catch (error) {
      if (error instanceof Conflict) return false;
      throw error;
    }
  };
}
