import { describe, expect, it, test } from 'vitest';
import { invitationMail, waitingMail } from '../../views/mail/mails.ts';
import { contrast, contrastText } from '../../views/stylesheet.ts';
import { invitation, mailSamples, waiting } from './mail_samples.ts';
import { brand } from './samples.ts';

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': '’' };

/** What somebody reads, in one line. */
function read(html: string): string {
  return html
    .replace(/<(style|title|head)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_all, name: string) => entities[name] ?? '')
    .replace(/\s+/g, ' ');
}

describe.each([...mailSamples].map(([name, draw]) => [name, draw()] as const))(
  'the e-mail: %s',
  (_name, { subject, text, html }) => {
    it('says the same as text and as HTML', () => {
      const seen = read(html);
      const words = text
        .split(/\s+/)
        .filter((word) => /\p{L}/u.test(word))
        .map((word) => word.replace(/:$/, ''));
      for (const word of words) expect(seen).toContain(word);
    });

    it('is wide enough for its address, and for no line that a mail server would cut', () => {
      for (const line of text.split('\n')) {
        expect(line.length <= 72 || /^https?:\S+$/.test(line)).toBe(true);
      }
      for (const line of html.split('\n')) expect(line.length).toBeLessThan(900);
      expect(html.length).toBeLessThan(20_000);
    });

    it('fetches nothing, runs nothing, and knows the dark', () => {
      expect(html).not.toMatch(/<script|<img|<link|url\(|@import|\son\w+=|javascript:/i);
      expect(html).toContain('<meta name="color-scheme" content="light dark"');
      expect(html).toContain('prefers-color-scheme:dark');
      expect(html).toMatch(/<html lang="en">/);
      expect(html).toContain('max-width:600px');
    });

    it('says its address as text too, and nothing that was left out', () => {
      const links = [...html.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)</g)];
      const said = links.map(([, href, words]) => [href, words]);
      for (const [href] of said) {
        expect(said).toContainEqual([href, href]);
        expect(text).toContain(href);
      }
      for (const one of [subject, text, html]) {
        expect(one).not.toMatch(/undefined|null|NaN|\[object|\bfalse\b|=>/);
      }
      expect(`${subject}${text}`).not.toMatch(
        /\b(session|token|oauth|openid|invalid|uid|client)\b/i,
      );
    });
  },
);

test('T72: whatever is in a name stays text', () => {
  const evil = `"><script>alert('x')</script>&`;
  const drawn = [
    invitationMail({ ...invitation, by: evil, account: evil, roles: [evil], email: evil }, brand),
    waitingMail({ ...waiting, name: evil, email: evil, account: evil }, { ...brand, name: evil }),
  ];
  for (const { html } of drawn) {
    expect(html).not.toContain('<script>');
    expect(html).toContain('&lt;script&gt;');
  }
});

test('the button can be read, whatever the brand’s colour', () => {
  for (const accent of ['#ffffff', '#000000', '#ffcc00', '#4f46e5', '#777777']) {
    const { html } = invitationMail(invitation, { ...brand, accent });
    expect(html).toContain(`background:${accent}`);
    expect(html).toContain(`color:${contrastText(accent)}`);
    expect(contrast(accent, contrastText(accent))).toBeGreaterThanOrEqual(4.5);
  }
});

test('an invitation names who invites, the account, the role, and its end', () => {
  const { subject, text } = invitationMail(invitation, brand);
  expect(subject).toBe('Ada Lovelace invites you to “Acme”');
  for (const word of ['Role: Admin, Billing', 'Good until: September 8, 2026', 'ignore it']) {
    expect(text).toContain(word);
  }
});
