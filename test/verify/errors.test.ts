import { parseWwwAuthenticateChallenges } from './challenges.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VerifyError } from '../../src/verify/index.ts';
import type { Demands, VerifierOptions } from '../../src/verify/index.ts';
import { accessToken, clockAt, openIssuer, openService } from './world.ts';
import type { TestIssuer } from './world.ts';

let world: TestIssuer;
const clock = clockAt();

beforeAll(async () => {
  world = await openIssuer();
});
afterAll(() => world.close());

async function refusal(
  input: string | Record<string, string>,
  options: Partial<VerifierOptions> = {},
  demands: Demands = {},
): Promise<{ response: Response; body: unknown; challenges: unknown }> {
  const { tollgate } = openService(world, clock, options);
  try {
    await tollgate.check(input, demands);
  } catch (error) {
    const response = (error as VerifyError).response();
    const challenge = response.headers.get('www-authenticate');
    return {
      response,
      body: await response.json(),
      challenges: challenge === null ? [] : parseWwwAuthenticateChallenges(challenge),
    };
  }
  throw new Error('it was good');
}

describe('a refusal (RFC 6750 §3)', () => {
  test('who brings no token is told what is wanted, and nothing more', async () => {
    const { response, body, challenges } = await refusal({});
    expect(response.status).toBe(401);
    expect(challenges).toEqual([{ scheme: 'bearer', parameters: { realm: 'api' } }]);
    expect(body).toEqual({
      error: { code: 'token_missing', message: 'An access token is required.' },
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  test('a token that is not good: 401 and why, with the metadata of the service (RFC 9728)', async () => {
    const resourceMetadata = 'https://api.example.com/.well-known/oauth-protected-resource';
    const options = { realm: 'Example "API"', resourceMetadata };
    const { response, challenges } = await refusal('x', options);
    expect(response.status).toBe(401);
    expect(challenges).toEqual([
      {
        scheme: 'bearer',
        parameters: {
          realm: 'Example API',
          error: 'invalid_token',
          error_description: 'The access token is not valid here.',
          resource_metadata: resourceMetadata,
        },
      },
    ]);
  });

  test('a scope that is wanted: 403, and which', async () => {
    const token = await accessToken(world, clock);
    const { response, challenges } = await refusal(token, {}, { scope: ['admin', 'openid'] });
    expect(response.status).toBe(403);
    expect(challenges).toMatchObject([
      { parameters: { error: 'insufficient_scope', scope: 'admin openid' } },
    ]);
  });

  test('a plan that is wanted: 403, and no challenge, for no other token would help', async () => {
    const token = await accessToken(world, clock);
    const { response, challenges } = await refusal(token, {}, { feature: 'gold' });
    expect(response.status).toBe(403);
    expect(challenges).toEqual([]);
  });

  test('keys that cannot be fetched: 503, and when to try again', async () => {
    const token = await accessToken(world, clock);
    const { response, challenges } = await refusal(token, {
      fetch: () => Promise.reject(new Error('no network')),
    });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(challenges).toEqual([]);
  });

  test('with DPoP both schemes are named, the error at the one that was used (RFC 9449 §7.1)', async () => {
    const options = { dpop: { origin: 'https://api.example.com' } };
    const nothing = await refusal({}, options);
    expect(nothing.challenges).toEqual([
      { scheme: 'bearer', parameters: { realm: 'api' } },
      { scheme: 'dpop', parameters: { realm: 'api', algs: 'ES256 RS256' } },
    ]);
    const wrong = await refusal({ authorization: 'DPoP x' }, options);
    expect(wrong.challenges).toMatchObject([
      { scheme: 'bearer', parameters: { realm: 'api' } },
      { scheme: 'dpop', parameters: { error: 'invalid_token' } },
    ]);
  });

  test('nothing of the token is in the answer or in the error', async () => {
    const canary = 'c4n4ry';
    const token = await accessToken(world, clock, { sub: canary, email: canary, exp: 1, iat: 1 });
    const { tollgate } = openService(world, clock);
    const error: unknown = await tollgate.check(token).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'token_expired' });
    const response = (error as VerifyError).response();
    const { cause, stack } = error as VerifyError;
    const shown = [await response.text(), ...response.headers.values(), stack, cause ?? ''];
    expect(JSON.stringify(shown)).not.toContain(canary);
    expect(JSON.stringify(shown)).not.toContain(token.split('.')[1]);
    expect(cause).toBeUndefined();
  });

  test('a service throws it too', async () => {
    const error = new VerifyError('insufficient_plan', {
      message: 'Exports are in the team plan.',
    });
    expect(await error.response().json()).toEqual({
      error: { code: 'insufficient_plan', message: 'Exports are in the team plan.' },
    });
  });
});
