/**
 * oidc-provider's adapter over the unit of work: the library reads and writes models, we keep documents.
 * It never decides by itself: what a token comes to is in `rotation.ts`, what a document becomes in
 * `grants.ts` and `sessions.ts`. Everything it writes is recorded, and flushed with the answer.
 */

import type { Adapter } from 'oidc-provider';
import {
  accessTokenAdapter,
  codeAdapter,
  grantAdapter,
  refreshTokenAdapter,
} from './grant_adapters.ts';
import type { AdapterDependencies } from './model_adapter.ts';
import { clientCredentialsAdapter, interactionAdapter, parAdapter } from './request_adapters.ts';
import { sessionAdapter } from './session_adapter.ts';

/** Models that nothing here uses answer "not found", and refuse to be written. */
function unused(name: string): Adapter {
  const refuse = () => Promise.reject(new Error(`${name} is not kept`));
  const nothing = () => Promise.resolve(undefined);
  return {
    upsert: refuse,
    consume: refuse,
    destroy: nothing,
    revokeByGrantId: nothing,
    find: nothing,
    findByUid: nothing,
    findByUserCode: nothing,
  };
}

export function createAdapterFactory(dependencies: AdapterDependencies): (name: string) => Adapter {
  const made: Record<string, (dependencies: AdapterDependencies) => Adapter> = {
    Grant: grantAdapter,
    AuthorizationCode: codeAdapter,
    RefreshToken: refreshTokenAdapter,
    AccessToken: accessTokenAdapter,
    Session: sessionAdapter,
    Interaction: interactionAdapter,
    PushedAuthorizationRequest: parAdapter,
    ClientCredentials: clientCredentialsAdapter,
  };
  return (name) => made[name]?.(dependencies) ?? unused(name);
}
