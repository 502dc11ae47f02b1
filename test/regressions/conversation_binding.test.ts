/** A conversation goes on in the browser in which it began, whatever cookies another one is given. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { startServer } from '../kit/server.ts';
import {
  authorizationRequest,
  claimsOf,
  clients,
  goThrough,
  redeem,
  signIn,
} from '../kit/world.ts';
import type { Request, World } from '../kit/world.ts';
import { silently, startProtocolWorld } from '../protocol/kit.ts';
import { send } from '../robustness/raw.ts';
import { atUpstream, cookieOf, parametersOf, plant } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

/** Begins a sign-in, and stands at the upstream provider's door. */
async function begin(browser: Browser): Promise<{ request: Request; door: string; uid: string }> {
  const request = authorizationRequest(world.issuer, 'app');
  const { url: door } = await browser.get(request.url, { stopAt: atUpstream(world) });
  const uid = cookieOf(browser, 'tollgate_interaction').path.split('/').pop() ?? '';
  return { request, door, uid };
}

const newcomers: Record<string, () => Promise<Browser>> = {
  'a browser that was never here': () => Promise.resolve(world.browser()),
  'a browser with a conversation of its own': async () => {
    const browser = world.browser();
    await begin(browser);
    return browser;
  },
};

describe('F7 T59 the cookie of the conversation in another browser', () => {
  test.each(Object.entries(newcomers))('opens nothing in %s', async (_name, arrive) => {
    const beginner = world.browser();
    const other = await arrive();
    const { request, door, uid } = await begin(beginner);
    const names = ['tollgate_interaction', 'tollgate_interaction.sig'];
    plant(world, other, ...names.map((name) => cookieOf(beginner, name)));

    // Shown there, the conversation would take that person's answers for those of who began it.
    const page = await other.get(`${world.issuer}/interaction/${uid}`);
    expect(page.url).toBe(`${world.issuer}/interaction/${uid}`);
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(page.status).toBeLessThan(500);
    const offered = page.forms.flatMap(({ buttons }) => buttons.map(({ name }) => name));
    expect(offered).not.toContain('provider');

    const address = await goThrough(beginner, await beginner.get(door), { person: 'grace' });
    const code = address.searchParams.get('code') ?? '';
    const { status, body } = await redeem(world.issuer, { ...request, code });
    expect(status).toBe(200);
    expect(claimsOf(body.access_token)).toMatchObject({ sub: 'usr_grace' });
  });
});

describe('F7 T59 the cookie that takes up the request again, in another browser', () => {
  test.each(Object.entries(newcomers))('signs nobody in at %s', async (_name, arrive) => {
    const beginner = world.browser();
    const other = await arrive();
    const { request, door } = await begin(beginner);
    const resume = (url: URL) => /^\/oauth2\/authorize\/./.test(url.pathname);
    const back = await beginner.submit(await beginner.get(door), {
      button: 'person=grace',
      stopAt: (url) => url.origin === world.issuer && resume(url),
    });
    const names = ['tollgate_resume', 'tollgate_resume.sig'];
    const path = new URL(back.url).pathname;
    plant(world, other, ...names.map((name) => ({ ...cookieOf(beginner, name), path })));

    const page = await other.get(back.url);
    expect(page.stopped).toBe(false);
    expect(page.status).toBeLessThan(500);
    const { parameters } = await silently(world.issuer, other, 'other');
    expect(parameters.get('error')).toBe('login_required');

    const end = await beginner.get(back.url);
    const code = parametersOf(end).get('code') ?? '';
    expect((await redeem(world.issuer, { ...request, code })).status).toBe(200);
  });

  test('and who signs in there later is who they say they are', async () => {
    const person = world.browser();
    await begin(person);
    const { access_token: accessToken } = await signIn(world.issuer, person, { person: 'ada' });
    expect(claimsOf(accessToken)).toMatchObject({ sub: 'usr_ada' });
  });
});

test('F7 T59 by https the cookie that names the browser is one that no other host can plant', async () => {
  const issuer = 'https://id.example.com';
  const upstream = { id: 'github', name: 'GitHub', preset: 'github' as const, clientId: 'x' };
  const server = await startServer({
    config: {
      issuer,
      providers: [{ ...upstream, clientSecret: 'an upstream secret of tests' }],
      clients,
    },
  });
  try {
    const { pathname, search } = new URL(authorizationRequest(issuer, 'app').url);
    const answer = await send(server.port, {
      path: `${pathname}${search}`,
      headers: [['Host', new URL(issuer).host]],
    });
    const lines = answer.headers.get('set-cookie') ?? [];
    const [line = '', ...more] = lines.filter((one) => one.includes('tollgate_browser='));
    expect(more).toEqual([]);
    expect(line).toMatch(/^__Host-tollgate_browser=[\w-]{22};/);
    const attributes = line.toLowerCase().split('; ').slice(1);
    expect(attributes).toEqual(expect.arrayContaining(['path=/', 'secure', 'httponly']));
    expect(attributes.filter((one) => one.startsWith('domain'))).toEqual([]);
  } finally {
    await server.close();
  }
});
