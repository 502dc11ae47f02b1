import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { createLog, requestId, withRequestId, type LogFields } from '../../src/base/log.ts';

function logging(level: 'debug' | 'info' | 'warn' | 'error' = 'debug') {
  const lines: string[] = [];
  const log = createLog({
    level,
    clock: () => 1_700_000_000_000,
    write: (line) => lines.push(line),
  });
  return { log, lines, record: (at = 0) => JSON.parse(lines[at] ?? 'null') as LogFields };
}

describe('a record', () => {
  it('is one line of JSON with time, level and message', () => {
    const { log, lines, record } = logging();
    log.info('started', { port: 4400, nested: { list: [1, 'a', true, null] } });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('}\n')).toBe(true);
    expect(record()).toEqual({
      time: '2023-11-14T22:13:20.000Z',
      level: 'info',
      message: 'started',
      port: 4400,
      nested: { list: [1, 'a', true, null] },
    });
  });

  it('is left out below the level', () => {
    const { log, lines } = logging('warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines.map((line) => (JSON.parse(line) as LogFields)['message'])).toEqual(['c', 'd']);
  });

  it('carries the request in which it was made', async () => {
    const { log, record } = logging();
    await withRequestId('req_1', async () => {
      await Promise.resolve();
      expect(requestId()).toBe('req_1');
      log.info('inside', { request_id: 'req_forged', level: 'forged' });
    });
    log.info('outside');
    expect(record(0)).toMatchObject({
      request_id: 'req_1',
      level: 'info',
      field_request_id: 'req_forged',
    });
    expect(record(1)['request_id']).toBeUndefined();
  });

  it('tells an error with its code, stack and causes', () => {
    const { log, record } = logging();
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', secret: 'x' });
    log.error('failed', { error: new Problem('outgoing_failed', 502, 'It failed.', { cause }) });
    expect(record()['error']).toMatchObject({
      name: 'Problem',
      message: 'It failed.',
      code: 'outgoing_failed',
      status: 502,
      stack: expect.stringContaining('log.test.ts'),
      cause: { name: 'Error', message: 'refused', code: 'ECONNREFUSED' },
    });
    expect(JSON.stringify(record())).not.toContain('"secret"');
  });

  it('T78 leaves out a cause that is no error: the claims or the body that a library looked at', () => {
    const { log, record } = logging();
    const cause = new Error('unexpected claim', { cause: { claims: { name: 'Ada Lovelace' } } });
    log.error('failed', { error: new Problem('upstream_error', 502, 'It failed.', { cause }) });
    expect(record()['error']).toMatchObject({ cause: { message: 'unexpected claim' } });
    expect(JSON.stringify(record())).not.toContain('Ada');
  });
});

describe('T78 a secret', () => {
  const canary = 'canary-8f2b7c';
  const names = [
    'authorization',
    'Authorization',
    'cookie',
    'set-cookie',
    'token',
    'access_token',
    'refreshToken',
    'id_token_hint',
    'code',
    'client_secret',
    'password',
    'code_verifier',
    'client_assertion',
    'state',
    'nonce',
    'request_body',
    'email',
    'login_hint',
    'api_key',
    'query',
    'referer',
    'DPoP',
  ];
  for (const name of names.filter((candidate) => candidate !== 'request_body')) {
    it(`is not written as ${name}`, () => {
      const { log, lines } = logging();
      log.info('x', { [name]: canary, deep: [{ [name]: { value: canary } }] });
      expect(lines.join('')).not.toContain(canary);
    });
  }

  it('is not written inside of texts', () => {
    const { log, lines } = logging();
    const texts = [
      `GET https://id.example.com/cb?code=${canary}&state=x failed`,
      `/oauth2/authorize?login_hint=${canary}`,
      `https://app.example.com/#access_token=${canary}`,
      `https://user:${canary}@example.com/`,
      `Authorization: Bearer ${canary}`,
      `eyJhbGciOiJub25lIn0.${canary}.x`,
      `tgr.AbC123.${canary}.1.2.mac`,
      'sk_live_canary8f2b7c',
      `unknown user ${canary}@example.com`,
    ];
    for (const text of texts) {
      log.info(text, { text, url: text, error: new Error(text, { cause: new Error(text) }) });
    }
    const all = lines.join('');
    expect(all).not.toContain(canary);
    expect(all).not.toContain('canary8f2b7c');
    expect(all).toContain('https://id.example.com/cb?');
  });

  it('does not take the harmless with it', () => {
    const { log, record } = logging();
    log.info('x', {
      token_endpoint: 'https://up.test/token',
      error_code: 'no',
      email_verified: true,
    });
    expect(record()).toMatchObject({
      token_endpoint: 'https://up.test/token',
      error_code: 'no',
      email_verified: true,
    });
  });
});

describe('T77 whatever is logged', () => {
  it('is one bounded line that no terminal obeys', () => {
    const { log, lines, record } = logging();
    log.warn('a\nforged {"level":"error"}\r\n\u001b[2J\u009b2J\u2028\u202e', {
      'name\nforged': '\u0000\u0085\u2029',
    });
    expect(lines.join('')).toMatch(/^[\x20-\x7e]*\n$/);
    log.warn(
      'large',
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, 'é'.repeat(5000)])),
    );
    log.warn('m'.repeat(1_000_000), { list: Array.from({ length: 100_000 }, () => 'x') });
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(16 * 1024 + 1);
    expect(record(1)).toMatchObject({ level: 'warn', message: 'large', truncated: true });
  });

  it('never breaks the caller', () => {
    const { log, lines } = logging();
    const circular: LogFields = {};
    circular['self'] = circular;
    const throwing = {
      get boom(): string {
        throw new Error('boom');
      },
    };
    log.info('x', circular);
    log.info('x', { throwing });
    log.info('x', {
      big: 10n,
      symbol: Symbol('s'),
      work: () => 1,
      bytes: Buffer.from('a'),
      day: new Date(NaN),
    });
    fc.assert(
      fc.property(
        fc.string(),
        fc.object({ withBigInt: true, withDate: true, withNullPrototype: true }),
        (message, fields) => {
          log.info(message, fields);
          JSON.parse(lines.at(-1) ?? '');
        },
      ),
    );
  });
});
