/** The link endpoints on a bare application, with an OpenID room that answers what a test says. */

import type { Middleware } from 'koa';
import { createCookieJar } from '../../dev/cookie_jar.ts';
import type { CookieJar } from '../../dev/cookie_jar.ts';
import { createSecrets } from '../../src/base/secrets.ts';
import { configSchema } from '../../src/config.ts';
import { createEventStreams } from '../../src/links/event_streams.ts';
import type { ConfigInput } from '../../src/config.ts';
import { routes } from '../../src/links/routes.ts';
import type { LinkOidc, TokenAnswer } from '../../src/oidc/links.ts';
import { createCookies } from '../../src/web/cookies.ts';
import { createCsrf } from '../../src/web/csrf.ts';
import { failures } from '../../src/web/failure.ts';
import { headers } from '../../src/web/headers.ts';
import { html } from '../../src/web/html.ts';
import { createLimits } from '../../src/web/limits.ts';
import { requests } from '../../src/web/request.ts';
import { recording, run } from '../web/app.ts';
import type { Answer, RunningApp, SendOptions } from '../web/app.ts';

export const issuer = 'https://id.example.com';
export const app = 'https://app.example.com';
const secret = 'a secret of tests, thirty-two bytes or more';

type Answering = (parameters: Record<string, string>) => TokenAnswer | Promise<TokenAnswer>;

export interface FakeOidc {
  /** What the token endpoint was asked for. */
  asked: Record<string, string>[];
  /** What else happened. */
  events: string[];
  answer: Answering;
  /** What the end of a session fails with. */
  failure: Error | undefined;
}

export interface LinkApp {
  oidc: FakeOidc;
  jar: CookieJar;
  /** Milliseconds that the clock is ahead. */
  ahead: number;
  /** With the cookies of the jar, which takes what the answer sets. */
  visit(path: string, options?: SendOptions): Promise<Answer>;
  /** With no cookies but those of the headers. */
  get(path: string, headers?: SendOptions['headers']): Promise<Answer>;
  close(): Promise<void>;
}

export const signedIn = (nonce: string): TokenAnswer => ({
  status: 200,
  accountLocked: false,
  body: {
    access_token: 'an-access-token',
    token_type: 'Bearer',
    expires_in: 900,
    refresh_token: 'tgr.first',
    id_token: `x.${Buffer.from(JSON.stringify({ nonce })).toString('base64url')}.x`,
  },
});

export const refused = (error: string, status = 400, accountLocked = false): TokenAnswer => ({
  status,
  accountLocked,
  body: { error },
});

const refreshed: Answering = ({ refresh_token: token = '' }) => ({
  ...signedIn(''),
  body: { ...signedIn('').body, refresh_token: `${token}+` },
});

