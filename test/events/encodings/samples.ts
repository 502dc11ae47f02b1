/** A notice of each type, and keys to sign with: what encoders are tried on. */

import { exportJWK, generateKeyPair } from 'jose';
import type { JSONWebKeySet, JWK } from 'jose';
import type { EventData, EventType } from '../../../src/events/types.ts';
import { createSign } from '../../../src/oidc/signing.ts';
import type { DeliveryDocument, NoticeDocument } from '../../../src/storage/documents.ts';

export const issuer = 'https://id.example.com';
export const at = Date.UTC(2027, 0, 2, 3, 4, 5, 678);

const [user, account] = ['usr_ada', 'acc_acme'];
const provider = { provider: 'google', issuer: 'https://accounts.google.com' };
const clients = [
  { client: 'web', sid: 'sid_of_web' },
  { client: 'admin', sid: 'sid_of_admin' },
];

/** Those of the directory's own steps are told to nobody, those of a stream to that one alone. */
type Sample = Exclude<
  EventType,
  'owner.removed' | 'invitation.resent' | 'cutoff.continued' | `stream.${string}`
>;

export const samples: { [Type in Sample]: Required<EventData[Type]> } & Record<string, object> = {
  'user.registered': { user, account, name: 'Ada Lovelace' },
  'user.signed_in': { user, provider: 'google', session: 'session_1' },
  'user.disabled': { user },
  'user.enabled': { user },
  'user.deleted': { user },
  'user.revoked': { user, reason: 'operator' },
  'identity.linked': { user, ...provider },
  'identity.unlinked': { user, ...provider },
  'account.created': { account, name: 'Acme', owner: user },
  'user.changed': { user },
  'user.deletion_asked': { user, at: at + 14 * 86_400_000 },
  'user.deletion_withdrawn': { user },
  'account.renamed': { account, name: 'Acme Ltd', actor: user },
  'account.closing': {
    account,
    at: at + 1000,
    feedback: 'unused',
    reason: 'No time.',
    actor: user,
  },
  'account.closing_withdrawn': { account, actor: user },
  'account.closed': {
    account,
    feedback: 'too_expensive',
    reason: 'It was too expensive.',
    actor: user,
  },
  'account.reopened': { account },
  'account.domain_proven': { account, domain: 'acme.example', actor: user },
  'account.domain_removed': { account, domain: 'acme.example', actor: user },
  'account.revoked': { account, reason: 'operator' },
  'member.added': { user, account, roles: ['member'], actor: 'usr_bob' },
  'member.changed': { user, account, roles: ['admin', 'billing'], actor: 'usr_bob' },
  'member.removed': { user, account, actor: 'usr_bob' },
  'invitation.created': { invitation: 'inv_1', account, roles: ['member'], actor: 'usr_bob' },
  'invitation.waiting': { invitation: 'inv_1', account, user },
  'invitation.accepted': { invitation: 'inv_1', account, user, actor: 'usr_bob' },
  'invitation.declined': { invitation: 'inv_1', account, user, actor: 'usr_bob' },
  'invitation.withdrawn': { invitation: 'inv_1', account, actor: 'usr_bob' },
  'session.ended': { session: 'session_1', user, reason: 'signed_out', clients },
  'grant.revoked': {
    grant: 'grant_1',
    session: 'session_1',
    user,
    client: 'web',
    account,
    sid: 'sid_of_web',
    reason: 'refresh_token_reuse',
  },
  'subscription.changed': {
    account,
    product: 'api',
    claims: { plan: 'business', quantity: 40, entitlements: ['export'], trial_end: null },
  },
  'tokens.revoked_before': { before: at - 1000, client: 'web', reason: 'operator' },
  'consent.given': { user, client: 'partner', account, scopes: ['openid', 'email'] },
  'consent.withdrawn': { user, client: 'partner', account },
  'key.created': { kid: 'kid_2', alg: 'ES256' },
  'key.removed': { kid: 'kid_1', alg: 'ES256' },
  ping: { receiver: 'webhook:crm' },
};

export const noticeId = 'evt_018cc2512f2e0123456789abcdef01234567';

export function aNotice(type: string, data = samples[type]): NoticeDocument {
  return {
    type,
    at,
    data: { ...data },
    cause: { kind: 'meta', id: 'cause', version: 1 },
    expiresAt: at + 1_000_000,
  };
}

export function aDelivery(more: Partial<DeliveryDocument> = {}): DeliveryDocument {
  return {
    notice: noticeId,
    receiver: 'x',
    lane: 'x cause',
    type: 'x',
    state: 'waiting',
    attempts: 0,
    createdAt: at + 20,
    ...more,
  };
}

export async function someKeys() {
  const made = await Promise.all(
    (['RS256', 'ES256'] as const).map(async (alg) => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const shared = { alg, kid: `kid_of_${alg}` };
      return {
        own: { ...(await exportJWK(privateKey)), ...shared } satisfies JWK,
        published: { ...(await exportJWK(publicKey)), ...shared } satisfies JWK,
      };
    }),
  );
  const jwks: JSONWebKeySet = { keys: made.map(({ published }) => published) };
  return { jwks, sign: createSign({ keys: made.map(({ own }) => own) }) };
}
