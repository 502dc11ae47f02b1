import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AccessClaims } from '../../src/verify/index.ts';
import { Denylist, keyOf, keysOf } from '../../src/verify/denylist.ts';
import type { Rule, Subject } from '../../src/verify/denylist.ts';
import { MemoryStore, safeStore } from '../../src/verify/store.ts';
import { clockAt } from './world.ts';

const issuer = 'https://id.example.com';

function open(maximum = 1000) {
  const clock = clockAt();
  let dropped = 0;
  const store = new MemoryStore(maximum, clock.now, () => {
    dropped += 1;
  });
  const denylist = new Denylist({
    store: safeStore(store, () => undefined),
    now: clock.now,
    toleranceSeconds: 5,
  });
  const start = clock.seconds();
  const find = (claims: Partial<AccessClaims> = {}) =>
    denylist.find({
      iss: issuer,
      aud: 'api',
      sub: 'usr_ada',
      client_id: 'web',
      jti: '1',
      iat: start,
      exp: start + 900,
      sid: 'sid_1',
      account: 'acc_acme',
      ...claims,
    });
  const deny = (subject: Subject, rule: Partial<Rule> = {}, iss = issuer) =>
    denylist.apply({ kind: 'revoked', keys: [keyOf(iss, subject)!], before: start, ...rule });
  return { clock, store, denylist, start, find, deny, dropped: () => dropped };
}

describe('a rule', () => {
  test.each<[Subject, Partial<AccessClaims>[], Partial<AccessClaims>[]]>([
    [
      { session: 'sid_1' },
      [{}, { account: 'acc_other' }, { account: undefined }],
      [{ sid: 'sid_2' }, { sid: undefined }],
    ],
    [
      { session: 'sid_1', account: 'acc_acme' },
      [{}],
      [{ account: 'acc_other' }, { sid: 'sid_2' }, { account: undefined }],
    ],
    [
      { user: 'usr_ada' },
      [{}, { sid: 'sid_2' }, { account: undefined, sid: undefined }],
      [{ sub: 'usr_eve' }],
    ],
    [
      { user: 'usr_ada', account: 'acc_acme' },
      [{}, { sid: 'sid_2' }],
      [{ account: 'acc_other' }, { sub: 'usr_eve' }, { account: undefined }],
    ],
    [
      { account: 'acc_acme' },
      [{}, { sub: 'usr_eve', sid: 'sid_2' }],
      [{ account: 'acc_other' }, { account: undefined }],
    ],
  ])('for %j denies those and no others', async (subject, denied, good) => {
    const { deny, find } = open();
    await deny(subject);
    for (const claims of denied) expect(await find(claims), JSON.stringify(claims)).toBe('revoked');
    for (const claims of good) expect(await find(claims), JSON.stringify(claims)).toBeUndefined();
    expect(await find({ iss: 'https://other.example' })).toBeUndefined();
  });

  test('is for tokens of before: those of the very second are, those of the next are not', async () => {
    const { deny, find, start } = open();
    await deny({ user: 'usr_ada' }, { before: start + 0.999 });
    expect(await find({ iat: start - 900 })).toBe('revoked');
    expect(await find({ iat: start })).toBe('revoked');
    expect(await find({ iat: start + 1 })).toBeUndefined();
  });

  test('an older event that comes later takes nothing back', async () => {
    const { deny, find, start } = open();
    await deny({ user: 'usr_ada' }, { before: start + 10 });
    await deny({ user: 'usr_ada' }, { before: start - 10 });
    expect(await find({ iat: start + 5 })).toBe('revoked');
  });

  test('is kept for as long as a token of before could live, and not longer', async () => {
    const { deny, find, clock, store, start } = open();
    await deny({ user: 'usr_ada' });
    clock.advance(904);
    expect(await find({ iat: start })).toBe('revoked');
    clock.advance(3);
    expect(await find({ iat: start })).toBeUndefined();
    await deny({ user: 'usr_eve' }, { before: clock.seconds() });
    expect(store.size).toBe(1);
  });

  test('of long ago denies nothing, and is not kept', async () => {
    const { deny, store, start } = open();
    await deny({ user: 'usr_ada' }, { before: start - 906 });
    expect(store.size).toBe(0);
  });

  test('from far ahead denies nobody for longer than clocks may differ', async () => {
    const { deny, find, start } = open();
    await deny({ user: 'usr_ada' }, { before: start + 1_000_000 });
    expect(await find({ iat: start + 60 })).toBe('revoked');
    expect(await find({ iat: start + 61 })).toBeUndefined();
  });

  test('that names a user with a session is for that user', async () => {
    const { deny, find } = open();
    await deny({ session: 'sid_1' }, { sub: 'usr_eve' });
    expect(await find()).toBeUndefined();
    await deny({ session: 'sid_1' }, { sub: 'usr_ada' });
    // Two names: rather one too many than one too few.
    expect(await find()).toBe('revoked');
    expect(await find({ sub: 'usr_eve' })).toBe('revoked');
  });

  test('of many at the same instant each is there', async () => {
    const { deny, find, start } = open();
    const claims = (number: number) => ({ [`claim_${number}`]: number });
    await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        deny({ user: 'usr_ada' }, { kind: 'stale', claims: claims(number) }),
      ),
    );
    const right = Object.assign({}, ...Array.from({ length: 20 }, (_, number) => claims(number)));
    expect(await find({ iat: start, ...right })).toBeUndefined();
    for (let number = 0; number < 20; number += 1) {
      expect(await find({ ...right, [`claim_${number}`]: -1 })).toBe('stale');
    }
  });
});

