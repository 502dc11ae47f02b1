/** Every e-mail, with the names that real life brings. */

import {
  closedMail,
  closingMail,
  deletionMail,
  invitationMail,
  letInMail,
  waitingMail,
} from '../../views/mail/mails.ts';
import type { RenderedMail } from '../../views/mail/letter.ts';
import { brand } from './samples.ts';

const until = Date.UTC(2026, 8, 8);
const token =
  'tgi.V2hhdCBhIGxvbmcgbGluaw.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const account = 'Donaudampfschifffahrtsgesellschaft Wien';

export const invitation = {
  by: 'Ada Lovelace',
  account: 'Acme',
  roles: ['Admin', 'Billing'],
  email: 'nora@example.net',
  until,
  url: `https://id.northwind.example/invitation/${token}`,
};

export const waiting = {
  name: 'Nora Newcomer',
  email: 'nora@example.net',
  account: 'Acme',
  roles: ['Member'],
  url: 'https://id.northwind.example/account/members?account=acc_acme',
};

export const mailSamples: ReadonlyMap<string, () => RenderedMail> = new Map([
  ['invitation', () => invitationMail(invitation, brand)],
  [
    'invitation by nobody',
    () => invitationMail({ ...invitation, by: undefined, roles: [], account }, brand),
  ],
  ['somebody waits', () => waitingMail(waiting, brand)],
  [
    'let in',
    () =>
      letInMail(
        { account: 'Acme', roles: ['Admin'], url: 'https://id.northwind.example/account/select' },
        brand,
      ),
  ],
  [
    'somebody without a name waits',
    () => waitingMail({ ...waiting, name: undefined, roles: [] }, brand),
  ],
  [
    'closing',
    () => closingMail({ account, by: 'Ada Lovelace', at: until, url: invitation.url }, brand),
  ],
  [
    'closing by an operator',
    () => closingMail({ account: 'Acme', by: undefined, at: until, url: invitation.url }, brand),
  ],
  ['closed', () => closedMail({ account: 'Acme', at: until }, brand)],
  [
    'deletion',
    () => deletionMail({ at: until, url: 'https://id.northwind.example/account/data' }, brand),
  ],
]);
