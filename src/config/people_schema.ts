/** People and accounts: what roles may do, e-mail, invitations, and how long a deletion can be taken back. */

import { z } from 'zod';
import { checked, role, text } from './fields.ts';
import type { Complaint } from './fields.ts';

/** What a role may do in its account. An owner may do all of it, and alone may close or hand over the account. */
const rights = ['members', 'settings', 'activity', 'billing'] as const;

export const roleSchema = z.strictObject({
  id: role.describe('Its name in tokens.'),
  name: text.optional().describe('Its name on pages. By default its id.'),
  may: z
    .array(z.enum(rights))
    .default([])
    .describe(
      'What it may do: `members` (invite, remove, give roles that may do no more than their own), `settings` (name, domains), `activity` (see what happened), `billing` (pay, change the plan).',
    ),
});

const defaultRoles = [
  { id: 'admin', name: 'Admin', may: ['members', 'settings', 'activity'] },
  { id: 'member', name: 'Member', may: [] },
] satisfies z.input<typeof roleSchema>[];

export const rolesSchema = z
  .array(roleSchema)
  .min(1)
  .max(20)
  .default(z.array(roleSchema).parse(defaultRoles))
  .describe(
    'The roles that members can have, beside `owner`; the last one is that of who is invited without a word about it. By default `admin` and `member`.',
  );

function complainOfSmtp(address: string): Complaint | undefined {
  const url = URL.parse(address);
  const isSmtp = url?.protocol === 'smtp:' || url?.protocol === 'smtps:';
  if (isSmtp && url.hostname !== '') return undefined;
  return [
    'It is no address of a mail server.',
    'Write smtps://name:password@mail.example.com, or smtp://mail.example.com:587.',
  ];
}

/** `a@b.example`, or `Name <a@b.example>`. */
function complainOfSender(sender: string): Complaint | undefined {
  if (/^[^<>@\p{Cc}]*<[^\s<>@]+@[^\s<>@]+>$|^[^\s<>@]+@[^\s<>@]+$/u.test(sender)) return undefined;
  return ['It is no sender.', 'Write id@example.com, or Example <id@example.com>.'];
}

export const mailSchema = z.strictObject({
  server: checked(z.string(), complainOfSmtp).describe(
    'The mail server: `smtps://name:password@mail.example.com`, or `smtp://…`, which uses TLS where the server offers it. Better in `TOLLGATE_MAIL_SERVER`.',
  ),
  from: checked(z.string().max(320), complainOfSender).describe(
    'The sender: `id@example.com`, or `Example <id@example.com>`.',
  ),
  replyTo: checked(z.string().max(320), complainOfSender)
    .optional()
    .describe('Where answers go. By default to the sender.'),
});

const days = (least: number, most: number) => z.number().int().min(least).max(most);

export const peopleSchema = z.strictObject({
  invitationDays: days(1, 90).default(7).describe('How long an invitation can be accepted.'),
  deletionDays: days(0, 90)
    .default(14)
    .describe('How long somebody who wants to be deleted can take it back.'),
  domains: z
    .boolean()
    .default(true)
    .describe(
      'Whether an account may prove an e-mail domain by a DNS record, so that its people find it.',
    ),
});
