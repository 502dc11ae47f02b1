/** TXT records (RFC 1035 §3.3.14): by which somebody shows that a domain is theirs. */

import { Resolver } from 'node:dns/promises';
import { Problem } from './errors.ts';

/** The texts at a name, each of them whole. None where there is no such name. @throws {Problem} `dns_unavailable` (503) */
export type FindTexts = (name: string) => Promise<readonly string[]>;

export interface FinderOptions {
  /** Those of the system when not given. */
  servers?: readonly string[];
  mostMs?: number;
}

const mostTexts = 100;
/** There is nothing, or nothing of this kind. Deno says so too where the server failed. */
const nothing = new Set(['ENOTFOUND', 'ENODATA']);

export function createTextFinder({ servers, mostMs = 4000 }: FinderOptions = {}): FindTexts {
  return async (name) => {
    const resolver = new Resolver({ timeout: mostMs, tries: 1 });
    if (servers !== undefined) resolver.setServers([...servers]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), mostMs);
    });
    try {
      const records = await Promise.race([resolver.resolveTxt(name), late]);
      return records.slice(0, mostTexts).map((parts) => parts.join(''));
    } catch (error) {
      if (nothing.has(codeOf(error))) return [];
      throw new Problem('dns_unavailable', 503, 'The domain’s records cannot be looked up now.', {
        cause: error,
        retryAfterSeconds: 10,
      });
    } finally {
      clearTimeout(timer);
      resolver.cancel();
    }
  };
}

export const findTxtRecords: FindTexts = createTextFinder();

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
