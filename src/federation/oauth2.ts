/**
 * An upstream that speaks OAuth 2.0 only: who the person is stands at an endpoint of its own making, in
 * a field that the configuration or the preset names.
 */

import type { Identity } from '../directory/users.ts';
import { Unanswered } from './breaker.ts';
import { authorizationUrl, metadataOf, read, redeem } from './client.ts';
import type { ClientDeps, Tokens } from './client.ts';
import { reasonOf, wasUnanswered } from './failures.ts';
import { Untrusted } from './idtoken.ts';
import type { Provider } from './presets.ts';
import {
  cleanEmail,
  cleanLocale,
  cleanPicture,
  cleanSubject,
  cleanText,
  present,
} from './profile.ts';
import type { Upstream, UpstreamDeps } from './upstream.ts';

interface Address {
  email: string | undefined;
  verified: boolean;
}

const maximumAddresses = 100;

export function createOauth2Upstream({ provider, clock, log }: UpstreamDeps): Upstream {
  const metadata = metadataOf(provider);
  return {
    async authorize(request, fetch) {
      return authorizationUrl({ provider, clock, fetch }, metadata, request);
    },

    async identify(answer, fetch) {
      const client = { provider, clock, fetch };
      const tokens = await redeem(client, metadata, answer);
      const person = await readPerson(client, tokens);
      const subject = subjectOf(provider, person);
      const address =
        provider.endpoints?.emails === undefined
          ? { email: cleanEmail(person['email']), verified: person['email_verified'] === true }
          : await primaryAddress(client, tokens, provider.endpoints.emails).catch((error) => {
              // An address says nothing about who it is: without one, the sign-in goes on.
              if (!wasUnanswered(error)) throw error;
              log.warn('e-mail addresses are not available', {
                provider: provider.id,
                reason: reasonOf(error),
              });
              return undefined;
            });
      return identityOf(provider, subject, person, address);
    },
  };
}

async function readPerson(client: ClientDeps, tokens: Tokens): Promise<Record<string, unknown>> {
  const address = client.provider.endpoints?.userinfo ?? '';
  const { status, json } = await read(client, tokens.accessToken, address);
  if (status >= 400 && status < 500) throw new Untrusted(`userinfo answered ${status}`);
  if (status !== 200) throw new Unanswered(new Error(`userinfo answered ${status}`));
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new Untrusted('userinfo is not an object');
  }
  return json as Record<string, unknown>;
}

function subjectOf(provider: Provider, person: Record<string, unknown>): string {
  const value = person[provider.subjectField];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return String(value);
  const text = provider.numericSubject ? undefined : cleanSubject(value);
  if (text === undefined) throw new Untrusted('no usable subject');
  return text;
}

/**
 * The address that is primary and verified, or none: the public one may be anybody's (F13).
 */
async function primaryAddress(
  client: ClientDeps,
  tokens: Tokens,
  address: string,
): Promise<Address | undefined> {
  const { status, json } = await read(client, tokens.accessToken, address);
  if (status >= 500) throw new Unanswered(new Error(`the addresses answered ${status}`));
  // 403 and 404: the person did not grant the scope.
  if (status !== 200 || !Array.isArray(json)) return undefined;
  for (const entry of json.slice(0, maximumAddresses) as unknown[]) {
    if (typeof entry !== 'object' || entry === null) continue;
    const { email, primary, verified } = entry as Record<string, unknown>;
    if (primary === true && verified === true) return { email: cleanEmail(email), verified };
  }
  return undefined;
}

function identityOf(
  provider: Provider,
  subject: string,
  person: Record<string, unknown>,
  address: Address | undefined,
): Identity {
  const email = address?.email;
  return {
    provider: provider.id,
    issuer: provider.issuer,
    subject,
    ...present({
      email,
      emailVerified:
        email === undefined ? undefined : provider.trustEmail && address?.verified === true,
      name: cleanText(person['name']) ?? cleanText(person['login']),
      picture: cleanPicture(person['picture'] ?? person['avatar_url']),
      locale: cleanLocale(person['locale']),
    }),
  };
}
