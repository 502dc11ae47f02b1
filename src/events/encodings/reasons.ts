/**
 * Who began it and why, in the words of CAEP 1.0 §2: `initiating_entity`, and `reason_admin`, a sentence for the log
 * of whoever receives it. CAEP interoperability wants one with every event that ends something (T63).
 */

import type { GrantEndReason, SessionEndReason, Told } from '../types.ts';

export interface Why {
  by: 'admin' | 'user' | 'policy' | 'system';
  sentence: string;
}

const sessionReasons: Record<SessionEndReason, Why> = {
  signed_out: { by: 'user', sentence: 'The user signed out.' },
  expired: { by: 'policy', sentence: 'The session ran out.' },
  replaced: { by: 'user', sentence: 'Somebody else signed in at the same browser.' },
  user_disabled: { by: 'admin', sentence: 'The user was disabled or deleted.' },
  key_compromise: { by: 'admin', sentence: 'All sessions were ended, for a key was compromised.' },
  operator: { by: 'admin', sentence: 'An operator ended the session.' },
};

const grantReasons: Record<GrantEndReason, Why> = {
  refresh_token_reuse: { by: 'policy', sentence: 'A refresh token was used a second time.' },
  code_reuse: { by: 'policy', sentence: 'An authorization code was used a second time.' },
  revocation_endpoint: { by: 'user', sentence: 'The app revoked its token.' },
  signed_out: { by: 'user', sentence: 'The user signed out of this app, or everywhere.' },
  session_ended: { by: 'system', sentence: 'The session that it came from ended.' },
  member_removed: { by: 'admin', sentence: 'The user was removed from the account.' },
  account_closed: { by: 'admin', sentence: 'The account was closed.' },
  user_disabled: { by: 'admin', sentence: 'The user was disabled or deleted.' },
  key_compromise: { by: 'admin', sentence: 'All access was ended, for a key was compromised.' },
  operator: { by: 'admin', sentence: 'An operator ended the access.' },
};

const others: Partial<Record<Told['type'], Why>> = {
  'member.changed': { by: 'admin', sentence: 'The roles of the user have changed.' },
  'member.removed': { by: 'admin', sentence: 'The user was removed from the account.' },
  'account.closed': { by: 'admin', sentence: 'The account was closed.' },
  'subscription.changed': {
    by: 'system',
    sentence: 'The subscription of the account has changed.',
  },
  'user.disabled': { by: 'admin', sentence: 'The user was disabled.' },
  'user.enabled': { by: 'admin', sentence: 'The user was enabled again.' },
  'user.deleted': { by: 'admin', sentence: 'The user was deleted.' },
  'user.revoked': { by: 'admin', sentence: 'All access of the user was ended.' },
  'account.revoked': { by: 'admin', sentence: 'All access to the account was ended.' },
  'identity.linked': { by: 'user', sentence: 'Another way to sign in was added.' },
  'identity.unlinked': { by: 'user', sentence: 'A way to sign in was removed.' },
};

const everywhere: Why = { by: 'user', sentence: 'The user signed out everywhere.' };

/** An event of a version to come may have a reason that is not known here. */
const unknown: Why = { by: 'system', sentence: 'Access has changed.' };

export function whyOf(told: Told): Why {
  if (told.type === 'user.revoked' && told.data.reason === 'signed_out') {
    return everywhere;
  }
  const why =
    told.type === 'session.ended'
      ? sessionReasons[told.data.reason]
      : told.type === 'grant.revoked'
        ? grantReasons[told.data.reason]
        : others[told.type];
  return why ?? unknown;
}