describe('a change of claims', () => {
  test('makes tokens of before stale that say otherwise', async () => {
    const { deny, find, start } = open();
    const claims = { plan: 'pro', roles: ['admin', 'owner'], cancel_at: null };
    await deny({ account: 'acc_acme' }, { kind: 'stale', claims });
    const right = { plan: 'pro', roles: ['owner', 'admin'] };
    expect(await find(right)).toBeUndefined();
    expect(await find({ ...right, plan: 'team' })).toBe('stale');
    expect(await find({ ...right, plan: undefined })).toBe('stale');
    expect(await find({ ...right, roles: ['owner'] })).toBe('stale');
    expect(await find({ ...right, cancel_at: 1 })).toBe('stale');
    // A token of after says what is so, whatever that is by now.
    expect(await find({ ...right, plan: 'team', iat: start + 1 })).toBeUndefined();
    expect(await find({ ...right, plan: 'team', iat: start })).toBe('stale');
    expect(await find({ plan: 'team', account: 'acc_other' })).toBeUndefined();
  });

  test('of each claim the latest counts, in whichever order they come', async () => {
    const { deny, find, start } = open();
    const change = (before: number, claims: object) =>
      deny({ account: 'acc_acme' }, { kind: 'stale', before, claims: { ...claims } });
    await change(start + 20, { plan: 'free' });
    await change(start + 10, { plan: 'pro', quantity: 5 });
    expect(await find({ iat: start, plan: 'free', quantity: 5 })).toBeUndefined();
    expect(await find({ iat: start + 15, plan: 'pro', quantity: 5 })).toBe('stale');
    expect(await find({ iat: start, plan: 'free', quantity: 4 })).toBe('stale');
    expect(await find({ iat: start + 15, plan: 'free', quantity: 4 })).toBeUndefined();
  });

  test('of a claim with an odd name is one of that name', async () => {
    const { deny, find } = open();
    const claims = JSON.parse('{"__proto__": 1, "constructor": null}') as Record<string, unknown>;
    await deny({ account: 'acc_acme' }, { kind: 'stale', claims });
    expect(await find()).toBe('stale');
    const right = JSON.parse('{"__proto__": 1}') as object;
    expect(
      await find(Object.defineProperty({}, '__proto__', { value: 1, enumerable: true })),
    ).toBeUndefined();
    expect(Object.keys(right)).toEqual(['__proto__']);
  });

  test('revoked is said before stale', async () => {
    const { deny, find } = open();
    await deny({ account: 'acc_acme' }, { kind: 'stale', claims: { plan: 'pro' } });
    await deny({ user: 'usr_ada' });
    expect(await find({ plan: 'team' })).toBe('revoked');
  });

  test('nothing grows without end: what is over goes, and the latest 64 stay', async () => {
    const { deny, find, clock, store, start } = open();
    const change = (name: string) =>
      deny(
        { account: 'acc_acme' },
        { kind: 'stale', before: clock.seconds(), claims: { [name]: 1 } },
      );
    for (let number = 0; number < 100; number += 1) {
      await change(`claim_${number}`);
      clock.advance(1);
    }
    const rest = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`claim_${n + 36}`, 1]));
    expect(await find({ iat: start, ...rest })).toBeUndefined();
    expect(await find({ iat: start, ...rest, claim_36: 2 } as object)).toBe('stale');
    clock.advance(800);
    await change('middle');
    clock.advance(200);
    await change('last');
    const key = `tollgate:stale:${keyOf(issuer, { account: 'acc_acme' })}`;
    const [left = ''] = store.getMany([key]);
    expect((JSON.parse(left) as unknown[][]).map(([name]) => name)).toEqual(['last', 'middle']);
  });
});

