/**
 * Whatever goes wrong between us and an upstream becomes one of a few Problems with plain words.
 * Nothing that the upstream said is shown; a bounded part of it goes to the log.
 */

import { Problem } from '../base/errors.ts';
import { ProviderPaused, Unanswered } from './breaker.ts';
import type { Provider } from './presets.ts';
import { quoted } from './profile.ts';

const maximumDepth = 8;

/** The error, its cause, that one's cause, … */
function causes(error: unknown): Error[] {
  const found: Error[] = [];
  for (let at = error; at instanceof Error && found.length < maximumDepth; at = at.cause) {
    found.push(at);
  }
  return found;
}

function wordOf(error: Error, name: 'code' | 'error'): string | undefined {
  return quoted((error as Error & Record<typeof name, unknown>)[name], 60);
}

/** Codes of the client library and of `jose` for an answer that is no answer: a page, a 500, … */
const unreadable = new Set([
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
  'OAUTH_TIMEOUT',
  'ERR_JOSE_GENERIC',
  'ERR_JWKS_INVALID',
  'ERR_JWKS_TIMEOUT',
]);

/** Whether there was no answer, or one that says nothing: trying again makes sense. */
export function wasUnanswered(error: unknown): boolean {
  return causes(error).some(
    (one) =>
      one instanceof Unanswered ||
      one instanceof ProviderPaused ||
      one instanceof SyntaxError ||
      unreadable.has(wordOf(one, 'code') ?? ''),
  );
}

/** For the log: what happened, in our libraries' words; of an answer that was not expected, which and whose. */
export function reasonOf(error: unknown): string {
  const found = causes(error);
  const words = found.map((one) =>
    [one.message, wordOf(one, 'code'), wordOf(one, 'error')].filter(Boolean).join(' '),
  );
  const answer = found.at(-1)?.cause;
  if (answer instanceof Response) words.push(`${answer.status} from ${placeOf(answer.url)}`);
  return quoted(words.join('; '), 500) ?? 'unknown';
}

function placeOf(address: string): string {
  if (!URL.canParse(address)) return 'an unknown address';
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname}`;
}

/** @param context what the answer's JSON and the page may know, such as the interaction */
export function problemOf(
  error: unknown,
  provider: Provider,
  context: Record<string, unknown>,
): Problem {
  const known = causes(error).find((one) => one instanceof Problem && !isOutgoing(one));
  if (known instanceof Problem) {
    return new Problem(known.code, known.status, known.message, {
      cause: known.cause,
      details: { ...known.details, ...context },
    });
  }
  const paused = causes(error).find((one) => one instanceof ProviderPaused);
  if (paused instanceof ProviderPaused) {
    return unavailable(provider, 503, {
      cause: error,
      details: context,
      retryAfterSeconds: paused.retryAfterSeconds,
    });
  }
  if (wasUnanswered(error)) return unavailable(provider, 502, { cause: error, details: context });
  return new Problem(
    'upstream_error',
    502,
    `${provider.name} did not confirm who you are, so this sign-in was stopped. Start again, or sign in another way.`,
    { cause: error, details: context },
  );
}

/** A sign-in that could not even begin: whatever the reason, another way may work. */
export function notStarted(
  error: unknown,
  provider: Provider,
  context: Record<string, unknown>,
): Problem {
  const { retryAfterSeconds = 30 } = problemOf(error, provider, context);
  return new Problem('provider_unavailable', 503, silent(provider), {
    cause: error,
    details: context,
    retryAfterSeconds,
  });
}

function silent({ name }: Provider): string {
  return `${name} does not answer at the moment. Try again in a minute, or sign in another way.`;
}

function isOutgoing(error: Problem): boolean {
  return error.code.startsWith('outgoing_');
}

function unavailable(
  provider: Provider,
  status: number,
  options: { cause: unknown; details: Record<string, unknown>; retryAfterSeconds?: number },
): Problem {
  return new Problem('upstream_unavailable', status, silent(provider), options);
}
