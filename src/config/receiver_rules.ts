/** What has to hold for receivers of events: where they are, and what is signed for them with. */

import { inRange, parseAddress, parseRange } from '../base/addresses.ts';
import { isLoopback, shown } from './fields.ts';
import type { Complaint } from './fields.ts';
import type { ConfigProblem } from './problems.ts';
import { variableOf } from './environment.ts';
import type { Config } from './schema.ts';
import { complainOfStrength } from './secrets_rules.ts';
import type { NamedSecret } from './secrets_rules.ts';
import type { Sound } from './sound.ts';

/** The new one and the one before. */
const mostSecrets = 2;
const makeOne = 'Make one with `echo "whsec_$(openssl rand -base64 32)"`.';

export function checkReceivers(config: Sound<Config>): ConfigProblem[] {
  const allowed = config.outgoing?.allowPrivate ?? [];
  return (config.receivers ?? []).flatMap((receiver, index) => {
    const { id = '', url, secret } = receiver ?? {};
    const key = `receivers[${index}]`;
    const problems: ConfigProblem[] = [];
    const complaint = url === undefined ? undefined : complainOfPlace(url, allowed);
    if (complaint !== undefined) {
      problems.push({ key: `${key}.url`, message: complaint[0], remedy: complaint[1] });
    }
    if (secret === undefined) {
      const remedy = `Set ${variableOf('RECEIVER', id)}. ${makeOne}`;
      problems.push({ key: `${key}.secret`, message: 'It is missing.', remedy });
    }
    const parts = receiverSecrets(secret);
    if (secret !== undefined && (parts.length === 0 || parts.length > mostSecrets)) {
      const remedy = 'Write one, or the new one and the old one with a comma between them.';
      problems.push({ key: `${key}.secret`, message: `There are ${parts.length}.`, remedy });
    }
    return [...problems, ...parts.flatMap((value) => checkSecret({ key: `${key}.secret`, value }))];
  });
}

/** Newest first. */
export function receiverSecrets(secret: string | undefined): string[] {
  return (secret ?? '').split(/[,\s]+/).filter((part) => part !== '');
}

/** By https, or within networks that requests may go to. */
export function complainOfPlace(
  text: string,
  allowPrivate: readonly (string | undefined)[],
): Complaint | undefined {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'http:') return undefined;
  const ranges = allowPrivate.flatMap((range) => parseRange(range ?? '') ?? []);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const literal = isLoopback(url.hostname) ? parseAddress('127.0.0.1') : parseAddress(host);
  const fits =
    literal === undefined ? ranges.length > 0 : ranges.some((range) => inRange(literal, range));
  if (fits) return undefined;
  return [
    `${shown(text)} is not secure, or in a network that requests may not go to.`,
    'Begin it with https://, or name the network in `outgoing.allowPrivate`.',
  ];
}

/** Standard Webhooks: 24 to 64 random bytes. */
function checkSecret({ key, value }: NamedSecret): ConfigProblem[] {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value) ?? [];
  if (encoded === undefined) {
    return [{ key, message: 'It is not `whsec_` and base64.', remedy: makeOne }];
  }
  const bytes = Buffer.from(encoded, 'base64').length;
  if (bytes < 24 || bytes > 64) {
    return [{ key, message: `It has ${bytes} bytes, and 24 to 64 are needed.`, remedy: makeOne }];
  }
  return complainOfStrength({ key, value: encoded }).map((problem) => ({
    ...problem,
    remedy: makeOne,
  }));
}
