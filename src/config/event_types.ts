/**
 * What a webhook may ask for. The rooms above know more about each (`events/encodings/fields.ts`); a test holds
 * the two together.
 */

import { nearest } from './problems.ts';

export const eventTypes: readonly string[] = [
  'account.closed',
  'account.closing',
  'account.closing_withdrawn',
  'account.created',
  'account.domain_proven',
  'account.domain_removed',
  'account.renamed',
  'account.reopened',
  'account.revoked',
  'consent.given',
  'consent.withdrawn',
  'grant.revoked',
  'identity.linked',
  'identity.unlinked',
  'invitation.accepted',
  'invitation.created',
  'invitation.declined',
  'invitation.waiting',
  'invitation.withdrawn',
  'key.created',
  'key.removed',
  'member.added',
  'member.changed',
  'member.removed',
  'session.ended',
  'subscription.changed',
  'tokens.revoked_before',
  'user.changed',
  'user.deleted',
  'user.deletion_asked',
  'user.deletion_withdrawn',
  'user.disabled',
  'user.enabled',
  'user.registered',
  'user.revoked',
  'user.signed_in',
];

const groups = [...new Set(eventTypes.map((type) => `${type.split('.')[0]}.*`))];

/** @returns undefined where there are such events, by name or as `session.*` */
export function complainOfEventType(
  type: string,
): readonly [message: string, remedy: string] | undefined {
  const known = [...eventTypes, ...groups];
  if (known.includes(type)) return undefined;
  const meant = nearest(type, known);
  return [
    `There are no events ${JSON.stringify(type.slice(0, 100))}.`,
    meant === undefined ? `There are: ${known.join(', ')}.` : `Did you mean \`${meant}\`?`,
  ];
}
