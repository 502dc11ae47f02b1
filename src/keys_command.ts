/** `tollgate keys list` and `tollgate keys rotate`: beside the running processes, on the store that they share. */

import { withStores } from './command_store.ts';
import type { Config } from './config.ts';
import type { KeyLife } from './oidc/key_life.ts';
import { listKeys, rotateKey } from './oidc/key_rotation.ts';
import { algorithms } from './oidc/keys.ts';
import type { KeyAlgorithm } from './oidc/keys.ts';

export interface KeysAsked {
  action: 'list' | 'rotate';
  /** Both when not given. */
  alg: KeyAlgorithm | undefined;
  /** For programs. */
  json: boolean;
}

/** @returns what is to be printed */
export async function keys(config: Config, { action, alg, json }: KeysAsked): Promise<string> {
  // Keys are among what is kept.
  const kept = { ...config, hot: undefined };
  return withStores(kept, async ({ store, secrets, clock }) => {
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
  });
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
