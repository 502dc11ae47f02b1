/** The pages on which people look after themselves, each in every state that it has. */

import type { Html } from '../../src/web/html.ts';
import { appsPage } from '../../views/account/apps.ts';
import type { FrameView, Tab } from '../../views/account/frame.ts';
import { identitiesPage, removeIdentityPage } from '../../views/account/identities.ts';
import { personTexts } from '../../views/account/person_texts.ts';
import { profilePage } from '../../views/account/profile.ts';
import type { ProfileView } from '../../views/account/profile.ts';
import { sessionsPage } from '../../views/account/sessions.ts';
import type { Brand } from '../../views/layout.ts';

const csrf = 'v1.mac';
const now = Date.UTC(2026, 8, 1);
const day = 86_400_000;
const frame = (tab: Tab, more: Partial<FrameView> = {}): FrameView => ({
  tab,
  sells: true,
  ...more,
});
const longWord = 'Donaudampfschifffahrtsgesellschaft';

const profile: ProfileView = {
  frame: frame('profile'),
  csrf,
  known: 'Ada Lovelace',
  name: 'Ada Lovelace',
  locale: 'en-GB',
  locales: [
    { value: '', label: personTexts.profile.noLocale },
    { value: 'en-GB', label: 'British English' },
    { value: 'de', label: 'Deutsch' },
  ],
  email: 'ada@example.com',
  emailVerified: true,
  provider: 'Google',
  hasPicture: true,
  hasOwn: false,
};

const google = {
  key: 'Zx1',
  provider: 'Google',
  icon: 'google' as const,
  email: 'ada@example.com',
  since: now - 400 * day,
  usedAt: now,
  isGone: false,
};
const gone = { ...google, key: 'Zx2', provider: longWord, icon: 'oidc' as const, isGone: true };
const providers = [
  { id: 'google', name: 'Google', icon: 'google' as const },
  { id: 'github', name: 'GitHub', icon: 'github' as const },
];
const identities = { frame: frame('identities'), csrf, providers };

const device = {
  id: 'one',
  name: 'Firefox on Windows',
  network: '203.0.113.0/24',
  provider: 'Google',
  signedInAt: now,
  isCurrent: true,
  apps: ['Northwind Analytics', 'Northwind Desk'],
};
const sessions = { frame: frame('sessions'), csrf, pages: {} };
const bare = { id: 'two', signedInAt: now - 3 * day, isCurrent: false, apps: [] };

const app = {
  id: 'analytics',
  name: 'Northwind Analytics',
  isForeign: false,
  since: now - 30 * day,
  accounts: ['Acme', 'Globex'],
  isIdle: false,
};
const apps = { frame: frame('apps'), csrf };

/** @param brand that of all samples */
export function personSamples(brand: Brand): [string, () => Html][] {
  const nameless = { known: undefined, name: '', email: undefined, emailVerified: false };
  const problems = new Map([
    ['name', personTexts.profile.nameProblem(120)],
    ['locale', personTexts.profile.localeProblem],
  ]);
  const done = personTexts.profile.done.saved;
  return [
    ['account profile', () => profilePage(profile, brand)],
    [
      'account profile, saved',
      () => profilePage({ ...profile, frame: frame('profile', { done }), hasOwn: true }, brand),
    ],
    ['account profile, unknown', () => profilePage({ ...profile, ...nameless }, brand)],
    [
      'account profile, refused',
      () => profilePage({ ...profile, frame: frame('profile', { problems }), name: '' }, brand),
    ],
    [
      'account identity, the only one',
      () => identitiesPage({ ...identities, identities: [google] }, brand),
    ],
    [
      'account identities',
      () =>
        identitiesPage(
          {
            ...identities,
            identities: [google, gone],
            frame: frame('identities', { done: personTexts.identities.done.removed }),
          },
          brand,
        ),
    ],
    [
      'account identity, to remove',
      () => removeIdentityPage({ frame: frame('identities'), csrf, identity: google }, brand),
    ],
    ['account devices, one', () => sessionsPage({ ...sessions, devices: [device] }, brand)],
    [
      'account devices',
      () =>
        sessionsPage(
          {
            ...sessions,
            devices: [device, bare, { ...bare, id: 'three', name: longWord, apps: [longWord] }],
            pages: { before: '/a', after: '/b' },
          },
          brand,
        ),
    ],
    ['account devices, none', () => sessionsPage({ ...sessions, devices: [] }, brand)],
    ['account apps, none', () => appsPage({ ...apps, apps: [] }, brand)],
    [
      'account apps',
      () =>
        appsPage(
          {
            ...apps,
            apps: [
              app,
              {
                ...app,
                id: 'foreign',
                name: 'Chartwell',
                isForeign: true,
                isIdle: true,
                accounts: [],
              },
              {
                ...app,
                id: 'gone',
                name: undefined,
                accounts: Array(9).fill(longWord) as string[],
              },
            ],
          },
          brand,
        ),
    ],
  ];
}
