import { afterAll, beforeEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import { hidden, startPersonWorld } from './person_world.ts';
import type { PersonWorld } from './person_world.ts';

let world: PersonWorld;
const here = '/account/identities';
let counted = 0;
const somebody = () => {
  counted += 1;
  return { subject: `second-${counted}`, name: 'Ada at work', email: 'ada@example.com' };
};

beforeAll(async () => {
  world = await startPersonWorld();
});
afterAll(() => world?.close());
beforeEach(() => world.pass(1000));

const identitiesOf = async (user: string) =>
  (await world.store.get('user', user))?.document.identities ?? [];
const subjectsOf = async (user: string) => (await identitiesOf(user)).map(({ subject }) => subject);

/** As far as the page of the provider. */
async function begin(browser: Browser): Promise<Page> {
  const page = await world.open(browser, here);
  return browser.submit(page, { button: 'provider=upstream' });
}

const finish = (browser: Browser, page: Page, someone = somebody()) =>
  browser.submit(page, { button: 'person=someone', fields: someone });

/** Goes to the provider and stops in front of our callback. */
async function callbackOf(browser: Browser, someone = somebody()): Promise<string> {
  const stop = { stopAt: (url: URL) => url.pathname.startsWith('/integrations/') };
  const page = await begin(browser);
  const stopped = await browser.submit(page, {
    button: 'person=someone',
    fields: someone,
    ...stop,
  });
  expect(stopped.stopped).toBe(true);
  return stopped.url;
}

test('one is added, signs in, and is removed again; each is told, and the last one stays', async () => {
  const browser = await world.enter('grace');
  const work = somebody();
  const only = await world.open(browser, here);
  expect(only.visible).toContain('This is the only one');
  expect(only.links.some(({ text }) => text.startsWith('Remove'))).toBe(false);
  const added = await finish(browser, await begin(browser), work);
  expect(added).toMatchObject({ status: 200, url: `${world.issuer}${here}?done=added` });
  expect(added.text).not.toContain(work.subject);

  // The same person, also with a browser that knows nothing of this one.
  const other = world.browser();
  const page = await world.into(other, await world.open(other, '/account'), { someone: work });
  expect(page.status).toBe(200);
  const [session] = await world.store.find('session', 'user', 'usr_grace', { limit: 10 });
  expect(session?.document.user).toBe('usr_grace');
  expect((await identitiesOf('usr_grace')).at(-1)?.usedAt).toEqual(expect.any(Number));

  // By the one that they are signed in with: they stay signed in.
  const list = await world.open(other, here);
  const links = list.links.filter(({ href }) => href.startsWith(`${here}/remove`));
  expect(links).toHaveLength(2);
  const question = await other.get(new URL(links[1]!.href, world.issuer).href, { from: list });
  expect(question.visible).toContain('cannot sign in with Example ID');
  const removed = await other.submit(question);
  expect(removed.url).toBe(`${world.issuer}${here}?done=removed`);
  expect(await subjectsOf('usr_grace')).toEqual(['person-grace-1906']);
  expect((await world.open(other, '/account')).status).toBe(200);
  // Twice: it is gone, and that is all.
  expect((await other.submit(question)).url).toBe(`${world.issuer}${here}?done=gone`);

  const facts = { user: 'usr_grace', provider: 'upstream', issuer: world.upstream.issuer };
  expect(await world.told('identity.linked', 'usr_grace')).toEqual([facts]);
  expect(await world.told('identity.unlinked', 'usr_grace')).toEqual([facts]);
});

test('never the last one: not by an old page, not from two tabs at once', async () => {
  const browser = await world.enter('grace');
  await finish(browser, await begin(browser));
  const list = await world.open(browser, here);
  const links = list.links.filter(({ href }) => href.startsWith(`${here}/remove`));
  const questions = await Promise.all(
    links.map(({ href }) => browser.get(new URL(href, world.issuer).href, { from: list })),
  );
  const answers = await Promise.all(questions.map((question) => browser.submit(question)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  expect(await identitiesOf('usr_grace')).toHaveLength(1);
  const refused = answers.find(({ status }) => status === 409)!;
  expect(refused.visible).toContain('the only way in which you can sign in');
  const way = refused.links.find(({ href }) => href === here);
  expect(way?.text).toBe('Back to your ways to sign in');
  // As it was, for the tests behind this one.
  const { document, version } = (await world.store.get('user', 'usr_grace'))!;
  const [first] = document.identities;
  const identities = [{ ...first!, subject: 'person-grace-1906' }];
  await world.store.write('user', 'usr_grace', { ...document, identities }, { expect: version });
});

describe('an identity that is added', () => {
  test('and belongs to somebody else is refused, and nothing changes for either', async () => {
    const browser = await world.enter('grace');
    const before = await Promise.all(['usr_ada', 'usr_grace'].map(identitiesOf));
    const page = await begin(browser);
    const refused = await browser.submit(page, { button: 'person=ada' });
    expect(refused.status).toBe(409);
    expect(refused.visible).toContain('Nothing was added');
    expect(refused.links.some(({ href }) => href === here)).toBe(true);
    expect(await Promise.all(['usr_ada', 'usr_grace'].map(identitiesOf))).toEqual(before);
    expect((await world.open(browser, '/account')).visible).toContain('grace@example.com');
  });

  test('and is theirs already is fine', async () => {
    const browser = await world.enter('ada');
    const page = await browser.submit(await begin(browser), { button: 'person=ada' });
    expect(page.url).toBe(`${world.issuer}${here}?done=known`);
    expect(await subjectsOf('usr_ada')).toEqual(['person-ada-1815']);
  });

  test('F2 joins nobody by its e-mail address', async () => {
    const browser = await world.enter('grace');
    // The address of Ada, vouched for by the same provider.
    await finish(browser, await begin(browser), somebody());
    expect(await subjectsOf('usr_ada')).toEqual(['person-ada-1815']);
    expect(await subjectsOf('usr_grace')).toHaveLength(2);
  });

  test('and was refused or broken at its provider leads back, and nothing changes', async () => {
    const browser = await world.enter('ada');
    const cancelled = await browser.submit(await begin(browser), { button: 'refuse=yes' });
    expect(cancelled.status).toBe(400);
    expect(cancelled.links.some(({ href }) => href === here)).toBe(true);
    const unknown = await browser.post(
      `${world.issuer}${here}/add`,
      {
        csrf: hidden(await world.open(browser, here), `${here}/add`, 'csrf'),
        provider: 'nobody',
      },
      { from: await world.open(browser, here) },
    );
    expect(unknown.status).toBe(404);
    expect(await identitiesOf('usr_ada')).toHaveLength(1);
  });

  test('comes back twice, or twenty times at once: it is added once', async () => {
    const browser = await world.enter('ada');
    const url = await callbackOf(browser);
    const answers = await Promise.all(Array.from({ length: 6 }, () => browser.get(url)));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([200, 409, 409, 409, 409, 409]);
    expect(await identitiesOf('usr_ada')).toHaveLength(2);
    expect((await world.told('identity.linked', 'usr_ada')).length).toBe(1);
  });

  test('F7 by an address that somebody else made is refused: in another browser, or by another person', async () => {
    const attacker = await world.enter('grace');
    const url = await callbackOf(attacker);
    const victim = await world.enter('ada');
    const before = await identitiesOf('usr_ada');
    const opened = await victim.get(url);
    expect(opened.status).toBe(403);
    expect(await identitiesOf('usr_ada')).toEqual(before);
    // And nobody is signed in by it.
    const stranger = world.browser();
    expect((await stranger.get(url)).status).toBe(403);
    expect((await stranger.get(`${world.issuer}/account`)).url).not.toContain('/account');
  });

  test('after somebody else signed in at the same browser is nobody’s', async () => {
    const browser = await world.enter('ada');
    const url = await callbackOf(browser);
    const before = await Promise.all(['usr_ada', 'usr_grace'].map(identitiesOf));
    const again = await world.open(browser, `/signin?again=yes&return_to=${world.issuer}/account`);
    await world.into(browser, again, { person: 'grace' });
    const refused = await browser.get(url);
    expect(refused.status).toBe(403);
    expect(refused.visible).toContain('somebody else signed in at this browser');
    const after = await Promise.all(['usr_ada', 'usr_grace'].map(identitiesOf));
    expect(after.map((all) => all.map(({ subject }) => subject))).toEqual(
      before.map((all) => all.map(({ subject }) => subject)),
    );
  });

  test('after they signed out, or were disabled, is not theirs', async () => {
    for (const meanwhile of ['signed out', 'disabled'] as const) {
      const browser = await world.enter('ada');
      const url = await callbackOf(browser);
      const before = await subjectsOf('usr_ada');
      if (meanwhile === 'disabled')
        await world.server.directory.setUserStatus('usr_ada', 'disabled');
      else await browser.get(`${world.issuer}/signout`);
      const refused = await browser.get(url);
      expect([meanwhile, refused.status]).toEqual([meanwhile, 403]);
      expect(await subjectsOf('usr_ada')).toEqual(before);
      if (meanwhile === 'disabled') await world.server.directory.setUserStatus('usr_ada', 'active');
    }
  });
});

test('T74 an identity of somebody else cannot be removed, nor be told from one that there is not', async () => {
  const ada = await world.enter('ada');
  await finish(ada, await begin(ada));
  const list = await world.open(ada, here);
  const { href } = list.links.find((link) => link.href.startsWith(`${here}/remove`))!;
  const key = new URL(href, world.issuer).searchParams.get('identity')!;
  const grace = await world.enter('grace');
  await finish(grace, await begin(grace));
  const own = await world.open(grace, here);
  const before = await identitiesOf('usr_ada');
  const asked = await grace.get(new URL(href, world.issuer).href, { from: own });
  expect(asked.url).toBe(`${world.issuer}${here}?done=gone`);
  const csrf = hidden(own, `${here}/add`, 'csrf');
  const sent = await grace.post(
    `${world.issuer}${here}/remove`,
    { csrf, identity: key },
    { from: own },
  );
  expect(sent.url).toBe(`${world.issuer}${here}?done=gone`);
  expect(await identitiesOf('usr_ada')).toEqual(before);
});

describe('what is dangerous takes a fresh sign-in', () => {
  test('a form and a page come back to where they were, when they prove once more who they are', async () => {
    const browser = await world.enter('ada');
    const list = await world.open(browser, here);
    const before = await subjectsOf('usr_ada');
    world.pass(11 * 60_000);
    expect((await world.open(browser, here)).status).toBe(200);

    const asked = await browser.submit(list, { button: 'provider=upstream' });
    const back = await world.into(browser, asked, { person: 'ada' });
    expect(back).toMatchObject({ status: 200, url: `${world.issuer}${here}` });
    expect(await subjectsOf('usr_ada')).toEqual(before);
    const added = await finish(browser, await begin(browser));
    expect(added.url).toContain('done=added');

    world.pass(11 * 60_000);
    const { href } = added.links.filter((link) => link.href.startsWith(`${here}/remove`)).at(-1)!;
    const question = await world.into(browser, await browser.get(new URL(href, world.issuer).href));
    expect(question.url).toBe(new URL(href, world.issuer).href);
    world.pass(11 * 60_000);
    const late = await world.into(browser, await browser.submit(question));
    expect(late.url).toBe(`${world.issuer}${here}`);
    expect(await subjectsOf('usr_ada')).toHaveLength(before.length + 1);
  });

  test('who signs in as somebody else there does not act on the first one’s page', async () => {
    const browser = await world.enter('ada');
    const list = await world.open(browser, here);
    const link = list.links.find(({ href }) => href.startsWith(`${here}/remove`))!;
    const before = await Promise.all(['usr_ada', 'usr_grace'].map(subjectsOf));
    world.pass(11 * 60_000);
    const asked = await browser.get(new URL(link.href, world.issuer).href, { from: list });
    const page = await world.into(browser, asked, { person: 'grace' });
    // The key is of none of hers.
    expect(page.url).toBe(`${world.issuer}${here}?done=gone`);
    expect(await Promise.all(['usr_ada', 'usr_grace'].map(subjectsOf))).toEqual(before);
    // And the old form is of no use to her.
    const sent = await browser.submit(list, { button: 'provider=upstream' });
    expect(sent.status).toBe(403);
  });
});
