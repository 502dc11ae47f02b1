/** What an app, its server and the person before it do in `story.ts`. */

import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import type { ServiceKind } from './services/all.ts';
import type { Browser, Page } from './walk.ts';
import type { World } from './world.ts';

export interface App {
  world: World;
  browser: Browser;
  tollgate: oidc.Configuration;
}

/** One after the other: each says what came of it. */
export interface Steps {
  step<T>(name: string, work: () => Promise<{ value: T; shows: unknown }>): Promise<T>;
}

export type Tokens = oidc.TokenEndpointResponse;

export async function begin({ world, tollgate }: App, parameters: Record<string, string> = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(tollgate, {
    redirect_uri: `${world.oidcApp}/callback`,
    scope: 'openid profile email',
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  return { url: url.href, verifier, state, nonce };
}

export async function signIn(
  app: App,
  { parameters, buttons }: { parameters?: Record<string, string>; buttons: string[] },
): Promise<Tokens> {
  const { url, verifier, state, nonce } = await begin(app, parameters);
  const page = await press(app.browser, await app.browser.get(url), buttons);
  expect(page.stopped, `the way ends at the app, not at ${page.url} (${page.title})`);
  return oidc.authorizationCodeGrant(app.tollgate, new URL(page.url), {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
}

/** Presses these buttons on the pages that come, and the provider's wherever one is to be chosen. */
export async function press(browser: Browser, first: Page, buttons: string[]): Promise<Page> {
  let page = first;
  for (const button of buttons) {
    if (has(page, 'provider=example')) {
      page = await browser.submit(page, { button: 'provider=example' });
    }
    page = await browser.submit(page, { button });
  }
  return page;
}

function has(page: Page, button: string): boolean {
  return page.forms.some((form) =>
    form.buttons.some(({ name, value }) => `${name}=${value}` === button),
  );
}

export async function callService(
  { services }: World,
  token: string,
  kind: ServiceKind = 'webhooks',
): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${services.present[kind].url}/api/me`, { headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The error that a refresh ends with. */
export async function refusal(tollgate: oidc.Configuration, tokens: Tokens): Promise<string> {
  try {
    await oidc.refreshTokenGrant(tollgate, tokens.refresh_token ?? '');
    return 'nothing: it was answered';
  } catch (error) {
    return error instanceof oidc.ResponseBodyError ? error.error : String(error);
  }
}

export function claims(tokens: Tokens): Record<string, unknown> {
  return decodeJwt(tokens.access_token);
}

export function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not as it should be: ${what}`);
}