describe('keys', () => {
  test('of two subjects are never the same, whatever their ids are', () => {
    const id = fc.oneof(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.string({ minLength: 1, unit: fc.constantFrom(...'",[]\\+ \u0000'.split('')) }),
      fc.constantFrom('sid', 'sub', 'account', 'sid+account', 'usr_ada'),
    );
    const subject = fc.record({ user: id, account: id, session: id }, { requiredKeys: [] });
    // What the key is of: a session says all of its user.
    const parts = (issuer: string, { user, account, session }: Subject) =>
      JSON.stringify([issuer, account ?? null, session ?? null, session === undefined ? user : 0]);
    fc.assert(
      fc.property(id, subject, id, subject, (oneIssuer, one, otherIssuer, other) => {
        const keys = [keyOf(oneIssuer, one), keyOf(otherIssuer, other)];
        fc.pre(keys[0] !== undefined && keys[1] !== undefined);
        const alike = parts(oneIssuer, one) === parts(otherIssuer, other);
        expect(keys[0] === keys[1]).toBe(alike);
      }),
      { numRuns: 500 },
    );
  });

  test('of a token are those of the subjects that mean it', () => {
    const id = fc.constantFrom('a', 'b', '","', 'a","b');
    fc.assert(
      fc.property(
        fc.record({ user: id, account: id, session: id }, { requiredKeys: [] }),
        fc.record({ iss: id, sub: id, account: id, sid: id }, { requiredKeys: ['iss', 'sub'] }),
        id,
        (subject, token, issuer) => {
          const key = keyOf(issuer, subject);
          fc.pre(key !== undefined);
          const { user, account, session } = subject;
          const meant =
            token.iss === issuer &&
            (account === undefined || token.account === account) &&
            (session === undefined || token.sid === session) &&
            (session !== undefined || user === undefined || token.sub === user);
          expect(keysOf(token).includes(key)).toBe(meant);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('there is none where nobody is named', () => {
    expect(keyOf(issuer, {})).toBeUndefined();
  });
});

describe('the memory', () => {
  test('is bounded: the oldest goes, its tokens are good again, and somebody hears of it', async () => {
    const { deny, find, store, dropped } = open(3);
    for (const user of ['usr_1', 'usr_2', 'usr_3']) await deny({ user });
    expect(dropped()).toBe(0);
    // Told again, so no longer the oldest.
    await deny({ user: 'usr_1' });
    await deny({ user: 'usr_4' });
    expect(store.size).toBe(3);
    expect(dropped()).toBe(1);
    expect(await find({ sub: 'usr_2' })).toBeUndefined();
    expect(await find({ sub: 'usr_1' })).toBe('revoked');
  });

  test('what is over makes room first', async () => {
    const { deny, find, clock, dropped } = open(3);
    for (const user of ['usr_1', 'usr_2', 'usr_3']) await deny({ user });
    clock.advance(1000);
    for (const user of ['usr_4', 'usr_5', 'usr_6'])
      await deny({ user }, { before: clock.seconds() });
    expect(dropped()).toBe(0);
    expect(await find({ sub: 'usr_4', iat: clock.seconds() })).toBe('revoked');
  });
});
