/**
 * A sign-in that is under way at an upstream provider is kept on the server, under the hash of its
 * `state`: nothing but the state travels. It belongs to one provider and to one browser (the hash of
 * a cookie), and it is used once: the first callback claims it by a conditional write, before anything
 * is sent to anybody, so of twenty parallel callbacks one goes on (F6, F9).
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { randomToken } from '../base/ids.ts';
import { equal, sha256 } from '../base/secrets.ts';
import type { Secrets } from '../base/secrets.ts';
import type { TransactionDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';

/** What only we may know until the answer is there. */
export interface TransactionSecrets {
  verifier: string;
  nonce: string;
  /** Whom the browser was sent to: a provider's id may come to mean another one (F17). */
  issuer: string;
}

/** Somebody who is signed in adds an identity: who, and at which session. */
export interface Linking {
  user: string;
  session: string;
}

/** What a sign-in is for: a conversation that waits for it, or a person who adds an identity. */
export type Purpose =
  | { interaction: string; linking?: undefined }
  | { linking: Linking; interaction?: undefined };

interface Begun extends TransactionSecrets {
  state: string;
  /** To be awaited before the browser is sent away. */
  save(): Promise<void>;
}

/** Found, this browser's, and not used yet. */
interface Transaction {
  provider: string;
  purpose: Purpose;
  /** The gate. @throws {Problem} `signin_already_used` (409) for all but the first */
  claim(): Promise<TransactionSecrets>;
}

export interface Transactions {
  begin(options: { provider: string; issuer: string; browser: string; purpose: Purpose }): Begun;
  /**
   * @throws {Problem} `signin_expired` (410): unknown or over; `signin_other_browser` (403): not this
   *   browser's, and left alone for the right one; `signin_already_used` (409)
   */
  find(state: string, browser: string | undefined): Promise<Transaction>;
}

const label = 'federation transaction';
const maximumStateLength = 128;

export function createTransactions(deps: {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  lifetimeSeconds: number;
}): Transactions {
  const { store, secrets, clock, lifetimeSeconds } = deps;
  return {
    begin({ provider, issuer, browser, purpose }) {
      const state = randomToken(32);
      const id = sha256(state);
      const kept = { verifier: randomToken(32), nonce: randomToken(32), issuer };
      const save = async () => {
        const now = clock();
        const document = {
          provider,
          browser: sha256(browser),
          secrets: secrets.seal(label, JSON.stringify(kept), id),
          ...purpose,
          startedAt: now,
          expiresAt: now + lifetimeSeconds * 1000,
        };
        await store.write('transaction', id, document, { expect: 'absent' });
      };
      return { state, ...kept, save };
    },

    async find(state, browser) {
      if (state.length > maximumStateLength) throw expired();
      const stored = await store.get('transaction', sha256(state));
      if (stored === undefined || stored.document.expiresAt <= clock()) {
        throw expired(stored?.document);
      }
      const { document } = stored;
      // Somebody else's answer, opened here to sign this person in as them (F7).
      if (browser === undefined || !equal(document.browser, sha256(browser))) {
        throw otherBrowser(document);
      }
      if (document.claimedAt !== undefined) throw alreadyUsed(document);
      return {
        provider: document.provider,
        purpose: purposeOf(document),
        claim: () => claim(deps, stored),
      };
    },
  };
}

async function claim(
  { store, secrets, clock }: { store: Store; secrets: Secrets; clock: Clock },
  { id, version, document }: Stored<TransactionDocument>,
): Promise<TransactionSecrets> {
  const kept = openSecrets(secrets, id, document);
  try {
    // It stays until it expires, so that a second callback is told apart from an unknown one. What
    // was sealed is of no use any more.
    const claimed = { ...document, secrets: '', claimedAt: clock() };
    await store.write('transaction', id, claimed, { expect: version });
  } catch (error) {
    if (error instanceof Conflict) throw alreadyUsed(document);
    throw error;
  }
  return kept;
}

function openSecrets(
  secrets: Secrets,
  id: string,
  document: TransactionDocument,
): TransactionSecrets {
  let text: string;
  try {
    text = secrets.open(label, document.secrets, id);
  } catch {
    // The server's secret was replaced meanwhile: nothing that the person could do about it.
    throw expired(document);
  }
  // Sealed by us, so it is what we wrote.
  return JSON.parse(text) as TransactionSecrets;
}

function expired(document?: TransactionDocument): Problem {
  return new Problem(
    'signin_expired',
    410,
    'This sign-in took too long, so it was stopped to keep you safe. Start again.',
    { details: document === undefined ? {} : detailsOf(purposeOf(document)) },
  );
}

function otherBrowser(document: TransactionDocument): Problem {
  return new Problem(
    'signin_other_browser',
    403,
    'This sign-in was begun in another browser. Go on there, or start again here.',
    { details: detailsOf(purposeOf(document)) },
  );
}

function alreadyUsed(document: TransactionDocument): Problem {
  return new Problem(
    'signin_already_used',
    409,
    'This step of the sign-in was done already. If you are not signed in, start again.',
    { details: detailsOf(purposeOf(document)) },
  );
}

function purposeOf({ interaction = '', linking }: TransactionDocument): Purpose {
  return linking === undefined ? { interaction } : { linking };
}

/** Of a failure, for whoever shows the way on. */
export function detailsOf({ interaction, linking }: Purpose): Record<string, unknown> {
  return linking === undefined ? { interaction } : { linking: true };
}
