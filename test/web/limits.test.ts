import { describe, expect, it } from 'vitest';
import { failures } from '../../src/web/failure.ts';
import { html } from '../../src/web/html.ts';
import { createLimits, type LimitRule } from '../../src/web/limits.ts';
import { requests } from '../../src/web/request.ts';
import { recording, run } from './app.ts';

const rule: LimitRule = { name: 'signin', limit: 3, windowSeconds: 60, whenStoreFails: 'closed' };

function counting() {
  const counters = new Map<string, number>();
  const state = { now: 1_700_000_010_000, broken: false };
  const { log, records } = recording();
  const limits = createLimits({
    clock: () => state.now,
    log,
    store: {
      bump: async (key, by) => {
        if (state.broken) throw new Error('no store');
        counters.set(key, (counters.get(key) ?? 0) + by);
        return counters.get(key) ?? 0;
      },
    },
  });
  const uses = async (count: number, ...who: string[]) => {
    for (let i = 0; i < count; i += 1) await limits.take(rule, ...who);
  };
  return { limits, uses, counters, state, records, log };
}

describe('a rate limit', () => {
  it('refuses what is too much and says when to come back', async () => {
    const { limits, uses, state } = counting();
    await uses(3, 'a');
    await expect(limits.take(rule, 'a')).rejects.toMatchObject({
      code: 'rate_limited',
      status: 429,
      retryAfterSeconds: 30,
    });
    await uses(3, 'b');
    state.now += 30_000;
    await uses(3, 'a');
  });

  it('keeps callers apart, and only hashes of them', async () => {
    const { limits, uses, counters } = counting();
    await uses(3, 'a', 'b');
    await uses(3, 'a b');
    await uses(3, 'a","b');
    await limits.take({ ...rule, name: 'other' }, 'a', 'b');
    expect([...counters.keys()].every((key) => /^limit:[a-z]+:\d+:[\w-]{43}$/.test(key))).toBe(
      true,
    );
  });

  it('fails as it is told when the store does', async () => {
    const { limits, state, records } = counting();
    state.broken = true;
    await expect(limits.take(rule, 'a')).rejects.toMatchObject({
      code: 'limit_unavailable',
      status: 503,
    });
    await limits.take({ ...rule, whenStoreFails: 'open' }, 'a');
    expect(records.map(({ level }) => level)).toEqual(['error', 'error']);
  });

  it('writes one record a caller and window, however many are refused', async () => {
    const { limits, uses, records } = counting();
    await uses(3, 'a');
    await Promise.allSettled(Array.from({ length: 50 }, () => limits.take(rule, 'a')));
    expect(records).toHaveLength(1);
  });

  it('counts the /64 of an address, and no address that the caller made up', async () => {
    const { limits, log } = counting();
    const app = await run([
      requests({ issuer: 'http://id.test', trustedProxies: ['127.0.0.1'], log, clock: () => 0 }),
      failures({ log, renderFailure: ({ message }) => html`${message}` }),
      limits.byAddress(rule),
      (ctx) => {
        ctx.body = 'ok';
      },
    ]);
    const from = (address: string) =>
      app.send('/', {
        headers: { host: 'id.test', 'x-forwarded-for': `${Math.random()}, ${address}` },
      });
    const statuses: number[] = [];
    for (let i = 0; i < 8; i += 1)
      statuses.push((await from(`2001:db8::${(2 ** (8 * i)).toString(16).slice(-4)}:${i}`)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429, 429, 429, 429]);
    expect((await from('2001:db8:0:1::1')).status).toBe(200);
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1:99']) {
      expect((await from(address)).status).toBe(200);
    }
    const refused = await from('192.0.2.1');
    expect([refused.status, Number(refused.headers['retry-after']) > 0]).toEqual([429, true]);
    await app.close();
  });
});