export async function startLinks(changes: Partial<ConfigInput> = {}): Promise<LinkApp> {
  const config = configSchema.parse({
    issuer,
    secrets: [secret],
    providers: [{ id: 'google', preset: 'google', clientId: 'x' }],
    products: [
      { id: 'api', name: 'API', audience: 'https://api.example.com' },
      { id: 'extra', name: 'Extra', audience: 'https://extra.example.com' },
    ],
    signin: { success: `${app}/in`, failed: `${app}/failed?keep=1` },
    signout: { success: 'https://www.example.com/bye' },
    returnOrigins: ['https://other.example.com', 'https://admin.example.com:8443'],
    ...changes,
  });
  const fake: FakeOidc = { asked: [], events: [], answer: refreshed, failure: undefined };
  const secrets = createSecrets(config.secrets);
  const cookies = createCookies(config.issuer);
  const { log } = recording();
  const jar = createCookieJar(Date.now);
  const clock = () => Date.now() + world.ahead;
  const router = routes({
    config,
    oidc: fakeOidc(config.issuer, fake),
    secrets,
    cookies,
    csrf: createCsrf({ issuer: config.issuer, secrets, cookies }),
    clock,
    log,
    limits: createLimits({ store: { bump: () => Promise.resolve(1) }, clock, log }),
    live: {
      listen: () => () => undefined,
      handler: { name: 'live_sessions', types: [], handle: () => Promise.resolve() },
      start: () => undefined,
      stop: () => Promise.resolve(),
    },
    streams: createEventStreams({ clock, most: 0 }),
    directory: {
      user: () => Promise.resolve(undefined),
      account: () => Promise.resolve(undefined),
      membership: () => Promise.resolve(undefined),
      usableAccounts: () => Promise.resolve([]),
      revokeUser: () => Promise.resolve(0),
    },
    billing: undefined,
    renderQuestion: ({ action, csrf, fields, scope }) =>
      html`<form method="post" action="${action}">
        ${Object.entries({ ...fields, csrf, ...(scope && { scope }) }).map(
          ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
        )}
      </form>`,
  });
  const running: RunningApp = await run([
    requests({ issuer: config.issuer, trustedProxies: [], log, clock }),
    (ctx, next) => {
      Object.assign(ctx.state, { requestId: 'req_test' });
      return next();
    },
    headers({ issuer: config.issuer }),
    failures({ log, renderFailure: ({ code }) => html`<p>${code}</p>` }),
    router.routes() as unknown as Middleware,
  ]);
  const { host } = new URL(config.issuer);
  const world: LinkApp = {
    oidc: fake,
    jar,
    ahead: 0,
    async visit(path, options = {}) {
      const url = new URL(path, config.issuer);
      const cookie = jar.header({ url, sameSite: true, topLevelGet: true });
      const sent = { host, ...(cookie === '' ? {} : { cookie }), ...options.headers };
      const answer = await running.send(path, { ...options, headers: sent });
      jar.take(url, [answer.headers['set-cookie'] ?? []].flat());
      return answer;
    },
    get: (path, given) => running.send(path, { headers: { host, ...given } }),
    close: () => running.close(),
  };
  return world;
}

function fakeOidc(ownIssuer: string, fake: FakeOidc): LinkOidc {
  return {
    clientId: 'tollgate-links',
    redirectUri: `${ownIssuer}/signin/return`,
    signup: { clientId: 'tollgate-signup', redirectUri: `${ownIssuer}/signup/return` },
    invitation: { clientId: 'tollgate-signup', redirectUri: `${ownIssuer}/invitation/return` },
    async token(_ctx, parameters) {
      fake.asked.push(parameters);
      return fake.answer(parameters);
    },
    session: () => Promise.resolve(undefined),
    signedInAt: () => Promise.resolve(undefined),
    endLinks() {
      fake.events.push('links ended');
      return Promise.resolve();
    },
    subject: () => Promise.resolve(undefined),
    endSession(_ctx, reason) {
      if (fake.failure !== undefined) return Promise.reject(fake.failure);
      fake.events.push(`session ended: ${reason}`);
      return Promise.resolve();
    },
    revoke(refreshToken) {
      fake.events.push(`revoked: ${refreshToken}`);
      return Promise.resolve();
    },
  };
}

/** The cookies that an answer sets: the whole line by name. */
export function cookiesOf(answer: Answer): Map<string, string> {
  const lines = [answer.headers['set-cookie'] ?? []].flat();
  return new Map(lines.map((line) => [line.split('=')[0] ?? '', line]));
}

/** As the `Cookie` header of the next request, without those that were cleared. */
export function cookieHeader(...answers: Answer[]): string {
  const kept = new Map<string, string>();
  for (const answer of answers) {
    for (const [name, line] of cookiesOf(answer)) {
      const value = line.split(';')[0]?.slice(name.length + 1) ?? '';
      if (value === '') kept.delete(name);
      else kept.set(name, value);
    }
  }
  return [...kept].map(([name, value]) => `${name}=${value}`).join('; ');
}

export const locationOf = (answer: Answer) => new URL(String(answer.headers['location']));
