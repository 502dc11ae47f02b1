/** What a line may hold: everything else is refused by name, and nothing is repaired (T72, T75). */

import { describe, expect, test } from 'vitest';
import { readRecord } from '../../src/admin/records.ts';

const context = {
  now: Date.UTC(2026, 0, 1),
  issuerOf: (provider: string) =>
    provider === 'google' ? 'https://accounts.google.com' : undefined,
};

function fieldsOf(line: string): string[] {
  const read = readRecord(line, context);
  return 'record' in read ? [] : read.complaints.map(({ field }) => field);
}

const userWith = (more: object) => fieldsOf(JSON.stringify({ type: 'user', id: 'u', ...more }));
const accountWith = (more: object) =>
  fieldsOf(JSON.stringify({ type: 'account', id: 'a', name: 'A', owners: ['u'], ...more }));

const closingWith = (more: object) => {
  const [askedAt, endsAt] = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'];
  return { askedAt, endsAt, ...more };
};

describe('a user', () => {
  test.each([
    [{}, []],
    [{ name: 'Ada', email: 'a@b.example', emailVerified: false }, []],
    [{ name: '' }, ['name']],
    [{ name: 'a\u0000b' }, ['name']],
    [{ name: 'evil\u202Etxt' }, ['name']],
    [{ name: 'x'.repeat(121) }, ['name']],
    [{ name: null }, ['name']],
    [{ name: { toString: 'Ada' } }, ['name']],
    [{ id: 'with space' }, ['id']],
    [{ id: 7 }, ['id']],
    [{ email: 'a@b@c' }, ['email']],
    [{ email: 'a\uFF20b.example' }, ['email']],
    [{ email: 'a@b.example, c@d.example' }, ['email']],
    [{ email: 'a@b.example', emailVerified: 'true' }, ['emailVerified']],
    [{ email: 'a@b.example', emailVerified: 1 }, ['emailVerified']],
    [{ emailVerified: true }, ['emailVerified']],
    [{ picture: 'http://a.example/p.png' }, ['picture']],
    [{ picture: 'javascript:alert(1)' }, ['picture']],
    [{ status: 'deleted' }, ['status']],
    [{ createdAt: 1_700_000_000_000 }, ['createdAt']],
    [{ createdAt: '2026-02-31' }, ['createdAt']],
    [{ createdAt: '2020-01-01T00:00:00' }, ['createdAt']],
    [{ identities: {} }, ['identities']],
    [{ identities: [{ provider: 'google', subject: '1', admin: true }] }, ['identities[0].admin']],
    [{ identities: [{ provider: 'unknown', subject: '1' }] }, ['identities[0].provider']],
    [{ identities: [{ provider: 'google' }] }, ['identities[0].subject']],
    [{ identities: [{ provider: 'google', subject: 1 }] }, ['identities[0].subject']],
    [{ identities: ['google|1'] }, ['identities[0]']],
    [{ identities: Array.from({ length: 21 }, () => ({})) }, ['identities']],
    [{ memberships: [{ account: 'a' }] }, ['memberships[0].roles']],
    [{ memberships: [{ account: 'a', roles: ['x', 'x'] }] }, ['memberships[0].roles']],
    [{ memberships: [{ account: 'a', roles: ['<script>'] }] }, ['memberships[0].roles']],
    [{ memberships: Array.from({ length: 501 }, () => ({})) }, ['memberships']],
    [{ role: 'owner', isAdmin: true }, ['role', 'isAdmin']],
    [{ revokedBefore: 1 }, ['revokedBefore']],
    [{ purgeAt: 1 }, ['purgeAt']],
  ])('T72, T75 with %j: %j', (more, fields) => {
    expect(userWith(more)).toEqual(fields);
  });

  test('T75: names that JavaScript knows are fields like others: unknown', () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString']) {
      const line = `{"type":"user","id":"u","${name}":{"status":"active","name":"Eve"}}`;
      expect(fieldsOf(line)).toEqual([name]);
    }
    expect(fieldsOf('{"type":"user","id":"u","__proto__":{"id":"v"}}')).toEqual(['__proto__']);
    expect(({} as { status?: unknown }).status).toBeUndefined();
    // It is not found where it is inherited.
    expect(fieldsOf('{"type":"user","__proto__":{"id":"v"}}')).toEqual(['id', '__proto__']);
  });

  test('has an issuer from the configuration, or says it', () => {
    const identities = [
      { provider: 'google', subject: '1' },
      { provider: 'other', issuer: 'https://other.example', subject: '2' },
    ];
    const read = readRecord(JSON.stringify({ type: 'user', id: 'u', identities }), context);
    if (!('record' in read) || read.record.type !== 'user') throw new Error('not read');
    expect(read.record.fields.identities?.map(({ issuer }) => issuer)).toEqual([
      'https://accounts.google.com',
      'https://other.example',
    ]);
  });

  test('every problem of a line is told at once', () => {
    expect(userWith({ name: '', email: 'x', locale: '?', extra: 1 })).toEqual([
      'name',
      'email',
      'locale',
      'extra',
    ]);
  });
});

describe('an account', () => {
  test.each([
    [{}, []],
    [{ owners: [] }, ['owners']],
    [{ owners: ['u', 'u'] }, ['owners']],
    [{ owners: 'u' }, ['owners']],
    [{ owners: [], status: 'closed' }, []],
    [{ closed: { at: '2020-01-01T00:00:00Z' } }, ['closed']],
    [{ status: 'closed', closed: { at: 'yesterday' } }, ['closed.at']],
    [{ closing: closingWith({}) }, []],
    [{ closing: closingWith({ endsAt: 'soon' }) }, ['closing.endsAt']],
    // It would be looked at again and again, and never be over.
    [{ status: 'closed', closing: closingWith({}) }, ['closing']],
    [{ customer: 'sub_1' }, ['customer']],
    [{ customer: 'cus_1\u0000' }, ['customer']],
    [{ subscriptions: { api: { status: 'active', plan: 'enterprise' } } }, ['subscriptions']],
    [{ entitlements: ['all'] }, ['entitlements']],
    [{ seats: ['u'] }, ['seats']],
    [
      { domains: [{ domain: 'Example.com', token: 't', mode: 'join', roles: ['m'] }] },
      ['domains[0].domain'],
    ],
    [
      { status: 'closed', closed: { at: '2020-01-01T00:00:00Z', reason: 'a\u001B[2J' } },
      ['closed.reason'],
    ],
  ])('T75 with %j: %j', (more, fields) => {
    expect(accountWith(more)).toEqual(fields);
  });
});

test.each(['', '[]', 'null', '"user"', '{', '1e999', '{"type":"admin"}', '{"type":["user"]}'])(
  'no record: %s',
  (line) => {
    expect(readRecord(line, context)).toHaveProperty('complaints');
  },
);
