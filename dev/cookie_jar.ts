/** Keeps cookies as RFC 6265 (and its successor, for prefixes) has it. */

export interface StoredCookie {
  name: string;
  value: string;
  domain: string;
  hostOnly: boolean;
  path: string;
  secure: boolean;
  httpOnly: boolean;
  sameSite: 'strict' | 'lax' | 'none';
  /** Until the browser is closed when not given. */
  expiresAt?: number;
  createdAt: number;
}

/** How a request comes about, for SameSite. */
export interface CookieUse {
  url: URL;
  /** No page of another site began it. */
  sameSite: boolean;
  /** It shows a page, by GET. */
  topLevelGet: boolean;
}

export interface CookieJar {
  /** Takes the `Set-Cookie` lines of an answer. */
  take(url: URL, lines: readonly string[]): void;
  /** The `Cookie` header for a request, empty when there is nothing to send. */
  header(use: CookieUse): string;
  all(): readonly StoredCookie[];
  clear(): void;
}

const maximumCookies = 500;

/** Browsers take http on loopback for a secure place. */
export function isSecurePlace(url: URL): boolean {
  return (
    url.protocol === 'https:' ||
    /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  );
}

export function createCookieJar(clock: () => number): CookieJar {
  const cookies = new Map<string, StoredCookie>();
  const keyOf = ({ domain, path, name }: StoredCookie) => JSON.stringify([domain, path, name]);
  const live = (): StoredCookie[] => {
    for (const [key, { expiresAt }] of cookies) {
      if (expiresAt !== undefined && expiresAt <= clock()) cookies.delete(key);
    }
    return [...cookies.values()];
  };
  return {
    take(url, lines) {
      for (const line of lines) {
        const cookie = parseCookie(url, line, clock());
        if (cookie === undefined) continue;
        const key = keyOf(cookie);
        // §5.3, 11.3: a cookie that is replaced keeps its place in the order.
        cookie.createdAt = cookies.get(key)?.createdAt ?? cookie.createdAt;
        cookies.delete(key);
        if (cookies.size < maximumCookies) cookies.set(key, cookie);
      }
    },
    header(use) {
      return live()
        .filter((cookie) => isSent(cookie, use))
        .toSorted((a, b) => b.path.length - a.path.length || a.createdAt - b.createdAt)
        .map(({ name, value }) => `${name}=${value}`)
        .join('; ');
    },
    all: live,
    clear: () => cookies.clear(),
  };
}

function isSent(cookie: StoredCookie, { url, sameSite, topLevelGet }: CookieUse): boolean {
  if (cookie.hostOnly ? url.hostname !== cookie.domain : !inDomain(url.hostname, cookie.domain)) {
    return false;
  }
  if (!pathMatches(url.pathname, cookie.path)) return false;
  if (cookie.secure && !isSecurePlace(url)) return false;
  if (sameSite || cookie.sameSite === 'none') return true;
  return cookie.sameSite === 'lax' && topLevelGet;
}

function inDomain(host: string, domain: string): boolean {
  return host === domain || (host.endsWith(`.${domain}`) && !/^[\d.]+$|^\[/.test(host));
}

/** §5.1.4 */
function pathMatches(requested: string, path: string): boolean {
  if (requested === path) return true;
  return requested.startsWith(path) && (path.endsWith('/') || requested[path.length] === '/');
}

/** @returns `undefined` for what a browser would not keep */
function parseCookie(url: URL, line: string, now: number): StoredCookie | undefined {
  const [pair = '', ...rest] = line.split(';');
  const equals = pair.indexOf('=');
  const name = pair.slice(0, Math.max(equals, 0)).trim();
  if (equals < 0 || name === '' || pair.length > 4096) return undefined;
  const attributes = new Map<string, string>();
  for (const part of rest) {
    const [key = '', ...value] = part.split('=');
    attributes.set(key.trim().toLowerCase(), value.join('=').trim());
  }
  const domain = (attributes.get('domain') ?? '').replace(/^\./, '').toLowerCase();
  // No public suffix list here: a domain without a dot is taken for one.
  if (domain !== '' && domain !== url.hostname) {
    if (!inDomain(url.hostname, domain) || !domain.includes('.')) return undefined;
  }
  const expiresAt = expiry(attributes, now);
  const cookie: StoredCookie = {
    name,
    value: pair.slice(equals + 1).trim(),
    domain: domain === '' ? url.hostname : domain,
    hostOnly: domain === '',
    path: cookiePath(attributes.get('path'), url),
    secure: attributes.has('secure'),
    httpOnly: attributes.has('httponly'),
    sameSite: sameSiteOf(attributes.get('samesite')),
    createdAt: now,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
  if (cookie.secure && !isSecurePlace(url)) return undefined;
  if (cookie.sameSite === 'none' && !cookie.secure) return undefined;
  if (/^__(secure|host)-/i.test(name) && !cookie.secure) return undefined;
  if (/^__host-/i.test(name) && (!cookie.hostOnly || attributes.get('path') !== '/')) {
    return undefined;
  }
  return cookie;
}

/** §5.3: `Max-Age` before `Expires`; what cannot be read counts as not there. */
function expiry(attributes: ReadonlyMap<string, string>, now: number): number | undefined {
  const age = attributes.get('max-age');
  if (age !== undefined && /^-?\d+$/.test(age)) return now + Number(age) * 1000;
  const date = Date.parse(attributes.get('expires') ?? '');
  return Number.isNaN(date) ? undefined : date;
}

function cookiePath(path: string | undefined, url: URL): string {
  if (path?.startsWith('/') === true) return path;
  const last = url.pathname.lastIndexOf('/');
  return last <= 0 ? '/' : url.pathname.slice(0, last);
}

function sameSiteOf(value: string | undefined): StoredCookie['sameSite'] {
  const word = value?.toLowerCase();
  return word === 'strict' || word === 'none' ? word : 'lax';
}
