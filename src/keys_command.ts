/** `tollgate keys list` and `tollgate keys rotate`: beside the running processes, on the store that they share. */

import { systemClock } from './base/clock.ts';
import { createLog } from './base/log.ts';
import { createSecrets } from './base/secrets.ts';
import type { Config } from './config.ts';
import type { KeyLife } from './oidc/key_life.ts';
import { listKeys, rotateKey } from './oidc/key_rotation.ts';
import { algorithms } from './oidc/keys.ts';
import type { KeyAlgorithm } from './oidc/keys.ts';
import { openStores } from './stores.ts';

export interface KeysAsked {
  action: 'list' | 'rotate';
  /** Both when not given. */
  alg: KeyAlgorithm | undefined;
  /** For programs. */
  json: boolean;
}

/** @returns what is to be printed */
export async function keys(config: Config, { action, alg, json }: KeysAsked): Promise<string> {
  const clock = systemClock;
  // Standard output is the command's own.
  const write = (line: string) => void process.stderr.write(line);
  // Keys are among what is kept.
  const kept = { store: config.store, hot: undefined };
  const store = await openStores(kept, {
    clock,
    log: createLog({ level: 'warn', clock, write }),
  });
  try {
    const secrets = createSecrets(config.secrets);
    const options = { store, secrets, clock, lifetimes: config.lifetimes };
    const wanted = algorithms.filter((one) => alg === undefined || one === alg);
    let told = '';
    if (action === 'rotate') {
      for (const one of wanted) {
        const { life, made } = await rotateKey(options, one);
        told += `${made ? 'There is a new key' : 'There is a new key already'}: ${life.key.id}.\n`;
      }
    }
    const lives = (await listKeys(options)).filter(({ key }) => wanted.includes(key.document.alg));
    if (json) return `${JSON.stringify(lives.map(described), undefined, 2)}\n`;
    return `${told}${table(lives)}`;
  } finally {
    await store.close();
  }
}

function described({ key, state, signsFrom, publishedUntil }: KeyLife): Record<string, string> {
  const { alg, kid, createdAt } = key.document;
  return {
    slot: key.id,
    alg,
    kid,
    state,
    created_at: time(createdAt),
    signs_from: time(signsFrom),
    ...(publishedUntil === undefined ? {} : { published_until: time(publishedUntil) }),
  };
}

function table(lives: readonly KeyLife[]): string {
  if (lives.length === 0) return 'There are no keys yet. The first start makes them.\n';
  return lives
    .map((life) => `${life.key.id.padEnd(10)} ${life.key.document.kid}  ${stateOf(life)}\n`)
    .join('');
}

function stateOf({ state, signsFrom, publishedUntil = 0 }: KeyLife): string {
  switch (state) {
    case 'waiting':
      return `is published, signs from ${time(signsFrom)}`;
    case 'signing':
      return `signs since ${time(signsFrom)}`;
    case 'retired':
      return `signs no more, is published until ${time(publishedUntil)}`;
    case 'over':
      return 'is over, and will be deleted';
  }
}

const time = (milliseconds: number) => new Date(milliseconds).toISOString();
