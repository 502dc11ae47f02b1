import { describe, expect, it } from 'vitest';
import {
  changedPage,
  changePage,
  lockedPage,
  notPayerPage,
  whichAccountPage,
} from '../../views/billing.ts';
import { accountBillingPage } from '../../views/account_billing.ts';
import { consentPage } from '../../views/consent.ts';
import { layout, supportAddress, type Brand } from '../../views/layout.ts';
import { loginPage } from '../../views/login.ts';
import { failurePage, notRegisteredPage } from '../../views/message.ts';
import { initialsOf, noAccountPage, selectAccountPage } from '../../views/select_account.ts';
import { signOutPage, signOutQuestion, stayedPage } from '../../views/signout.ts';
import { account, brand, form, now, providers, samples } from './samples.ts';

const day = 86_400_000;

describe.each([...samples].map(([name, draw]) => [name, draw().text] as const))(
  'the page: %s',
  (_name, text) => {
    it('says its language, its name and the company, and has one heading', () => {
      expect(text).toMatch(/^<!doctype html>\s*<html lang="en">/);
      expect(text).toMatch(/<title>[^<]+ – Northwind<\/title>/);
      expect(text.match(/<h1>/g)).toHaveLength(1);
      expect(text.match(/<main/g)).toHaveLength(1);
    });

    it('needs no script, no inline style and nothing from elsewhere', () => {
      expect(text).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
      const loaded = [...text.matchAll(/<(?:link|img)[^>]*(?:href|src)="([^"]*)"/g)];
      for (const [, address] of loaded) expect(address).toMatch(/^(\/assets\/|data:)/);
    });

    it('shows nothing that was left out, and no object', () => {
      expect(text).not.toMatch(/undefined|null|NaN|\[object|\bfalse\b|=>/);
    });

    it('uses no word that people do not know', () => {
      // But for what is addressed to those who know it.
      const words = text.replace(/For the makers[^]*?<\/p>/, '').replace(/<[^>]*>/g, ' ');
      expect(words).not.toMatch(/\b(session|token|oauth|openid|invalid|uid|redirect|client)\b/i);
    });

    it('has no id twice, and a label for each field', () => {
      const ids = [...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [input] of text.matchAll(/<input(?![^>]*type="hidden")[^>]*>/g)) {
        expect(text).toContain(`for="${/id="([^"]*)"/.exec(input)?.[1]}"`);
      }
    });
  },
);

describe('what comes from outside', () => {
  const evil = `"><script>alert('x')</script>&`;
  const evilBrand: Brand = { ...brand, name: evil, terms: undefined, support: evil };
  const evilForm = { action: evil, step: evil, csrf: evil };

  it('is text, wherever it stands', () => {
    const view = { form: evilForm, app: evil, who: evil, message: evil };
    const failure = { status: 500, code: evil, message: evil, requestId: evil };
    const pages = [
      loginPage({ ...view, providers: [{ id: evil, name: evil, icon: 'oidc' }] }, evilBrand),
      selectAccountPage(
        { ...view, now, filter: evil, accounts: [account(evil, evil, [evil], { plan: evil })] },
        evilBrand,
      ),
      noAccountPage({ ...view, closed: [evil, evil] }, evilBrand),
      consentPage(
        {
          ...view,
          scopes: [evil],
          resources: [{ name: evil, scopes: [evil] }],
          account: evil,
          goesTo: evil,
        },
        evilBrand,
      ),
      failurePage({ ...failure, action: { href: evil, label: evil } }, evilBrand),
      notRegisteredPage(view, evilBrand),
      lockedPage(
        { form: evilForm, account: evil, app: evil, remedy: 'pay', pay: evil, ask: [evil] },
        evilBrand,
      ),
      notPayerPage({ account: evil, ask: [evil], back: evil }, evilBrand),
      whichAccountPage([{ name: evil, href: evil }], evilBrand),
      changePage(
        {
          action: evil,
          csrf: evil,
          fields: { [evil]: evil },
          now: { plan: evil },
          next: { plan: evil, amount: evil, period: 'month' },
          today: evil,
          trialing: false,
          message: evil,
          back: evil,
        },
        evilBrand,
      ),
      accountBillingPage(
        {
          account: evil,
          products: [false, true].map((isOther) => ({
            product: evil,
            state: { is: isOther ? 'free' : 'ending', at: now, name: evil },
            plan: { name: evil },
            action: { is: 'keep', href: evil },
            changes: [{ plan: evil, period: 'month', amount: evil, href: evil }],
            cancel: evil,
          })),
          more: [{ is: 'invoices', href: evil }],
          ask: [evil],
          back: evil,
        },
        evilBrand,
      ),
      changedPage({ account: evil, plan: evil, changed: true, back: evil }, evilBrand),
      signOutPage({ form: '', app: evil, stay: evil }, evilBrand),
      stayedPage(evilBrand, evil),
      signOutQuestion(
        { action: evil, csrf: evil, stay: evil, fields: { [evil]: evil } },
        evilBrand,
      ),
    ];
    for (const { text } of pages) expect(text).not.toContain('<script');
  });
});

describe('the frame', () => {
  const page = (more: Partial<Brand>) =>
    layout({ title: 'Page', content: '' }, { ...brand, ...more }).text;

  it('shows the logo where it is our own picture, and the name where it is not', () => {
    expect(page({ logo: '/logo.svg' })).toContain('<img class="logo" src="/logo.svg" alt="Northw');
    expect(page({ logo: 'data:image/png;base64,AA' })).toContain('class="logo"');
    for (const logo of ['https://cdn.example/logo.png', '//cdn.example/x', '/\\cdn.example/x']) {
      expect(page({ logo })).not.toContain('cdn.example');
    }
  });

  it('links terms, privacy and support as far as they are there', () => {
    expect(page({})).toContain('href="mailto:help@northwind.example"');
    const bare = page({ terms: undefined, privacy: undefined, support: undefined });
    expect(bare).not.toContain('<footer');
    expect(supportAddress({ ...brand, support: 'https://x.example/help' })).toBe(
      'https://x.example/help',
    );
    expect(supportAddress({ ...brand, support: 'javascript:alert(1)@x' })).toBeUndefined();
  });

  it('gives the stylesheets an address that changes with them', () => {
    const address = (accent: string) => /\/assets\/brand\.css\?v=\w+/.exec(page({ accent }))?.[0];
    expect(address('#000000')).not.toBe(address('#ffffff'));
  });
});

describe('the page to sign in', () => {
  it('shows the last used way first, and more than five behind a lid', () => {
    const many = Array.from({ length: 7 }, (_, index) => ({
      id: `p${index}`,
      name: `P${index}`,
      icon: 'oidc' as const,
    }));
    const view = { form: form('login'), app: 'App', providers: many };
    const { text } = loginPage({ ...view, lastUsed: 'p6' }, brand);
    const order = [...text.matchAll(/name="provider" value="(p\d)"/g)].map(([, id]) => id);
    expect(order).toEqual(['p6', 'p0', 'p1', 'p2', 'p3', 'p4', 'p5']);
    const [shown = ''] = text.split('<details');
    expect(shown.match(/name="provider"/g)).toHaveLength(5);
    expect(text.match(/last used/g)).toHaveLength(1);
    expect(loginPage({ ...view, providers }, brand).text).not.toContain('<details');
  });
});

describe('the page to choose an account', () => {
  const rows = (accounts: ReturnType<typeof account>[], more = {}) =>
    selectAccountPage({ form: form('select_account'), app: 'App', now, accounts, ...more }, brand)
      .text;

  it('says role, plan and how often it is paid', () => {
    expect(rows([account('a', 'Acme', ['owner'], { period: 'year' })])).toContain(
      'Owner · Team, yearly',
    );
    expect(rows([account('a', 'Acme', ['billing_manager'])])).toContain('>Billing manager<');
    const ended = rows([account('a', 'Acme', [], { status: 'canceled' })]);
    expect(ended).not.toContain('Team');
  });

  it.each([
    [{ status: 'past_due' }, 'Payment is late'],
    [{ status: 'unpaid' }, 'Payment is late'],
    [{ status: 'trialing', trialEnd: now + day / 2 }, 'Trial ends today'],
    [{ status: 'trialing', trialEnd: now + 1.5 * day }, 'Trial ends in 1 day<'],
    [{ status: 'trialing', trialEnd: now + 3.5 * day }, 'Trial ends in 3 days'],
    [{ status: 'active' }, 'Current'],
    [{ status: 'trialing', trialEnd: now + 60 * day }, 'Current'],
    [{ status: 'trialing', trialEnd: now - day }, 'Current'],
  ])('marks what matters: %o', (subscription, badge) => {
    const text = rows([account('a', 'Acme', ['owner'], subscription)], { current: 'a' });
    expect(text).toContain(badge);
    expect(text.match(/class="badge/g)).toHaveLength(1);
  });

  it('marks what is locked before all else', () => {
    const late = account('a', 'Acme', ['owner'], { status: 'unpaid' });
    const text = rows([{ ...late, locked: true }], { current: 'a' });
    expect(text).toContain('On hold');
    expect(text.match(/class="badge/g)).toHaveLength(1);
  });

  it.each([
    ['Acme', 'AC'],
    ['Ada Lovelace', 'AL'],
    ['the big “company” of ours', 'TB'],
    ['é', 'É'],
    ['𝒜𝓁 x', '𝒜X'],
    ['***', '?'],
  ])('shortens %s to %s', (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });
});

describe('how an account stands', () => {
  const product = (is: 'past_due' | 'active' | 'none', action?: 'pay' | 'subscribe') => ({
    product: is,
    state: { is, at: Date.UTC(2027, 2, 14, 23, 30), name: 'Team' },
    action: action && { is: action, href: `/${action}` },
    changes: [],
  });
  const page = (...products: ReturnType<typeof product>[]) =>
    accountBillingPage({ account: 'Acme', products, more: [], back: '/back' }, brand).text;
  const primaries = (text: string) =>
    [...text.matchAll(/class="button primary" href="([^"]*)"/g)].map(([, href]) => href);

  it('says a day so that programs can read it', () => {
    expect(page(product('active'))).toMatch(
      /The plan is renewed on <time datetime="2027-03-14">March 14, 2027<\/time\s*>\./,
    );
  });

  it('has one thing to do: what is late before all else, and otherwise the way back', () => {
    expect(primaries(page(product('active')))).toEqual(['/back']);
    expect(primaries(page(product('none', 'subscribe')))).toEqual(['/subscribe']);
    const two = page(product('none', 'subscribe'), product('past_due', 'pay'));
    expect(primaries(two)).toEqual(['/pay']);
    expect(two).toContain('href="/subscribe"');
  });
});

describe('a failure', () => {
  const failure = { status: 500, code: 'x', message: 'Its own sentence.', requestId: 'req_1' };

  it('says its own sentence where the catalogue has none', () => {
    expect(failurePage({ ...failure, status: 400 }, brand).text).toContain('Its own sentence.');
    expect(failurePage({ ...failure, code: 'toString' }, brand).text).toContain(
      'broke on our side',
    );
  });

  it('tells those who can repair it what an app did wrong', () => {
    const message = 'redirect_uri is not registered';
    const { text } = failurePage(
      { ...failure, status: 400, code: 'invalid_request', message },
      brand,
    );
    expect(text).toContain('This app sent us something we cannot use');
    expect(text).toMatch(/<code>invalid_request<\/code>\s+redirect_uri is not registered/);
  });

  it('tells them which parameter of a link is wrong, and what there is', () => {
    const details = { parameter: 'plan', known: ['free', 'team'], account: 'acc_1' };
    const { text } = failurePage({ ...failure, status: 400, code: 'plan_unknown', details }, brand);
    expect(text).toMatch(/<code>plan_unknown<\/code>\s+\(<code>plan<\/code>\)\s+Its own sentence/);
    expect(text).toContain('Known: free, team.');
    expect(text).not.toContain('acc_1');
  });

  it('says when to try again', () => {
    const wait = (retryAfterSeconds: number) =>
      failurePage({ ...failure, status: 429, code: 'rate_limited', retryAfterSeconds }, brand).text;
    expect(wait(0.2)).toContain('Try again in 1 second.');
    expect(wait(30)).toContain('Try again in 30 seconds.');
    expect(wait(240)).toContain('Try again in 4 minutes.');
    expect(wait(Number.NaN)).not.toContain('NaN');
  });

  it('shows the number that finds the log line, and where to send it', () => {
    const { text } = failurePage(failure, brand);
    expect(text).toContain('<code>req_1</code>');
    expect(text).toContain('<a href="mailto:help@northwind.example">tell us</a>');
    expect(failurePage({ ...failure, status: 404 }, brand).text).not.toContain('req_1');
  });
});

describe('the question of the library', () => {
  it('holds its form as it is, and answers it with a button', () => {
    const library = '<form id="op.logoutForm" method="post"><input name="xsrf"/></form>';
    const { text } = signOutPage({ form: library, stay: '/stay' }, brand);
    expect(text).toContain(library);
    expect(text).toMatch(/<button[^>]*form="op\.logoutForm"[^>]*name="logout"[^>]*value="yes"/);
    expect(text.match(/form="op\.logoutForm"/g)).toHaveLength(2);
    expect(text).not.toContain('/stay');
  });

  it('offers to leave the app alone that asks, and to stay', () => {
    const library = '<form id="op.logoutForm" method="post"><input name="xsrf"/></form>';
    const { text } = signOutPage({ form: library, app: 'Orders', stay: '/stay' }, brand);
    expect(text).toMatch(/name="logout"[^>]*value="yes"[^>]*>\s*Sign out of all apps/);
    expect(text).toMatch(/form="op\.logoutForm">\s*Sign out of Orders only/);
    expect(text).toMatch(/href="\/stay"[^>]*>Stay signed in/);
  });
});
