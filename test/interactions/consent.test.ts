import { afterEach, describe, expect, it } from 'vitest';
import { conversationOf, goesOnTo, world } from './world.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
async function start(details: Record<string, unknown> = {}, scope = 'openid email') {
  const conversation = conversationOf('consent', {
    user: 'usr_ada',
    account: 'acc_1',
    details,
    params: { scope, redirect_uri: 'https://chartwell.example/callback' },
    client: { id: 'chartwell', name: 'Chartwell', firstParty: false },
  });
  const made = await world({ conversation, accounts: { acc_1: 'Acme' } });
  open.push(made);
  return made;
}

describe('the prompt for consent', () => {
  it('says in plain words what is new, to whom it goes, and for which account', async () => {
    const { visit } = await start({
      missingOIDCScope: ['openid', 'offline_access'],
      missingResourceScopes: { 'https://api.example.com': ['openid', 'reports:read'] },
    });
    const { text } = await visit('/interaction/abc');
    for (const words of [
      'Connect Chartwell?',
      'Chartwell is not made by Northwind.',
      'Know that it is you',
      'Stay connected when you are away',
      'See that you belong to Acme, and your role there',
      'Use Analytics for you: reports:read',
      'You will go on to chartwell.example.',
    ]) {
      expect(text).toContain(words);
    }
    expect(text).not.toContain('See your e-mail address');
    expect(text.match(/<li><svg/g)).toHaveLength(4);
  });

  it('says what single claims come to', async () => {
    const { visit } = await start({
      missingOIDCClaims: ['email_verified', 'picture', 'shoe_size'],
    });
    const { text } = await visit('/interaction/abc');
    expect(text).toContain('See your e-mail address');
    expect(text).toContain('See your name and picture');
    expect(text).toContain('Use “shoe_size”');
  });

  it('says that a product is used, also where it has no scopes of its own', async () => {
    const { visit } = await start({
      missingResourceScopes: { 'https://api.example.com': ['openid'], 'https://other.example': [] },
    });
    const { text } = await visit('/interaction/abc');
    expect(text).toContain('<span>Use Analytics for you</span>');
    expect(text).toContain('<span>Use https://other.example for you</span>');
  });

  it('says all that was asked for where the library names nothing', async () => {
    const { visit } = await start({}, 'openid email <b>');
    const { text } = await visit('/interaction/abc');
    expect(text).toContain('See your e-mail address');
    expect(text).toContain('&lt;b&gt;');
  });

  it("does not call an app of our own somebody else's", async () => {
    const made = await world({
      conversation: conversationOf('consent', { user: 'usr_ada', reasons: ['consent_prompt'] }),
    });
    open.push(made);
    const { text } = await made.visit('/interaction/abc');
    expect(text).toContain('Analytics app wants to:');
    expect(text).not.toContain('is not made by');
  });

  it('grants what was shown, or tells the app that it was not allowed', async () => {
    const { submit, finished } = await start();
    const allowed = await submit({ answer: 'allow' });
    expect(goesOnTo(allowed)).toBe('https://id.example.com/oauth2/authorize/abc');
    await submit({ answer: 'deny' });
    expect(finished).toEqual([
      { consent: { granted: true } },
      { error: 'access_denied', error_description: 'The person did not allow it.' },
    ]);
  });
});
