/**
 * Makes any value fit for the log: plain JSON, bounded in depth and size, without what sounds or
 * looks like a secret. Never throws: a log line must not break a request.
 */

const replaced = '[redacted]';
const maximumDepth = 6;
const maximumEntries = 50;
const maximumText = 2000;
const maximumStack = 4000;

/** Parts of field names (lower case, letters and digits only) that are secret wherever they stand. */
const secretParts = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'passphrase',
  'assertion',
  'verifier',
  'challenge',
  'credential',
  'apikey',
  'privatekey',
  'signature',
  'csrf',
  'email',
  'phone',
];

/** Names that are secret as a whole, but harmless as a part (`error_code`, `statement`). */
const secretNames = new Set([
  'auth',
  'body',
  'code',
  'cookies',
  'dpop',
  'hint',
  'jwe',
  'jws',
  'jwt',
  'key',
  'loginhint',
  'mac',
  'nonce',
  'otp',
  'query',
  'querystring',
  'referer',
  'referrer',
  'state',
  'usercode',
  'devicecode',
  'authorizationcode',
]);

/** These hold a listed part, and say nothing that is secret. */
const harmlessNames = new Set([
  'codechallengemethod',
  'emailverified',
  'tokenendpoint',
  'tokenendpointauthmethod',
  'tokentype',
  'tokentypehint',
]);

/** A copy for the log. */
export function redact(value: unknown): unknown {
  try {
    return copy(value, 0, []);
  } catch {
    return '[unreadable]';
  }
}

function copy(value: unknown, depth: number, above: readonly object[]): unknown {
  if (typeof value === 'string') return cleanText(value, maximumText);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object') return undefined;
  if (above.includes(value)) return '[circular]';
  if (depth >= maximumDepth) return '[deep]';
  const inside = [...above, value];
  if (value instanceof Error) return copyError(value, depth, inside);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return cleanText(value.href, maximumText);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`;
  if (Array.isArray(value)) {
    const items: unknown[] = value.slice(0, maximumEntries);
    const copied = items.map((item) => copy(item, depth + 1, inside));
    return value.length > maximumEntries ? [...copied, `[${value.length} items]`] : copied;
  }
  return copyRecord(value, depth, inside);
}

function copyRecord(value: object, depth: number, inside: readonly object[]): unknown {
  const entries = Object.entries(value).slice(0, maximumEntries);
  return Object.fromEntries(
    entries.map(([name, content]) => [
      cleanText(name, 100),
      isSecretName(name) && !isAbsent(content) ? replaced : copy(content, depth + 1, inside),
    ]),
  );
}

/** The class, code and place of an error say what happened; its other fields may hold anything. */
function copyError(error: Error, depth: number, inside: readonly object[]): unknown {
  const { code, status } = error as Error & { code?: unknown; status?: unknown };
  return {
    name: cleanText(String(error.name), 100),
    message: cleanText(String(error.message), maximumText),
    code:
      typeof code === 'string' || typeof code === 'number' ? copy(code, depth, inside) : undefined,
    status: typeof status === 'number' ? status : undefined,
    stack: typeof error.stack === 'string' ? cleanText(error.stack, maximumStack) : undefined,
    cause: copyCause(error.cause, depth, inside),
    errors: error instanceof AggregateError ? copy(error.errors, depth + 1, inside) : undefined,
  };
}

/** Libraries give what they looked at as the cause: the claims of a token, an answer's body. */
function copyCause(cause: unknown, depth: number, inside: readonly object[]): unknown {
  return cause instanceof Error || typeof cause === 'string'
    ? copy(cause, depth + 1, inside)
    : undefined;
}

function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (harmlessNames.has(plain)) return false;
  return secretNames.has(plain) || secretParts.some((part) => plain.includes(part));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'boolean';
}

/** Each expression below needs one of these: most texts of a log have none. */
const suspicious = /[@?#]|eyJ|\b(?:tg[a-z]\.|bearer|basic|dpop|(?:[sr]k|whs(?:ec|k))_)/i;

/** What must not be in a text, however it got there (a message of a library, a path, a stack). */
function cleanText(text: string, maximum: number): string {
  // Cut first: the expressions below are linear, and still need not see a megabyte.
  const short = text.length > maximum ? `${text.slice(0, maximum)}…` : text;
  if (!suspicious.test(short)) return short;
  return (
    short
      // Addresses lose userinfo, query and fragment: codes, states and hints travel there.
      .replace(/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@"'<>]{1,500}@/gi, '$1')
      .replace(/([?#])[^\s"'<>()]*=[^\s"'<>()]*/g, '$1…')
      .replace(/\b(Bearer|Basic|DPoP)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${replaced}`)
      .replace(/\beyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){1,4}/g, replaced)
      .replace(/\btg[a-z]\.[A-Za-z0-9]+\.[A-Za-z0-9._-]+/g, replaced)
      .replace(/\b(sk|rk|whsec|whsk)_[A-Za-z0-9_]{8,}/g, replaced)
      .replace(
        /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}\b/g,
        '[e-mail]',
      )
  );
}
