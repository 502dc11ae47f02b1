import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { mergeGrantPayload } from '../../src/oidc/grants.ts';
import { mergeSessionPayload } from '../../src/oidc/sessions.ts';

const word = fc.constantFrom('openid', 'profile', 'email', 'read', 'write');
const scope = fc.uniqueArray(word).map((words) => words.join(' '));
const grant = fc.record({
  accountId: fc.constant('usr_ada'),
  exp: fc.nat(10_000),
  openid: fc.option(fc.record({ scope }), { nil: undefined }),
  resources: fc.option(fc.dictionary(fc.constantFrom('https://a', 'https://b'), scope), {
    nil: undefined,
  }),
});

const wordsOf = (text = '') => text.split(' ').filter(Boolean);

describe('two requests at once', () => {
  test('what each granted stands, in whichever order they are written', () => {
    fc.assert(
      fc.property(grant, grant, (one, other) => {
        for (const [first, second] of [
          [one, other],
          [other, one],
        ] as const) {
          const merged = mergeGrantPayload(first, second) as typeof one;
          const scopes = wordsOf(merged.openid?.scope);
          for (const each of [one, other]) {
            expect(scopes).toEqual(expect.arrayContaining(wordsOf(each.openid?.scope)));
            for (const [resource, granted] of Object.entries(each.resources ?? {})) {
              expect(wordsOf(merged.resources?.[resource])).toEqual(
                expect.arrayContaining(wordsOf(granted)),
              );
            }
          }
          expect(merged.exp).toBe(Math.max(one.exp, other.exp));
        }
      }),
    );
  });

  const client = fc.constantFrom('app', 'other', 'third');
  const container = fc.record({
    sid: fc.constantFrom('s1', 's2'),
    accounts: fc.dictionary(fc.constantFrom('acc_1', 'acc_2'), fc.constantFrom('g1', 'g2')),
  });
  const authorizations = fc.dictionary(client, container);

  test('the clients that each signed in to are remembered, and nobody undoes the other', () => {
    fc.assert(
      fc.property(authorizations, authorizations, authorizations, (before, one, other) => {
        const base = { uid: 'u', exp: 1, authorizations: before };
        const mine = { ...base, exp: 2, authorizations: { ...before, ...one } };
        const theirs = { ...base, exp: 3, authorizations: { ...before, ...other } };
        const merged = mergeSessionPayload(base, mine, theirs);
        const clients = Object.keys(merged.authorizations ?? {});
        expect(clients.toSorted()).toEqual(Object.keys({ ...before, ...one, ...other }).toSorted());
        expect(merged.exp).toBe(3);
      }),
    );
  });

  test('what one request changed wins over what it left alone, and only that', () => {
    const base = { uid: 'u', exp: 1, accountId: 'usr_ada', loginTs: 1, state: { secret: 's' } };
    const mine = { ...base, loginTs: 5, state: undefined };
    const theirs = { ...base, acr: 'strong' };
    expect(mergeSessionPayload(base, mine, theirs)).toEqual({
      uid: 'u',
      exp: 1,
      accountId: 'usr_ada',
      loginTs: 5,
      acr: 'strong',
    });
  });
});
