/** Reads `WWW-Authenticate` as RFC 9110 §11.6.1 has it: an independent reader of what the library writes. */

export interface ReadChallenge {
  scheme: string;
  parameters: Record<string, string>;
}

export function parseWwwAuthenticateChallenges(header: string): ReadChallenge[] {
  const challenges: ReadChallenge[] = [];
  const token = `[!#$%&'*+.^_\`|~\\w-]+`;
  const part = new RegExp(
    `\\s*(?:(${token})\\s+)?(${token})="((?:[^"\\\\]|\\\\.)*)"\\s*(?:,|$)`,
    'gy',
  );
  let end = 0;
  for (const match of header.matchAll(part)) {
    const [all, scheme, name = '', value = ''] = match;
    end = match.index + all.length;
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    const last = challenges.at(-1);
    if (last === undefined || name in last.parameters) throw new Error(header);
    last.parameters[name] = value.replaceAll(/\\(.)/g, '$1');
  }
  if (end !== header.length) throw new Error(`unreadable: ${header}`);
  return challenges;
}
