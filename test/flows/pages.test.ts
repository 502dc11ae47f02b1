import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { submittingPage } from '../../views/continue.ts';
import { addressOf, authorizationRequest, goThrough, signIn, startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

const headingOf = (text: string) => /<h1>([^<]*)<\/h1>/.exec(text)?.[1];
const oneMoment = '<title>One moment – Tollgate</title>';

describe('the question whether to sign out', () => {
  test('tells nobody that they have left when they stay', async () => {
    const browser = world.browser();
    await signIn(world.issuer, browser, { person: 'grace' });
    const question = await browser.get(`${world.issuer}/oauth2/logout`);
    expect(headingOf(question.text)).toBe('Sign out?');
    const stayed = await browser.submit(question, { button: 'Stay signed in' });
    expect(headingOf(stayed.text)).toBe('You are still signed in');
    const again = await browser.get(authorizationRequest(world.issuer, 'app').url);
    expect(again.stopped).toBe(true);
  });

  test('tells those who leave', async () => {
    const browser = world.browser();
    await signIn(world.issuer, browser, { person: 'grace' });
    const question = await browser.get(`${world.issuer}/oauth2/logout`);
    const left = await browser.submit(question, { button: 'Sign out' });
    expect(headingOf(left.text)).toBe('You are signed out');
    const again = await browser.get(authorizationRequest(world.issuer, 'app').url);
    expect(again.stopped).toBe(false);
  });
});

describe("the library's pages that post themselves", () => {
  test('are pages of ours, whose script the policy knows', async () => {
    const browser = world.browser();
    await signIn(world.issuer, browser, { person: 'grace' });
    const parameters = { response_mode: 'form_post' };
    const page = await browser.get(authorizationRequest(world.issuer, 'app', parameters).url);
    expect(page.text).toContain(oneMoment);
    expect(page.text).toContain('<html lang="en">');
    const script = /<script>([^]*?)<\/script>/.exec(page.text)?.[1] ?? '';
    const hash = createHash('sha256').update(script).digest('base64');
    const policy = page.headers['content-security-policy'] as string;
    expect(policy).toContain(`'sha256-${hash}'`);
    expect(policy).not.toContain('form-action');
    const [form] = page.forms;
    expect(form?.action).toBe(addressOf('app'));
  });

  test('let another person sign in without a script', async () => {
    const browser = world.browser();
    const request = authorizationRequest(world.issuer, 'app');
    await signIn(world.issuer, browser, { person: 'ada' });
    const chooser = await browser.get(`${request.url}&prompt=select_account`);
    const choice = await browser.submit(chooser, { button: 'Use another sign-in' });
    const upstream = await browser.submit(choice, { button: 'provider=upstream' });
    const moment = await browser.submit(upstream, { button: 'person=grace' });
    expect(moment.text).toContain(oneMoment);
    const next = await browser.submit(moment, { button: 'Continue' });
    const address = await goThrough(browser, next, { person: 'grace' });
    expect(address.searchParams.get('code')).not.toBeNull();
  });

  test('are left alone where they are not what we know', () => {
    const brand = world.config.brand;
    expect(submittingPage('<!DOCTYPE html><p>Something else</p>', brand)).toBeUndefined();
    expect(submittingPage('', brand)).toBeUndefined();
  });
});
