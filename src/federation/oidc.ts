/**
 * An upstream that speaks OpenID Connect: everything about it comes from its discovery document, and
 * everything about a person from an ID token that passed all checks.
 */

import type { JWTPayload, RemoteJWKSet } from 'jose';
import type { Log } from '../base/log.ts';
import { Problem } from '../base/errors.ts';
import type { Identity } from '../directory/users.ts';
import { authorizationUrl, discover, redeem, userinfo } from './client.ts';
import type { ServerMetadata, Tokens } from './client.ts';
import { reasonOf, wasUnanswered } from './failures.ts';
import { createKeySet, Untrusted, verifyIdToken } from './idtoken.ts';
import type { Provider } from './presets.ts';
import {
  cleanEmail,
  cleanLocale,
  cleanMethods,
  cleanPicture,
  cleanSubject,
  cleanText,
  present,
} from './profile.ts';
import type { Fetch, Upstream, UpstreamDeps } from './upstream.ts';

const metadataMaxAgeMs = 60 * 60_000;
/** For as long, an old document is better than none while the provider does not answer. */
const metadataStaleMs = 24 * 60 * 60_000;

export function createOidcUpstream(deps: UpstreamDeps): Upstream {
  const { provider, clock, log } = deps;
  const metadataOf = cachedMetadata(deps);
  const keysAt = keySets(deps.fetch);
  return {
    async authorize(request, fetch) {
      return authorizationUrl({ provider, clock, fetch }, await metadataOf(), request);
    },

    async identify(answer, fetch) {
      const client = { provider, clock, fetch };
      const metadata = await metadataOf();
      const tokens = await redeem(client, metadata, answer);
      const claims = await verifyIdToken(tokens.idToken ?? '', {
        keys: keysAt(metadata.jwks_uri ?? ''),
        algorithms: metadata.id_token_signing_alg_values_supported ?? [],
        issuers: [...new Set([metadata.issuer, ...provider.issuerSpellings])],
        clientId: provider.clientId,
        nonce: answer.nonce,
        accessToken: tokens.accessToken,
        clock,
      });
      checkHostedDomain(provider, claims);
      const profile = await profileOf({ client, metadata, tokens, claims, log });
      return identityOf(provider, metadata.issuer, claims, profile);
    },
  };
}

/** One request at a time, however many wait for it. */
function cachedMetadata(deps: UpstreamDeps): () => Promise<ServerMetadata> {
  let kept: { metadata: ServerMetadata; at: number } | undefined;
  let underWay: Promise<ServerMetadata> | undefined;

  const refresh = async () => {
    try {
      const metadata = await discover(deps);
      kept = { metadata, at: deps.clock() };
      return metadata;
    } catch (error) {
      if (kept === undefined || deps.clock() - kept.at > metadataStaleMs) throw error;
      deps.log.warn('discovery failed, the last document is used', {
        provider: deps.provider.id,
        reason: reasonOf(error),
      });
      return kept.metadata;
    } finally {
      underWay = undefined;
    }
  };

  return () => {
    if (kept !== undefined && deps.clock() - kept.at < metadataMaxAgeMs) {
      return Promise.resolve(kept.metadata);
    }
    underWay ??= refresh();
    return underWay;
  };
}

/** The set that stands at the address that discovery names now. */
function keySets(fetch: Fetch): (address: string) => RemoteJWKSet {
  let current: { address: string; keys: RemoteJWKSet } | undefined;
  return (address) => {
    if (current?.address !== address) current = { address, keys: createKeySet(address, fetch) };
    return current.keys;
  };
}

/** The request's parameter is only a wish that the browser can change: the claim decides (F16). */
function checkHostedDomain(provider: Provider, claims: JWTPayload): void {
  if (provider.hostedDomains === undefined) return;
  const domain = claims['hd'];
  if (typeof domain === 'string' && provider.hostedDomains.includes(domain.toLowerCase())) return;
  throw new Problem(
    'domain_not_allowed',
    403,
    'Sign in with your work address: this one is not among those that are let in here.',
  );
}

/**
 * Some providers keep name and address out of the ID token. Userinfo about somebody else ends the
 * sign-in; userinfo that does not answer does not, because it says nothing about who it is.
 */
async function profileOf(found: {
  client: Parameters<typeof userinfo>[0];
  metadata: ServerMetadata;
  tokens: Tokens;
  claims: JWTPayload;
  log: Log;
}): Promise<Record<string, unknown>> {
  const { client, metadata, tokens, claims, log } = found;
  const complete = claims['email'] !== undefined || claims['name'] !== undefined;
  if (complete || metadata.userinfo_endpoint === undefined || claims.sub === undefined) {
    return claims;
  }
  try {
    return await userinfo(client, metadata, tokens.accessToken, claims.sub);
  } catch (error) {
    if (!wasUnanswered(error)) throw error;
    log.warn('userinfo is not available', {
      provider: client.provider.id,
      reason: reasonOf(error),
    });
    return claims;
  }
}

function identityOf(
  provider: Provider,
  issuer: string,
  claims: JWTPayload,
  profile: Record<string, unknown>,
): Identity {
  const subject = cleanSubject(claims.sub);
  if (subject === undefined) throw new Untrusted('a subject that cannot be one');
  const email = cleanEmail(profile['email']);
  const authenticated = claims['auth_time'];
  return {
    provider: provider.id,
    issuer,
    subject,
    ...present({
      email,
      // Only `true` is true: not a text, not a number (F1).
      emailVerified:
        email === undefined ? undefined : provider.trustEmail && profile['email_verified'] === true,
      name: cleanText(profile['name']),
      picture: cleanPicture(profile['picture']),
      locale: cleanLocale(profile['locale']),
      authenticatedAt:
        typeof authenticated === 'number' && Number.isSafeInteger(authenticated * 1000)
          ? authenticated * 1000
          : undefined,
      amr: cleanMethods(claims['amr']),
      acr: cleanText(claims['acr'], 255),
    }),
  };
}
