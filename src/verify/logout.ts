/**
 * OpenID Connect Back-Channel Logout 1.0: a form with a `logout_token`, which ends one session (`sid`) or all
 * of a user's (`sub`). §2.6 lists what is checked; T45 to T47 are the requirements.
 */

import { keyOf } from './denylist.ts';
import type { Subject } from './denylist.ts';
import { readId, refuse } from './events.ts';
import type { Understood } from './events.ts';
import { isObject } from './http.ts';
import { checkSigned } from './jwt.ts';
import { reasonOf } from './set.ts';
import type { Settings } from './settings.ts';

const eventType = 'http://schemas.openid.net/event/backchannel-logout';
/** §2.6 wants them named by the sender; `JWT` is what libraries of before send. */
const types = ['logout+jwt', 'jwt'];
const limitBytes = 65_536;
/** A retry is signed afresh (T46), so an old one is a replay. */
const freshSeconds = 300;

/**
 * @param body of the form
 * @throws {VerifyError} `event_invalid`, `keys_unavailable`
 */
export async function readLogout(settings: Settings, body: string): Promise<Understood> {
  const { issuers, clientIds, now, toleranceSeconds } = settings;
  // Others are to be ignored (§2.5); two of them say two things (T14).
  const [token, ...more] = new URLSearchParams(body).getAll('logout_token');
  if (token === undefined || more.length > 0) refuse('There is not one logout_token.');
  const nowMs = now();
  const checked = await checkSigned(token, {
    issuers,
    types,
    audiences: clientIds,
    now: nowMs,
    toleranceSeconds,
    limitBytes,
  });
  if (checked.refused !== undefined) {
    refuse('The logout token is not valid.', reasonOf(checked.refused));
  }
  const { iss, sub, sid, iat = 0, exp, jti = '', nonce, events } = checked.claims;
  const issuedLately = iat >= nowMs / 1000 - freshSeconds - toleranceSeconds;
  if (exp === undefined || !issuedLately) refuse('The logout token is not fresh.');
  // §2.4: so that an ID token is never a logout token.
  if (nonce !== undefined) refuse('A logout token has no nonce.');
  if (!isObject(events) || !isObject(events[eventType])) refuse('It is no logout event.');
  const subject: Subject = {};
  if (sid !== undefined) subject.session = readId(sid) ?? refuse('The sid is not usable.');
  if (sub !== undefined) subject.user = readId(sub) ?? refuse('The sub is not usable.');
  const key = keyOf(iss, subject) ?? refuse('There is neither sub nor sid.');
  return {
    event: {
      encoding: 'logout_token',
      type: eventType,
      id: jti,
      issuer: iss,
      at: iat,
      subject,
      data: events[eventType],
      heartbeat: false,
      denies: 'revoked',
    },
    rule: {
      kind: 'revoked',
      keys: [key],
      before: iat,
      ...(subject.user === undefined ? {} : { sub: subject.user }),
    },
    // It is refused for its age after that.
    seenSeconds: freshSeconds + 2 * toleranceSeconds + 60,
    // Nothing comes while nobody signs out.
    alive: false,
  };
}
