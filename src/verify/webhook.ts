/**
 * Webhooks as Standard Webhooks 1.0 signs them: HMAC-SHA-256 over `id.timestamp.body`. The body is
 * `{ "type", "timestamp", "version": 1, "data" }`. Several secrets are good at once while one is rotated.
 */

import { decode, readBase64 } from './bytes.ts';
import { keyOf } from './denylist.ts';
import type { Rule, Subject } from './denylist.ts';
import { VerifyError } from './errors.ts';
import { readId, refuse, requireId, requireObject, seenSeconds } from './events.ts';
import type { Understood } from './events.ts';
import { isObject } from './http.ts';
import type { Settings } from './settings.ts';

const windowSeconds = 300;
const maximumSignatures = 16;
const maximumClients = 1000;

/** @throws {VerifyError} `event_unauthenticated`, `event_invalid` */
export async function readWebhook(
  settings: Settings,
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
): Promise<Understood> {
  const id = await authenticate(settings, headers, body);
  const message = requireObject(parse(body), 'The body');
  const { type, version, timestamp } = message;
  if (typeof type !== 'string' || type === '') refuse('There is no type.');
  // A later version may mean something else by the same words.
  if (version !== 1) refuse('The version is not known.');
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) / 1000 : NaN;
  if (!Number.isFinite(at)) refuse('The timestamp is not a time.');
  const data = requireObject(message['data'], 'data');
  const { webhookIssuer: issuer, webhookProduct: product } = settings;
  const isForeign =
    type === 'subscription.changed' && product !== undefined && data['product'] !== product;
  const effect = isForeign ? undefined : effects.get(type)?.(issuer, data);
  const rule = effect === undefined ? undefined : { ...effect, before: at };
  return {
    event: {
      encoding: 'webhook',
      type,
      id,
      issuer,
      at,
      subject: subjectOf(data),
      data,
      heartbeat: type === 'ping',
      ...(rule === undefined ? {} : { denies: rule.kind }),
    },
    ...(rule === undefined ? {} : { rule }),
    seenSeconds,
    alive: true,
  };
}

/** @returns `webhook-id` */
async function authenticate(
  { webhookKeys, now }: Settings,
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const id = headers.get('webhook-id') ?? '';
  const timestamp = headers.get('webhook-timestamp') ?? '';
  const known = /^[\x21-\x7e]{1,255}$/.test(id) && /^\d{1,12}$/.test(timestamp);
  if (!known || Math.abs(now() / 1000 - Number(timestamp)) > windowSeconds) throw unknown();
  const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  const signatures = readSignatures(headers.get('webhook-signature') ?? '');
  const tries = signatures.flatMap((signature) =>
    webhookKeys.map(async (key) =>
      // It compares in constant time.
      crypto.subtle.verify('HMAC', await key, signature, signed),
    ),
  );
  if (!(await Promise.all(tries)).includes(true)) throw unknown();
  return id;
}

/** `v1,<base64>` one after the other. Other versions are of no use here. */
function readSignatures(header: string): Uint8Array<ArrayBuffer>[] {
  return header
    .split(' ')
    .slice(0, maximumSignatures)
    .filter((part) => part.startsWith('v1,'))
    .map((part) => readBase64(part.slice(3)))
    .filter((bytes) => bytes?.length === 32) as Uint8Array<ArrayBuffer>[];
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decode(body));
  } catch {
    return refuse('The body is not JSON.');
  }
}

function unknown(): VerifyError {
  return new VerifyError('event_unauthenticated', { reason: 'authentication_failed' });
}

type Data = Readonly<Record<string, unknown>>;
type Effect = (issuer: string, data: Data) => Omit<Rule, 'before'> | undefined;

/** What each type does. Types that are not here are reported, and deny nothing. */
const effects: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  [
    'session.ended',
    (issuer, { user, clients, reason }) => {
      // It ran out: the apps' own tokens live on, and which they are is not said.
      if (reason === 'expired') return undefined;
      if (!Array.isArray(clients) || clients.length > maximumClients) refuse('clients is no list.');
      const sessions = clients.map((client) =>
        requireId(isObject(client) ? client['sid'] : undefined, 'sid'),
      );
      return revoked(issuer, user, ...sessions.map((session) => ({ session })));
    },
  ],
  [
    'grant.revoked',
    (issuer, { user, account, sid }) =>
      // Without a session at the app no token was made of it.
      sid === undefined
        ? undefined
        : revoked(issuer, user, {
            session: requireId(sid, 'sid'),
            ...(account === undefined ? {} : { account: requireId(account, 'account') }),
          }),
  ],
  ['member.removed', (issuer, data) => revoked(issuer, data['user'], member(data))],
  [
    'member.changed',
    (issuer, data) => {
      const { roles } = data;
      if (!Array.isArray(roles)) refuse('roles is no list.');
      return { kind: 'stale', keys: keys(issuer, member(data)), claims: { roles } };
    },
  ],
  ['account.closed', wholeAccount],
  ['account.revoked', wholeAccount],
  ['user.disabled', wholeUser],
  ['user.deleted', wholeUser],
  ['user.revoked', wholeUser],
  [
    'subscription.changed',
    (issuer, { account, claims }) => ({
      kind: 'stale',
      keys: keys(issuer, { account: requireId(account, 'account') }),
      claims: requireObject(claims, 'claims'),
    }),
  ],
]);

function wholeUser(issuer: string, { user }: Data): Omit<Rule, 'before'> {
  return revoked(issuer, user, { user: requireId(user, 'user') });
}

function wholeAccount(issuer: string, { account }: Data): Omit<Rule, 'before'> {
  return revoked(issuer, undefined, { account: requireId(account, 'account') });
}

function member({ user, account }: Data): Subject {
  return { user: requireId(user, 'user'), account: requireId(account, 'account') };
}

function revoked(
  issuer: string,
  user: unknown,
  ...subjects: readonly Subject[]
): Omit<Rule, 'before'> {
  const sub = readId(user);
  return {
    kind: 'revoked',
    keys: keys(issuer, ...subjects),
    ...(sub === undefined ? {} : { sub }),
  };
}

function keys(issuer: string, ...subjects: readonly Subject[]): string[] {
  return subjects.map((subject) => keyOf(issuer, subject)).filter((key) => key !== undefined);
}

function subjectOf({ user, account, sid }: Data): Subject {
  const subject: Subject = {};
  const [known, acting, session] = [readId(user), readId(account), readId(sid)];
  if (known !== undefined) subject.user = known;
  if (acting !== undefined) subject.account = acting;
  if (session !== undefined) subject.session = session;
  return subject;
}
