/** What differs between the runtimes, or should not take for ever on any. */

/** @throws when the work took longer; the work itself goes on, and nobody waits for it. */
export async function within<T>(limitMs: number, work: T | Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`longer than ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * On Cloudflare Workers a request must not wait for what another one has begun: that one may be
 * over, and its connections with it.
 */
export const requestsAreApart =
  (globalThis.navigator as { userAgent?: string } | undefined)?.userAgent === 'Cloudflare-Workers';
