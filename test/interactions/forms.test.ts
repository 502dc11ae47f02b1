import { afterEach, describe, expect, it } from 'vitest';
import { conversationOf, heading, world, type WorldOptions } from './world.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
async function start(options: WorldOptions = {}) {
  const made = await world(options);
  open.push(made);
  return made;
}

const titles: Record<string, string> = {
  login: 'Sign in to Northwind',
  select_account: 'Choose an account',
  consent: 'Connect Analytics app?',
};
/** A form that would end each prompt if it were taken. */
const answers: Record<string, Record<string, string>> = {
  login: { provider: 'google' },
  select_account: { account: 'acc_1' },
  consent: { answer: 'allow' },
};

describe.each(Object.keys(titles))('the forms of the prompt %s', (name) => {
  const prompt = () =>
    start({
      conversation: conversationOf(name, { user: 'usr_ada' }),
      accounts: { acc_1: 'Acme', acc_2: 'Globex' },
    });

  it.each([
    ['no step', { step: '' }],
    ['an unknown step', { step: 'constructor' }],
    ['the step of another prompt', { step: name === 'login' ? 'consent' : 'login' }],
    ['an empty answer', { provider: '', account: '', answer: '' }],
  ])('F18 never go on with %s', async (_what, fields) => {
    const { submit, finished, started } = await prompt();
    const answer = await submit({ ...answers[name], ...fields });
    expect([answer.status, heading(answer)]).toEqual([400, titles[name]]);
    expect([finished, started]).toEqual([[], []]);
  });

  it('F18 never go on without a body, or with one that is no form', async () => {
    const { visit, post, finished, started } = await prompt();
    const empty = await post('/interaction/abc', {});
    expect(empty.status).toBe(403);
    const json = await visit('/interaction/abc', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(json.status).toBe(415);
    expect([finished, started]).toEqual([[], []]);
  });

  it('T56 are taken from our own pages only', async () => {
    const { visit, post, submit, jar, finished, started } = await prompt();
    await visit('/interaction/abc');
    const fields = { step: name, ...answers[name] };
    const without = await post('/interaction/abc', fields);
    expect([without.status, heading(without)]).toEqual([403, 'This page is out of date']);
    expect(without.text).toContain('href="/interaction/abc?stay=1"');
    const guessed = await post('/interaction/abc', { ...fields, csrf: 'v1.mac' });
    expect(guessed.status).toBe(403);
    jar.delete('__Host-tollgate_csrf');
    const { status } = await post('/interaction/abc', fields, { 'sec-fetch-site': 'cross-site' });
    expect(status).toBe(403);
    expect([finished, started]).toEqual([[], []]);
    expect((await submit(fields)).status).toBe(200);
  });

  it('T14 refuse a field that comes twice', async () => {
    const { visit } = await prompt();
    const twice = await visit('/interaction/abc', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `step=${name}&step=login`,
    });
    expect(twice.status).toBe(400);
  });

  it('T10 are never answered with a redirect that posts again', async () => {
    const { submit } = await prompt();
    const answer = await submit(answers[name] ?? {});
    expect(answer.status).toBe(200);
    expect(answer.headers.location).toBeUndefined();
  });

  it('T12 T13 come in pages that tell nobody, are not kept, and ask nobody else', async () => {
    const { visit } = await prompt();
    const { text, headers } = await visit('/interaction/abc?stay=1');
    expect(headers).toMatchObject({
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(Object.keys(headers).filter((one) => one.startsWith('access-control'))).toEqual([]);
    const loaded = [...text.matchAll(/<(?:link|img|script|iframe)[^>]*(?:href|src)="([^"]*)"/g)];
    expect(loaded.length).toBeGreaterThan(0);
    for (const [, address] of loaded) expect(address).toMatch(/^(\/assets\/|data:,)/);
    expect(text).not.toMatch(/<script|style="|\son[a-z]+=/);
  });

  it('are over when the conversation is', async () => {
    const { visit, submit, state } = await prompt();
    await visit('/interaction/abc');
    state.conversation = { ...state.conversation, uid: 'next' };
    const answer = await submit(answers[name] ?? {});
    expect([answer.status, heading(answer)]).toEqual([410, 'This sign-in is over']);
    expect(answer.text).toContain('href="https://app.example.com/"');
  });
});

describe('a prompt that is not known here', () => {
  it('is a page, whatever is sent to it', async () => {
    const { visit, submit, finished } = await start({ conversation: conversationOf('create') });
    expect((await visit('/interaction/abc')).status).toBe(404);
    expect((await submit({ step: 'create' })).status).toBeLessThan(500);
    expect(finished).toEqual([]);
  });
});
