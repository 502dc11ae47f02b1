/** The pages of an invitation, in every state. */

import type { Html } from '../../src/web/html.ts';
import {
  askedPage,
  closedInvitationPage,
  declinedPage,
  fullPage,
  invitationPage,
  lostInvitationPage,
  memberPage,
  overPage,
} from '../../views/invitation.ts';
import type { InvitationView } from '../../views/invitation.ts';
import type { Brand } from '../../views/layout.ts';
import { noAccountPage } from '../../views/select_account.ts';

const invitation: InvitationView = {
  form: { action: '/invitation', csrf: 'v1.mac', invitation: 'inv_1' },
  account: 'Acme',
  by: 'Grace Hopper',
  roles: 'Member',
  who: 'ada@example.com',
  signedIn: true,
  isTheirs: true,
};
const ended = { account: 'Acme', goOn: 'https://app.example.com/' };

export function invitationSamples(brand: Brand): [name: string, draw: () => Html][] {
  return [
    ['invitation', () => invitationPage(invitation, brand)],
    [
      'invitation, not signed in',
      () =>
        invitationPage(
          { ...invitation, by: undefined, who: undefined, signedIn: false, isTheirs: false },
          brand,
        ),
    ],
    [
      'invitation to another address',
      () =>
        invitationPage(
          { ...invitation, isTheirs: false, sentTo: 'a.lovelace@acme.example' },
          brand,
        ),
    ],
    ['invitation, lost', () => lostInvitationPage(brand)],
    ['invitation, run out', () => overPage({ ...ended, standing: 'expired' }, brand)],
    ['invitation, used', () => overPage({ ...ended, standing: 'accepted' }, brand)],
    ['invitation, taken back', () => overPage({ ...ended, standing: 'withdrawn' }, brand)],
    ['invitation to a closed account', () => closedInvitationPage(ended, brand)],
    ['invitation, to be confirmed', () => askedPage(ended, brand)],
    ['invitation of a member', () => memberPage(ended, brand)],
    [
      'invitation without a place',
      () => fullPage({ account: 'Acme', again: '/invitation' }, brand),
    ],
    ['invitation, declined', () => declinedPage({ ...ended, wasTheirs: true }, brand)],
    [
      'no account, but invitations',
      () =>
        noAccountPage(
          {
            form: { action: '/interaction/abc', step: 'select_account', csrf: 'v1.mac' },
            app: 'Northwind Analytics',
            who: 'ada@example.com',
            closed: [],
            offers: {
              csrf: 'v1.mac',
              invited: [{ account: 'Acme', href: '/invitation?invitation=inv_1' }],
              waiting: ['Globex'],
              domains: [
                { id: 'acc_1', name: 'Initech', mode: 'join' },
                { id: 'acc_2', name: 'Umbrella', mode: 'ask' },
                { id: 'acc_3', name: 'Soylent', mode: 'waiting' },
              ],
            },
          },
          brand,
        ),
    ],
  ];
}
