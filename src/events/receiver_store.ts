/**
 * Receivers as operators handle them: webhooks that a command adds, and the switch of every receiver. What is signed
 * with is kept sealed, and shown once.
 */

import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Secrets } from '../base/secrets.ts';
import type { ReceiverDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { changeReceiver, readReceivers } from './receiver_states.ts';

export interface ReceiverStoreOptions {
  store: Store;
  secrets: Secrets;
  clock: Clock;
}

/** A webhook that a command added. */
export interface StoredWebhook {
  /** `webhook:crm`. */
  id: string;
  url: string;
  types?: string[];
  /** `whsec_…`, newest first. Undefined: the server's secret that they were sealed with is gone. */
  secrets: string[] | undefined;
  createdAt: number;
}

const sealLabel = 'webhook secret';
/** The present one, and the one before it. */
const mostSecrets = 2;

function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * @returns what its messages are signed with
 * @throws {Problem} `receiver_exists` (409)
 */
export async function addWebhook(
  { store, secrets, clock }: ReceiverStoreOptions,
  { id, url, types }: { id: string; url: string; types?: readonly string[] | undefined },
): Promise<string> {
  const secret = newWebhookSecret();
  const webhook = {
    url,
    ...(types === undefined ? {} : { types: [...types] }),
    secrets: [secrets.seal(sealLabel, secret, id)],
  };
  await changeReceiver(store, id, (present) => {
    if (present?.webhook !== undefined) throw exists(id);
    // How one of this name fared before says nothing about this one.
    return { webhook, createdAt: clock() };
  });
  return secret;
}

/** What still waits for it is dropped after a day. @throws {Problem} `receiver_unknown` (404) */
export async function removeWebhook({ store }: ReceiverStoreOptions, id: string): Promise<void> {
  await changeReceiver(store, id, (present) => {
    if (present?.webhook === undefined) throw unknown(id);
    return null;
  });
}

/**
 * Messages are signed with the new secret and the one before, until `endRotation`.
 * @returns the new one
 * @throws {Problem} `receiver_unknown` (404)
 */
export async function rotateSecret(
  { store, secrets }: ReceiverStoreOptions,
  id: string,
): Promise<string> {
  const secret = newWebhookSecret();
  const sealed = secrets.seal(sealLabel, secret, id);
  await changeReceiver(store, id, (present) => {
    if (present?.webhook === undefined) throw unknown(id);
    const { webhook } = present;
    return {
      ...present,
      webhook: { ...webhook, secrets: [sealed, ...webhook.secrets].slice(0, mostSecrets) },
    };
  });
  return secret;
}

/** Only the newest secret is left. @throws {Problem} `receiver_unknown` (404) */
export async function endRotation({ store }: ReceiverStoreOptions, id: string): Promise<void> {
  await changeReceiver(store, id, (present) => {
    if (present?.webhook === undefined) throw unknown(id);
    const { webhook } = present;
    return { ...present, webhook: { ...webhook, secrets: webhook.secrets.slice(0, 1) } };
  });
}

/** Nothing is sent, and nothing is kept for it, until `enableReceiver`. For every kind of receiver. */
export async function disableReceiver(
  { store, clock }: Pick<ReceiverStoreOptions, 'store' | 'clock'>,
  id: string,
  reason = 'operator',
): Promise<void> {
  await changeReceiver(store, id, (present) => ({
    ...(present ?? { createdAt: clock() }),
    disabled: { at: clock(), reason },
  }));
}

/**
 * Also ends the pause of one that fails, and has what waits for it sent.
 * @returns whether it was disabled or failing
 */
export async function enableReceiver(
  { store }: Pick<ReceiverStoreOptions, 'store'>,
  id: string,
): Promise<boolean> {
  const changed = await changeReceiver(store, id, (present) => {
    if (present?.disabled === undefined && present?.failing === undefined) return undefined;
    const next: ReceiverDocument = { ...present, catchUp: { until: 0 } };
    delete next.disabled;
    delete next.failing;
    return next;
  });
  return changed !== undefined;
}

export async function listWebhooks({
  store,
  secrets,
}: Pick<ReceiverStoreOptions, 'store' | 'secrets'>): Promise<StoredWebhook[]> {
  return (await readReceivers(store)).flatMap(({ id, document: { webhook, createdAt } }) => {
    if (webhook === undefined) return [];
    const { url, types } = webhook;
    const opened = openAll(secrets, webhook.secrets, id);
    return { id, url, ...(types === undefined ? {} : { types }), secrets: opened, createdAt };
  });
}

function openAll(secrets: Secrets, sealed: readonly string[], id: string): string[] | undefined {
  try {
    return sealed.map((one) => secrets.open(sealLabel, one, id));
  } catch {
    return undefined;
  }
}

function unknown(id: string): Problem {
  return new Problem(
    'receiver_unknown',
    404,
    `No command has added a receiver ${JSON.stringify(id)}.`,
  );
}

function exists(id: string): Problem {
  return new Problem('receiver_exists', 409, `There is a receiver ${JSON.stringify(id)} already.`);
}
