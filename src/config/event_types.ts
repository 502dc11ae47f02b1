/**
 * What a webhook may ask for. The rooms above know more about each (`events/encodings/fields.ts`); a test holds
 * the two together.
 */

import { nearest } from './problems.ts';

export const eventTypes: readonly string[] = [
  'account.closed',
  'account.created',
  'account.revoked',
  'consent.given',
  'grant.revoked',
  'identity.linked',
  'identity.unlinked',
  'key.created',
  'key.removed',
  'member.added',
  'member.changed',
  'member.removed',
  'session.ended',
  'subscription.changed',
  'tokens.revoked_before',
  'user.deleted',
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
