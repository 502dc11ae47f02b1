/**
 * Security event tokens (RFC 8417) as Tollgate sends them: one event of CAEP 1.0, RISC 1.0 or SSF 1.0,
 * about one subject. They come by push (RFC 8935), by poll (RFC 8936) and when a service
 * starts, and are read here alike. T61 to T63 are the requirements.
 */

import { keyOf } from './denylist.ts';
import type { Rule, Subject } from './denylist.ts';
import { readId, refuse, requireId, requireObject, seenSeconds } from './events.ts';
import type { Understood } from './events.ts';
import type { EventReason } from './errors.ts';
import { isObject } from './http.ts';
import { checkSigned } from './jwt.ts';
import type { Refusal } from './jwt.ts';
import type { Settings } from './settings.ts';

const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type/';

/** What ends access. All other types are reported, and deny nothing. */
const revoking = new Set([
  `${caep}session-revoked`,
  `${risc}account-disabled`,
  `${risc}account-purged`,
]);
const changing = `${caep}token-claims-change`;
const verification = `${ssf}verification`;

const types = ['secevent+jwt'];
const limitBytes = 65_536;
const maximumClaims = 64;

/** @throws {VerifyError} `event_invalid` with a reason of RFC 8935 §2.4, `keys_unavailable` */
export async function readSet(settings: Settings, token: string): Promise<Understood> {
  const { issuers, streamAudiences: audiences, now, toleranceSeconds } = settings;
  const checked = await checkSigned(token, {
    issuers,
    types,
    audiences,
    now: now(),
    toleranceSeconds,
    limitBytes,
  });
  if (checked.refused !== undefined) refuse('The SET is not valid.', reasonOf(checked.refused));
  const { iss, iat = 0, jti = '', sub, exp, events, sub_id: subjectId } = checked.claims;
  // SSF 1.0 §4.1: with either it could be taken for a token of another kind.
  if (sub !== undefined || exp !== undefined) refuse('A SET has neither sub nor exp.');
  const entries = Object.entries(requireObject(events, 'events'));
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) refuse('A SET has exactly one event.');
  const [type, content] = entry;
  const data = requireObject(content, 'The event');
  const subject = readSubject(iss, subjectId);
  const at = typeof data['event_timestamp'] === 'number' ? data['event_timestamp'] : iat;
  const rule = ruleOf(type, { iss, subject, at, data });
  return {
    event: {
      encoding: 'set',
      type,
      id: jti,
      issuer: iss,
      at,
      subject,
      data,
      // With a `state` it was asked for.
      heartbeat: type === verification,
      ...(rule === undefined ? {} : { denies: rule.kind }),
    },
    ...(rule === undefined ? {} : { rule }),
    seenSeconds,
    alive: true,
  };
}

function ruleOf(
  type: string,
  told: { iss: string; subject: Subject; at: number; data: Record<string, unknown> },
): Rule | undefined {
  const { iss, subject, at: before, data } = told;
  if (!revoking.has(type) && type !== changing) return undefined;
  const keys = [keyOf(iss, subject) ?? refuse('The event has no subject that is known here.')];
  if (type === changing) {
    const claims = requireObject(data['claims'], 'claims');
    if (Object.keys(claims).length > maximumClaims) refuse('There are too many claims.');
    return { kind: 'stale', keys, before, claims };
  }
  const { user: sub } = subject;
  return { kind: 'revoked', keys, before, ...(sub === undefined ? {} : { sub }) };
}

/**
 * RFC 9493: `iss_sub`, or SSF 1.0 §3.3 `complex` of `user`, `tenant` and `session`. Of any other format
 * nothing is known.
 */
function readSubject(issuer: string, value: unknown): Subject {
  if (!isObject(value)) return {};
  if (value['format'] === 'iss_sub') return { user: readUser(issuer, value) };
  if (value['format'] !== 'complex') return {};
  const { user, tenant, session } = value;
  const subject: Subject = {};
  if (user !== undefined) subject.user = readUser(issuer, user);
  if (tenant !== undefined) subject.account = readOpaque(tenant, 'tenant');
  if (session !== undefined) subject.session = readOpaque(session, 'session');
  return subject;
}

/** An issuer speaks for its own users. */
function readUser(issuer: string, value: unknown): string {
  const { format, iss, sub } = requireObject(value, 'user');
  if (format !== 'iss_sub' || iss !== issuer) refuse('The user is not one of the issuer.');
  return requireId(sub, 'sub');
}

function readOpaque(value: unknown, name: string): string {
  const { format, id } = requireObject(value, name);
  const known = format === 'opaque' ? readId(id) : undefined;
  return known ?? refuse(`The ${name} is not usable.`);
}

/** RFC 8935 §2.4. */
export function reasonOf(refusal: Refusal): EventReason {
  if (refusal === 'issuer') return 'invalid_issuer';
  if (refusal === 'audience') return 'invalid_audience';
  if (refusal === 'key') return 'invalid_key';
  if (refusal === 'signature') return 'authentication_failed';
  return 'invalid_request';
}
