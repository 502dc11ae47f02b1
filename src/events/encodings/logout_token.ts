/**
 * Logout tokens (OpenID Connect Back-Channel Logout 1.0): an app that has an address for them hears of the end of
 * each of its sessions. A token is good for two minutes, so each attempt makes one of its own (T46).
 */

import { randomToken } from '../../base/ids.ts';
import type { Clock } from '../../base/clock.ts';
import type { DeliveryDocument, NoticeDocument } from '../../storage/documents.ts';
import type { Encoded, Receiver, Sign, Wanted } from '../receivers.ts';
import type { Told } from '../types.ts';

export interface ClientReceiverOptions {
  client: { id: string; url: string; idTokenAlg: 'RS256' | 'ES256' };
  issuer: string;
  sign: Sign;
  clock: Clock;
}

const lifetimeSeconds = 120;
const eventType = 'http://schemas.openid.net/event/backchannel-logout';

export function clientReceiver(options: ClientReceiverOptions): Receiver {
  const { client } = options;
  return {
    id: `client:${client.id}`,
    url: client.url,
    wants: (_id, notice) => logoutsOf(client.id, notice),
    encode: (_id, _notice, delivery) => encodeLogoutToken(options, delivery),
    judge: judgeLogout,
  };
}

/** Whose sessions at this client ended. */
function logoutsOf(client: string, notice: Pick<NoticeDocument, 'type' | 'data'>): Wanted[] {
  const told = notice as unknown as Told;
  if (told.type === 'session.ended') {
    const { user, reason, clients = [] } = told.data;
    // The session here ran out; the app's own goes on for as long as its tokens do.
    if (reason === 'expired') return [];
    return clients
      .filter((one) => one.client === client)
      .map(({ sid }) => ({ logout: { ...(user === undefined ? {} : { sub: user }), sid } }));
  }
  if (told.type !== 'grant.revoked' || told.data.client !== client) return [];
  const { user, sid, reason } = told.data;
  // Of a session that ended, the app was told by that. Without a `sid` it never had a token to lose.
  if (sid === undefined || reason === 'session_ended') return [];
  return [{ logout: { sub: user, sid } }];
}

/** §2.4: no `nonce`, so that it can never pass for an ID token. */
async function encodeLogoutToken(
  { client, issuer, sign, clock }: ClientReceiverOptions,
  { logout }: Pick<DeliveryDocument, 'logout'>,
): Promise<Encoded> {
  if (logout === undefined) throw new Error('a logout token is about a session');
  const iat = Math.floor(clock() / 1000);
  const claims = {
    iss: issuer,
    aud: client.id,
    iat,
    exp: iat + lifetimeSeconds,
    jti: randomToken(),
    ...(logout.sub === undefined ? {} : { sub: logout.sub }),
    sid: logout.sid,
    events: { [eventType]: {} },
  };
  const token = await sign(client.idTokenAlg, { typ: 'logout+jwt' }, claims);
  return {
    body: new URLSearchParams({ logout_token: token }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  };
}

/** §2.8: 400 is the app's last word: it did not take this one, and would not take another. */
function judgeLogout(status: number): ReturnType<Receiver['judge']> {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 400) return 'refused';
  return status === 410 ? 'gone' : 'later';
}
