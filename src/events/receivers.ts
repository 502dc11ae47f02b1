/**
 * Who is told of events, and in which form. A receiver is an app with a back-channel logout address, a webhook, or an
 * SSF stream; the rest of the room treats them alike.
 */

import type { DeliveryDocument, NoticeDocument } from '../storage/documents.ts';

/** What goes over the wire. Made anew at each attempt: tokens are signed freshly, ids stay. */
export interface Encoded {
  body: string;
  headers: Record<string, string>;
}

export interface Wanted {
  logout?: { sub?: string; sid: string };
  /** Which one, where a notice is more than one security event (`encodings/sets_of.ts`); 0 when not given. */
  part?: number;
}

/** Signs a JWT with the key that signs now. `kid` and `alg` are added to the header. */
export type Sign = (
  alg: 'RS256' | 'ES256',
  header: { typ: string },
  claims: Record<string, unknown>,
) => Promise<string>;

export interface Receiver {
  /** `client:web`, `webhook:crm`, `stream:…`: unique, and the same over restarts. */
  id: string;
  /** Where it is sent; absent for a stream that polls. */
  url: string | undefined;
  /** Held: written down, and sent when this ends (SSF: `paused`). */
  paused?: boolean;
  /** What ends access overtakes nothing: all about one subject in the order of time (SSF 1.0 §8.1.2). */
  inOrder?: true;
  /**
   * What of this notice it is to be told: nothing, or a delivery each (an app with two sessions: two logout
   * tokens).
   */
  wants(id: string, notice: NoticeDocument): readonly Wanted[];
  encode(id: string, notice: NoticeDocument, delivery: DeliveryDocument): Promise<Encoded>;
  /** What an answer means, by the standard that the receiver keeps to. */
  judge(status: number): 'delivered' | 'refused' | 'gone' | 'later';
}

/** Where receivers come from: the configuration, commands, streams. Asked often; keep what is read for seconds. */
export interface ReceiverSource {
  all(): Promise<readonly Receiver[]>;
}
